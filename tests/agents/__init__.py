"""The adapters of agents, held against recorded requests and against the agents' own protocols."""
