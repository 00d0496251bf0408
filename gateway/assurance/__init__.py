"""Whether an installation can be believed: canaries, probes, proven backends, posture, readiness, the doctor."""
