"""Benchmarks: one module a subject, run by `python -m bench SUBJECT`. Figures go to docs/benchmarks.md."""
