"""The shipped command model, one YAML file a family, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec
import yaml

from gateway.facts.shell.models import Model, Models
from gateway.facts.shell.programs import PROGRAMS
from gateway.facts.shell.programs.agents import agent_programs


def read_models(text: str) -> dict[str, Model]:
    """The models of one YAML text. Raises `msgspec.ValidationError` or `yaml.YAMLError`."""
    # The base loader keeps every scalar as its text: `yes` and `true` are names of programs here.
    return msgspec.convert(yaml.load(text, Loader=yaml.CBaseLoader) or {}, dict[str, Model], strict=False)  # noqa: S506  # text only


@cache
def shipped_models() -> Models:
    """Every shipped model."""
    found: dict[str, Any] = {}
    for entry in sorted(resources.files(__name__).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".yaml"):
            found.update(read_models(entry.read_text("utf-8")))
    for name in agent_programs():
        found.setdefault(name, Model(program="agent"))
    return Models(found, PROGRAMS)


def extended_models(extra: Mapping[str, Model]) -> Models:
    """The shipped models with a site's own on top."""
    return shipped_models().extended(extra)
