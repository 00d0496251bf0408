"""What a policy set is evaluated with: the settings that a Cerbos configuration file would hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field

ENGINE_VERSION = 1
"""Part of every revision: a new number when the same policies could be answered otherwise."""


class EngineSettings(Struct, frozen=True, kw_only=True):
    """Evaluation settings. `pack_switches` only names the revision: the gateway sends what is off with every check."""

    globals: Mapping[str, Any] = field(default_factory=dict)
    default_version: str = "default"
    default_scope: str = ""
    lenient_scope_search: bool = False
    schema_enforcement: Literal["none", "warn", "reject"] = "none"
    strict_evaluation: bool = False
    """An expression that fails denies the action instead of counting as false."""
    pack_switches: tuple[str, ...] = ()
    expression_budget: int = 1_000_000
    """Cost units that the conditions of one resource may spend together."""
