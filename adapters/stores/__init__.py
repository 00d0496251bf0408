"""Stores of the audit index."""
