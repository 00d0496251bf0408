"""The model: frozen values and the ports between the rooms. Imports the standard library and msgspec, nothing else."""
