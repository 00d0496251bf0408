"""What a call would do, in words a person reads at a glance: `write ../notes.md outside the project`.

Used in answers, `why`, `demo` and the live view. Every text is made printable here: paths and commands are chosen by the
adversary, and a terminal obeys escape sequences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.domain.events import HookEvent
from gateway.domain.operations import Analysis
from gateway.domain.vocabulary import GUARDED_GROUPS
from gateway.obligations import printable

_GROUP_WORDS = {
    "secrets": "which holds secrets",
    "system": "which belongs to the system",
    "system_config": "which configures the machine",
    "agent_config": "which configures the agent",
    "agent_instructions": "which instructs agents",
    "vcs_hooks": "which runs at every commit",
    "project_hooks": "which runs at every commit",
    "shell_rc": "which runs at every login",
    "persistence": "which runs by itself later",
    "ci": "which runs in the CI pipeline",
    "lockfiles": "which pins dependencies",
    "gateway_self": "which is part of Ostiary",
}
_VERBS = {
    ("file", "read"): "read",
    ("file", "write"): "write",
    ("file", "delete"): "delete",
    ("file", "list"): "list",
    ("file", "execute"): "run",
    ("host", "connect"): "contact",
    ("host", "send"): "send data to",
    ("command", "execute"): "run",
    ("credential", "read"): "read the credential",
    ("mcp_tool", "call"): "call the MCP tool",
    ("subagent", "spawn"): "start the sub-agent",
}


def operation_words(
    kind: str, action: str, identifier: str, attr: Mapping[str, Any], project_dir: str = ""
) -> str:
    """One operation: verb, thing, and what makes it noteworthy."""
    verb = _VERBS.get((kind, action)) or f"{action} {kind.replace('_', ' ')}"
    thing = _relative(identifier, project_dir) if kind == "file" else identifier
    words = f"{verb} {thing or kind}"
    if kind == "file":
        group = next((name for name in GUARDED_GROUPS if name in attr.get("groups", ())), "")
        if group:
            return printable(f"{words}, {_GROUP_WORDS[group]}")
        if attr.get("in_project") is False:
            return printable(f"{words} outside the project")
    return printable(words)


def would_do(event: HookEvent, analysis: Analysis | None) -> str:
    """A whole call: its worst operation, and how many more there are; what the tool is when it has none."""
    if analysis is None or not analysis.operations:
        command = event.tool_input.get("command")
        if isinstance(command, str) and command:
            return printable(f"run `{command}`")
        return printable(f"use {event.tool}") if event.tool else ""
    ranked = sorted(
        analysis.operations, key=lambda operation: _weight(operation.attr, operation.action), reverse=True
    )
    worst = ranked[0]
    words = operation_words(worst.kind, worst.action, worst.id, worst.attr, analysis.project_dir)
    more = len(analysis.operations) - 1
    return f"{words} (and {more} more)" if more else words


def worst_of(operations: Sequence[tuple[Mapping[str, Any], str]]) -> int | None:
    """Which of the operations, given as attributes and action, is the most noteworthy; None when there is none."""
    if not operations:
        return None
    return max(range(len(operations)), key=lambda at: (*_weight(*operations[at]), -at))


def _weight(attr: Mapping[str, Any], action: str) -> tuple[int, int, int]:
    guarded = sum(1 for name in attr.get("groups", ()) if name in GUARDED_GROUPS)
    outside = 1 if attr.get("in_project") is False else 0
    return guarded, outside, 0 if action in {"read", "list"} else 1


def _relative(path: str, project_dir: str) -> str:
    if project_dir and path.startswith(project_dir + "/"):
        return path[len(project_dir) + 1 :]
    return path
