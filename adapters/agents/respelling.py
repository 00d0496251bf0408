"""One form for every spelling the client gives the input of one call.

Under managed settings Claude Code calls a hook with the input as the model wrote it, and, where its own reading differs
(`a/../b` made absolute, `"5"` made 5, defaults filled in), once more with its own spelling under the same call id; what ran
is told in either. Compared as text these are different inputs: a call id that seems to come back changed.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Respelling(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the client does to inputs of its own tools; it passes those of MCP tools on as they are."""

    paths: frozenset[str]
    """Fields with a path, made absolute and normal."""
    derived: dict[str, frozenset[str]]
    """Tool to fields that the client makes from others, or fills in when the tool runs."""
    defaults: dict[str, dict[str, str]]
    """Tool to fields filled in (or left out) when they have this value, as text."""


def canonical_input(
    rules: Respelling, tool: str, given: Mapping[str, Any], *, cwd: str, home: str
) -> dict[str, Any]:
    """The input in one form: equal for two spellings of the same call, and different when anything else differs."""
    if tool.startswith("mcp__"):
        return dict(given)
    derived = rules.derived.get(tool, frozenset())
    defaults = rules.defaults.get(tool, {})
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name in derived or value is None:
            continue
        if isinstance(value, str):
            form: Any = _resolved(value, cwd, home) if name in rules.paths else value
        elif isinstance(value, bool):
            form = "true" if value else "false"
        else:
            form = str(value) if isinstance(value, int | float) else value
        if name not in defaults or form != defaults[name]:
            found[name] = form
    return found


def _resolved(path: str, cwd: str, home: str) -> str:
    """An absolute path without `.` and `..`, as the client resolves it."""
    if home and (path == "~" or path.startswith("~/")):
        path = home + path[1:]
    return posixpath.normpath(posixpath.join(cwd, path)) if path else path
