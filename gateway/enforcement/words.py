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
from gateway.enforcement.obligations import printable

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
    "project_root": "the whole project",
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
    thing = _place(identifier, project_dir) if kind == "file" else identifier
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
    at = worst_of([(item.kind, item.action, item.attr) for item in analysis.operations]) or 0
    worst = analysis.operations[at]
    words = operation_words(worst.kind, worst.action, worst.id, worst.attr, analysis.project_dir)
    more = len(analysis.operations) - 1
    return f"{words} (and {more} more)" if more else words


def worst_of(operations: Sequence[tuple[str, str, Mapping[str, Any]]]) -> int | None:
    """Which of the operations, given as kind, action and attributes, is the most noteworthy; None when there is none."""
    if not operations:
        return None
    return max(range(len(operations)), key=lambda at: (*_weight(*operations[at]), -at))


def _weight(kind: str, action: str, attr: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """Guarded places first, then what leaves the project or the machine or cannot be undone, then changes."""
    groups = attr.get("groups", ())
    guarded = sum(1 for name in groups if name in GUARDED_GROUPS)
    leaves = kind == "credential" or (kind, action) == ("host", "send") or "metadata" in groups
    outside = attr.get("in_project") is False or bool(attr.get("traits")) or attr.get("privileged") is True
    changes = action not in {"read", "list", "connect", "execute"}
    # A program that runs is the least to say where anything is known of what it would do.
    plain = kind == "command" and not attr.get("traits")
    return guarded, int(leaves) * 2 + int(outside), int(changes), 0 if plain else 1


def _place(path: str, project_dir: str) -> str:
    """A path as people say it: relative to the project, a tree as everything below."""
    if path.endswith("/**"):
        top = path[:-3] or "/"
        return (
            "everything in the project"
            if top == project_dir
            else f"everything below {_relative(top, project_dir)}"
        )
    return _relative(path, project_dir)


def _relative(path: str, project_dir: str) -> str:
    if project_dir and path.startswith(project_dir + "/"):
        return path[len(project_dir) + 1 :]
    return path
