"""What compiles and is still a mistake in a policy for agents: checks that know events, operations and who picks names."""
