"""Policy backends behind the PDP port."""
