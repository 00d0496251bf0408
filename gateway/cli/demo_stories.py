"""The demo's stories: read from their data file and made into hook requests of the agent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import msgspec
import yaml
from msgspec import Struct

AGENT = "claude-code"
EVENT = "PreToolUse"


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tool call, or `times` of them with `{n}` counting from 1."""

    tool: str
    input: dict[str, Any]
    times: int = 1


class Story(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an agent did, and whose it was."""

    title: str
    user: str
    roles: tuple[str, ...]
    steps: tuple[Step, ...]


class Stories(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data file."""

    home: str
    project: str
    stories: tuple[Story, ...]


class Request(Struct, frozen=True, kw_only=True):
    """One hook request: its body, and what it is about."""

    call_id: str
    session_id: str
    tool: str
    body: bytes


def stories() -> Stories:
    """The shipped stories."""
    text = resources.files("gateway.cli").joinpath("demo.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), Stories)


def requests(told: Stories, number: int, run: str) -> Iterator[Request]:
    """The requests of a story, as Claude Code sends them. `run` makes the ids of one playing its own."""
    session = f"demo-{run}-{number}"
    count = 0
    for step in told.stories[number - 1].steps:
        for repetition in range(1, step.times + 1):
            count += 1
            names = {"{home}": told.home, "{project}": told.project, "{n}": str(repetition)}
            call_id = f"toolu_demo_{run}_{number}_{count}"
            body = {
                "session_id": session,
                "transcript_path": f"{told.home}/.claude/projects/{told.project.replace('/', '-')}/{session}.jsonl",
                "cwd": told.project,
                "prompt_id": f"{session}-prompt",
                "permission_mode": "default",
                "hook_event_name": EVENT,
                "tool_name": step.tool,
                "tool_input": _filled(step.input, names),
                "tool_use_id": call_id,
            }
            yield Request(call_id=call_id, session_id=session, tool=step.tool, body=msgspec.json.encode(body))


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace(name, text)
        return value
    if isinstance(value, dict):
        return {name: _filled(item, names) for name, item in value.items()}
    return value
