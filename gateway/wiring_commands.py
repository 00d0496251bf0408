"""Chooses implementations for commands that need no gateway, apart from `wiring` so that they start without one."""

from __future__ import annotations

import platform
from typing import Any

from adapters.agents.claude_code_settings import ClaudeCodeSettings, settings_data
from gateway import versions
from gateway.domain.agent_settings import SettingsGenerator
from gateway.domain.vocabulary import JOURNAL_SCHEMA, RECORD_SCHEMA, VOCABULARY

AGENTS = ("claude-code",)


def build_settings_generator(agent: str) -> SettingsGenerator:
    """The generator of an agent's settings. Raises KeyError for an agent that is not in `AGENTS`."""
    return {"claude-code": lambda: ClaudeCodeSettings(settings_data())}[agent]()


def build_versions() -> dict[str, Any]:
    """The version of the product and of every contract."""
    from adapters.pdp.cerbos_http import TESTED_VERSIONS  # noqa: PLC0415 - loads a web client, for one constant
    from gateway.facts.shell.analysis import ANALYZER  # noqa: PLC0415 - loads the whole analysis, for one number
    from gateway.policy.settings import ENGINE_VERSION  # noqa: PLC0415 - likewise

    data = settings_data()
    return {
        "ostiary": versions.product_version(),
        "python": platform.python_version(),
        "api": versions.API,
        "record": RECORD_SCHEMA,
        "journal": JOURNAL_SCHEMA,
        "config": versions.CONFIG,
        "vocabulary": VOCABULARY,
        "analyzer": ANALYZER,
        "engine": ENGINE_VERSION,
        "agents": {"claude-code": {"tested": data.tested_version, "minimum": data.minimum_version}},
        "cerbos": [f"{version}x" for version in TESTED_VERSIONS],
        "outputs": list(versions.JSON_OUTPUTS),
    }
