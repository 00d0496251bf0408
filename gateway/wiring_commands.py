"""Chooses implementations for commands that need no gateway, apart from `wiring` so that they start without one."""

from __future__ import annotations

from adapters.agents.claude_code_settings import ClaudeCodeSettings, settings_data
from gateway.domain.agent_settings import SettingsGenerator

AGENTS = ("claude-code",)


def build_settings_generator(agent: str) -> SettingsGenerator:
    """The generator of an agent's settings. Raises KeyError for an agent that is not in `AGENTS`."""
    return {"claude-code": lambda: ClaudeCodeSettings(settings_data())}[agent]()
