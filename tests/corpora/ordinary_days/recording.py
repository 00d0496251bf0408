"""What was recorded: hook payloads of the real client, one session after the other.

A file is JSON lines. A session begins with a line of its headers and of its first payload's fields; every line of a call
holds the tool, its input, and which of the other fields differ from the call before (`null`: the field went away).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parent / "recordings"
_OWN = ("tool_name", "tool_input")


@dataclass(frozen=True)
class Recorded:
    """A session's name, the headers of its hooks, and the payloads in the order in which they came."""

    name: str
    headers: dict[str, str]
    payloads: tuple[dict[str, Any], ...]


def read_all() -> dict[str, list[Recorded]]:
    """Every recorded session, by ecosystem."""
    return {file.stem: [*read(file)] for file in sorted(RECORDINGS.glob("*.jsonl"))}


def read(file: Path) -> Iterator[Recorded]:
    """The sessions of a file."""
    session: dict[str, Any] | None = None
    payloads: list[dict[str, Any]] = []
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if "session" in row:
                if session is not None:
                    yield Recorded(session["session"], session["headers"], tuple(payloads))
                session, payloads = row, []
                fields: dict[str, Any] = {}
            else:
                fields = {**fields, **row.get("with", {})}
                fields = {name: value for name, value in fields.items() if value is not None}
                payloads.append({**fields, "tool_name": row["tool"], "tool_input": row["input"]})
    if session is not None:
        yield Recorded(session["session"], session["headers"], tuple(payloads))


def write(file: Path, sessions: Iterable[Recorded]) -> None:
    """Write sessions as a file; `read` gives them back."""
    with file.open("w", encoding="utf-8") as out:
        for session in sessions:
            _line(out, {"session": session.name, "headers": session.headers})
            before: dict[str, Any] = {}
            for payload in session.payloads:
                fields = {name: value for name, value in payload.items() if name not in _OWN}
                changed = {name: value for name, value in fields.items() if before.get(name) != value}
                changed |= {name: None for name in before if name not in fields}
                row = {"tool": payload["tool_name"], "input": payload["tool_input"]}
                _line(out, row | ({"with": changed} if changed else {}))
                before = fields


def _line(out: Any, row: dict[str, Any]) -> None:
    out.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
