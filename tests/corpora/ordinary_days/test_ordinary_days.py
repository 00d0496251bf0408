"""What enforcing the shipped packs would stop on ordinary days, as recorded with the real client."""

from __future__ import annotations

import os
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.corpora.ordinary_days.days import days
from tests.corpora.ordinary_days.enforcing import Halt, halts
from tests.corpora.ordinary_days.recording import Recorded, read, read_all, write

HALTED = Path(__file__).parent / "halted.yaml"
ECOSYSTEMS = ("c", "go", "jvm", "node", "python", "ruby", "rust", "terraform")
MOST_STOPS = 0.002
MOST_ASKS = 0.01


@cache
def recorded() -> dict[str, list[Recorded]]:
    return read_all()


@cache
def halted() -> tuple[Halt, ...]:
    return tuple(halts(session for sessions in recorded().values() for session in sessions))


def listed() -> dict[str, dict[str, Any]]:
    """The calls known to be halted, each with its reason."""
    rows = yaml.safe_load(HALTED.read_text(encoding="utf-8")) if HALTED.exists() else None
    return {row["call"]: row for row in rows or ()}


def calls() -> int:
    return sum(len(session.payloads) for sessions in recorded().values() for session in sessions)


def as_sent(command: str, home: str) -> str:
    """A command as the client passes it on: without a `cd` to where it already is, escaped characters written out."""
    return re.sub(r"\\u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), command.removeprefix(home))


def test_the_days_are_long_and_varied_enough_to_mean_something():
    payloads = [p for sessions in recorded().values() for session in sessions for p in session.payloads]
    commands = {p["tool_input"]["command"] for p in payloads if p["tool_name"] == "Bash"}
    assert sorted(recorded()) == list(ECOSYSTEMS)
    assert len(payloads) >= 3000
    assert len(commands) >= 1200
    assert len({p["tool_name"] for p in payloads}) >= 30
    assert {"acceptEdits", "bypassPermissions", "default", "plan"} <= {p["permission_mode"] for p in payloads}
    assert sum("agent_id" in p for p in payloads) >= 100
    assert sum("/.claude/worktrees/" in p["cwd"] for p in payloads) >= 20


@pytest.mark.parametrize("word", ["deny", "ask"])
def test_enforcing_halts_few_calls(word):
    found = sum(halt.answer == word for halt in halted())
    most = MOST_STOPS if word == "deny" else MOST_ASKS
    assert found <= most * calls(), f"{found} of {calls()} calls get {word}"


def test_every_halted_call_is_listed_with_its_reason():
    """`OSTIARY_WRITE_GOLDEN=1` writes the list anew; a reason for each new row is to be written by hand."""
    known = listed()
    if os.environ.get("OSTIARY_WRITE_GOLDEN"):
        rows = [{**halt._asdict(), "reason": known.get(halt.call, {}).get("reason", "")} for halt in halted()]
        HALTED.write_text(
            yaml.safe_dump(rows, sort_keys=False, width=110, allow_unicode=True), encoding="utf-8"
        )
        known = listed()
    found = {halt.call: halt for halt in halted()}
    new = [
        f"{halt.answer} by {halt.by}: {halt.what[:300]}" for call, halt in found.items() if call not in known
    ]
    assert not new, "halted, and not listed in halted.yaml:\n" + "\n".join(new)
    gone = [call for call in known if call not in found]
    assert not gone, f"no longer halted; take them out of halted.yaml: {gone}"
    other = [
        f"{call}: {halt.answer} by {halt.by}, listed as {known[call]['answer']} by {known[call]['by']}"
        for call, halt in found.items()
        if (halt.answer, halt.by) != (known[call]["answer"], known[call]["by"])
    ]
    assert not other, "halted otherwise than listed:\n" + "\n".join(other)
    assert [call for call, row in known.items() if len(row["reason"]) < 20] == []


def test_the_recordings_are_of_the_scripts():
    """A script that was changed is recorded anew: `python -m tests.corpora.ordinary_days`."""
    for day in days():
        sessions = {session.name: session for session in recorded()[day.name]}
        assert [*sessions] == [session.name for session in day.sessions]
        for session in day.sessions:
            wanted = Counter(call.tool for call in session.script.calls)
            assert Counter(p["tool_name"] for p in sessions[session.name].payloads) == wanted
            home = f"cd {day.project} && "
            commands = [c.input["command"] for c in session.script.calls if c.tool == "Bash"]
            found = [p["tool_input"] for p in sessions[session.name].payloads if p["tool_name"] == "Bash"]
            said = Counter(as_sent(given["command"], home) for given in found)
            assert said == Counter(as_sent(command, home) for command in commands)


def test_a_recording_is_read_as_it_was_written(tmp_path):
    sessions = recorded()["go"]
    write(tmp_path / "go.jsonl", sessions)
    assert [*read(tmp_path / "go.jsonl")] == sessions
