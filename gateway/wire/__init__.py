"""Codecs of the Cerbos API: bytes to domain and back, without I/O."""
