"""The Cerbos policy language: load, check, compile, evaluate, explain, test."""
