"""Agent protocols: bytes to hook events and answers to bytes, without I/O."""
