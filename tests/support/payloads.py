"""The recorded requests of the real client, and calls made in their image."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "claude-code"
PROJECT = "/home/dev/project"
_numbers = itertools.count(1)


def recorded() -> dict[str, dict[str, Any]]:
    """Every recorded payload by the name of its file."""
    files = sorted(FIXTURES.glob("*.json"))
    return {file.stem: json.loads(file.read_text())["payload"] for file in files}


def pre_tool_use(tool: str, tool_input: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A PreToolUse payload as the client sends it, with an id of its own."""
    payload = {
        "session_id": "54a6d5df-7fc1-4472-9ef8-dba012f3d1d0",
        "transcript_path": "/home/dev/.claude/projects/-home-dev-project/54a6d5df.jsonl",
        "cwd": PROJECT,
        "prompt_id": "806d215b-3691-42c9-8fc5-33b1671cf973",
        "permission_mode": "default",
        "effort": {"level": "medium"},
        "hook_event_name": "PreToolUse",
        "tool_name": tool,
        "tool_input": tool_input,
        "tool_use_id": f"toolu_{next(_numbers):06d}",
    }
    return {**payload, **fields}
