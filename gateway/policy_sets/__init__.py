"""The policy sets of a running gateway: shipped, loaded, replaced, compared, and asked again about recorded calls."""
