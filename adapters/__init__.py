"""The edges: agents, policy backends and stores. Each implements a port of gateway.domain.ports."""
