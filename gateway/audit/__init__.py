"""The record: redaction, journal, chain, verification."""
