"""What a direct call would do: the analysis of tools whose input names what they touch, without any cache of whole calls.

Paths differ from call to call, so that only what a gateway keeps over calls (projects, globs, hosts) is warm.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from adapters.agents.claude_code import ClaudeCodeAdapter, protocol_data
from bench.report import Options, Table
from bench.timing import per_input
from gateway.domain.events import HookEvent
from gateway.facts.analyser import CallAnalyser, FactsSettings, facts_data

CALLS = 500
ROUNDS = 20
PROJECT = "/home/dev/project"
_ADAPTER = ClaudeCodeAdapter(protocol_data())

SUBJECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "Read in the project": ("Read", {"file_path": PROJECT + "/src/pkg{n}/app.py"}),
    "Read of a secret": ("Read", {"file_path": PROJECT + "/srv{n}/.env"}),
    "Read by a relative path": ("Read", {"file_path": "src/pkg{n}/app.py"}),
    "Read by an odd spelling": ("Read", {"file_path": "file:///home/dev/%70roject/./x{n}/../y.py"}),
    "Edit": ("Edit", {"file_path": PROJECT + "/src/pkg{n}/app.py", "old_string": "a", "new_string": "b"}),
    "Write": ("Write", {"file_path": PROJECT + "/src/pkg{n}/app.py", "content": "x"}),
    "Glob, seen before": ("Glob", {"pattern": "**/*.py"}),
    "Glob, new": ("Glob", {"pattern": "src/pkg{n}/**/*.py"}),
    "Grep of the project": ("Grep", {"pattern": "TODO"}),
    "Grep with a new directory and globs": (
        "Grep",
        {"pattern": "x", "path": "src/p{n}", "glob": "*.{{ts,tsx}}"},
    ),
    "WebFetch": ("WebFetch", {"url": "https://host{n}.example.com/a/b?c=d", "prompt": "p"}),
    "MCP, described": ("mcp__filesystem__read_text_file", {"path": PROJECT + "/src/pkg{n}/app.py"}),
    "MCP, not described": (
        "mcp__helper__get",
        {"path": PROJECT + "/x{n}", "query": "some words {n}", "limit": 10},
    ),
    "Agent": ("Agent", {"prompt": "look {n}", "subagent_type": "Explore"}),
}


def run(options: Options) -> Iterator[Table]:
    """One table of every subject."""
    analyser = CallAnalyser(FactsSettings(self_paths=("/opt/gateway",)), facts_data())
    contestants = {
        name: (analyser.analyse, [event(tool, given, number) for number in range(CALLS)])
        for name, (tool, given) in SUBJECTS.items()
    }
    found = per_input(contestants, options.rounds(ROUNDS))
    yield Table(
        "The analysis of a direct call",
        ("call", "median us", "p99 us"),
        [(name, one.median, one.p99) for name, one in found.items()],
        "The aim is 15 us for a Read.",
    )


def event(tool: str, given: dict[str, Any], number: int, *, numbered: bool = True) -> HookEvent:
    """The call, with its number in its texts where these are `numbered`, as a client would send it."""
    tool_input = {
        key: value.format(n=number) if numbered and isinstance(value, str) else value
        for key, value in given.items()
    }
    payload: dict[str, Any] = {
        "hook_event_name": "PreToolUse",
        "session_id": "s",
        "tool_use_id": f"toolu_{number}",
        "transcript_path": "/home/dev/.claude/projects/-home-dev-project/s.jsonl",
        "cwd": PROJECT,
        "tool_name": tool,
        "tool_input": tool_input,
    }
    if tool.startswith("mcp__"):
        payload["mcp_server"] = {"name": tool.split("__")[1], "source": "user"}
    return _ADAPTER.decode(json.dumps(payload).encode(), {})
