"""The real Claude Code against a fake model on loopback, governed by a real gateway; verdicts come from the disk."""
