"""What the gateway recorded, read from the journal's lines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def records(data_dir: Path, project: Path | None = None) -> list[dict[str, Any]]:
    """Every record of a call, in the order it was written; of one project where the gateway served several."""
    files = sorted((data_dir / "audit").glob("*.gate.*/*.jsonl"), key=lambda file: file.stat().st_mtime_ns)
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    calls = [line for line in lines if line.get("type") in {"call", "repeat"}]
    return [line for line in calls if project is None or line["cwd"].startswith(str(project))]


def asked(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records of tool calls before they ran."""
    return [record for record in found if record["event"] == "PreToolUse"]


def of_call(
    found: Sequence[Mapping[str, Any]], call_id: str, event: str = "PreToolUse"
) -> list[Mapping[str, Any]]:
    """The records of one call's event."""
    return [record for record in found if record.get("call_id") == call_id and record.get("event") == event]
