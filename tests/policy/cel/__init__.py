"""Tests of the CEL compiler, with the real PDP as their oracle."""
