"""Ostiary's core: what a tool call would do, what policy says of it, and the record of both."""
