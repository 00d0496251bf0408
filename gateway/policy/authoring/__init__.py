"""Policies from sentences: a small controlled English, parsed without guessing, written as files that run at once."""
