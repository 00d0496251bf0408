"""What a call would do: paths, hosts, projects and operations."""
