"""HTTP surfaces: hooks, admin, health."""
