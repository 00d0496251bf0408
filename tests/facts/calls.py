"""Calls as the golden files write them: a tool, its input, and where it is called, with what it would do in short form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from adapters.agents.claude_code import ClaudeCodeAdapter, protocol_data
from gateway.domain.events import HookEvent
from gateway.domain.operations import Analysis, Operation
from gateway.facts.analyser import CallAnalyser, FactsSettings, facts_data
from tests.support.payloads import pre_tool_use

GOLDEN = Path(__file__).parent / "golden"
SETTINGS = FactsSettings(
    extra=("/srv/shared/assets",),
    self_paths=("/srv/gateway",),
    self_ports=frozenset({8787, 8788}),
    self_hosts=("gateway.example.com",),
)
_ADAPTER = ClaudeCodeAdapter(protocol_data())
_HEADERS = {"project": "x-ostiary-project-dir", "home": "x-ostiary-home"}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "file": {
        "shape": "path",
        "groups": [],
        "groups_may": [],
        "via": "tool",
        "certain": True,
        "resolved": False,
    },
    "host": {
        "via": "tool",
        "certain": True,
        "sources": [],
        "source_groups": [],
        "source_groups_may": [],
        "sources_outside": False,
        "runs": False,
    },
    "mcp_tool": {"via": "mcp", "certain": True, "url": "", "command": ""},
    "subagent": {"via": "tool", "certain": True, "governed": True},
    "command": {
        "via": "shell",
        "certain": True,
        "wrappers": [],
        "privileged": False,
        "known": True,
        "indirect": False,
        "traits": [],
        "agent_written": False,
    },
    "git": {
        "via": "shell",
        "certain": True,
        "force": False,
        "delete": False,
        "discards": False,
        "default_ref": False,
    },
    "package": {"via": "shell", "certain": True},
    "credential": {"via": "shell", "certain": True},
}
_TOLD_BY_ID = {"path", "host", "server", "tool", "type", "name", "ext", "may_leave_project", "input"}


def analyser(settings: FactsSettings = SETTINGS) -> CallAnalyser:
    """The analyser with the shipped tables."""
    return CallAnalyser(settings, facts_data())


def calls(name: str) -> list[dict[str, Any]]:
    """The cases of a golden file."""
    found: list[dict[str, Any]] = yaml.safe_load((GOLDEN / name).read_text(encoding="utf-8"))
    return found


def event_of(case: Mapping[str, Any]) -> HookEvent:
    """The event of a case, decoded from bytes as a client would send them."""
    fields = dict(case.get("at", {}))
    headers = {header: fields.pop(name) for name, header in _HEADERS.items() if name in fields}
    payload = pre_tool_use(case.get("tool", ""), case.get("input", {}), **fields)
    return _ADAPTER.decode(json.dumps(payload).encode(), headers)


def short(operation: Operation) -> dict[str, Any]:
    """An operation as golden files write it: what its kind always has is left out."""
    defaults = _DEFAULTS[operation.kind]
    told = {
        name: value
        for name, value in operation.attr.items()
        if name not in _TOLD_BY_ID and (name not in defaults or value != defaults[name])
    }
    return {"op": f"{operation.kind} {operation.action} {operation.id}", **told}


def outcome(analysis: Analysis) -> dict[str, Any]:
    """What an analysis found, as golden files write it."""
    found: dict[str, Any] = {"operations": [short(operation) for operation in analysis.operations]}
    if analysis.opaque:
        found["shell"] = "opaque"
    if not analysis.known_tool:
        found["known_tool"] = False
    if analysis.project not in {"transcript", "claim"} or analysis.project_dir != "/home/dev/project":
        found["project"] = f"{analysis.project} {analysis.project_dir}".strip()
    for name in ("flags", "limits_hit"):
        if getattr(analysis, name):
            found[name] = list(getattr(analysis, name))
    return found
