"""Synthetic marks: only the data directory's owner can make one, for one call and one minute."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.assurance.synthetic import HEADER, SECONDS, Call, Marks, identified_by
from gateway.cli.gateway_api import QUERY_SOCKET, ask_socket
from gateway.clock import now
from gateway.domain.events import HookEvent
from gateway.processes.instance import attach_instance
from tests.support.payloads import pre_tool_use
from tests.support.processes import GatewayProcess, wait_until

EVENT = HookEvent(agent="claude-code", event="PreToolUse", session_id="s", call_id="c", tool="Read")
CALL = Call("PreToolUse", "s", "c", "Read")
KEY = b"k" * 32


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000_000

    def __call__(self) -> int:
        return self.seconds * 1_000_000_000


def test_a_mark_is_read_back_with_whom_it_names() -> None:
    marks = Marks(KEY, Clock())
    mark = marks.read(marks.make(CALL, "milo", ("marketing",)), EVENT)
    assert mark is not None
    identified = identified_by(mark)
    assert identified is not None
    assert identified.principal.id == "milo"
    assert identified.principal.roles == ("marketing",)
    assert identified.principal.key == ("synthetic", "", "milo")
    unnamed = marks.read(marks.make(CALL), EVENT)
    assert unnamed is not None
    assert identified_by(unnamed) is None


@pytest.mark.parametrize(
    "call",
    [
        Call("PostToolUse", "s", "c", "Read"),
        Call("PreToolUse", "t", "c", "Read"),
        Call("PreToolUse", "s", "d", "Read"),
        Call("PreToolUse", "s", "c", "Bash"),
    ],
)
def test_a_mark_holds_for_no_other_call(call: Call) -> None:
    marks = Marks(KEY, Clock())
    assert marks.read(marks.make(call), EVENT) is None


def test_a_mark_holds_for_a_minute() -> None:
    clock = Clock()
    marks = Marks(KEY, clock)
    mark = marks.make(CALL)
    clock.seconds += SECONDS
    assert marks.read(mark, EVENT) is not None
    clock.seconds += 1
    assert marks.read(mark, EVENT) is None
    clock.seconds -= 3 * SECONDS
    assert marks.read(mark, EVENT) is None


def test_another_key_makes_no_mark_for_us() -> None:
    assert Marks(KEY, Clock()).read(Marks(b"j" * 32, Clock()).make(CALL), EVENT) is None


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_changed_mark_is_read(data: st.DataObject) -> None:
    marks = Marks(KEY, Clock())
    mark = marks.make(CALL, "dana", ("engineer",))
    at = data.draw(st.integers(0, len(mark) - 1))
    letter = data.draw(
        st.characters(min_codepoint=1, max_codepoint=255).filter(lambda char: char != mark[at])
    )
    assert marks.read(mark[:at] + letter + mark[at + 1 :], EVENT) is None


@settings(max_examples=100, deadline=None)
@given(value=st.text(max_size=200))
def test_no_text_is_mistaken_for_a_mark(value: str) -> None:
    assert Marks(KEY, Clock()).read(value, EVENT) is None


def test_only_a_proven_mark_keeps_a_call_out_of_searches(gateway: GatewayProcess) -> None:
    wait_until((gateway.data_dir / QUERY_SOCKET).exists, "the clerk")
    marks = Marks(attach_instance(gateway.data_dir).key, now)

    def post(call_id: str, mark: str) -> None:
        payload = pre_tool_use("Read", {"file_path": "/home/dev/project/x"}, tool_use_id=call_id)
        request = urllib.request.Request(gateway.hooks_url, json.dumps(payload).encode(), {HEADER: mark})
        with urllib.request.urlopen(request, timeout=10) as reply:
            assert reply.read() == b"{}"

    session = str(pre_tool_use("Read", {})["session_id"])
    good = marks.make(Call("PreToolUse", session, "made", "Read"), "milo", ("marketing",))
    post("made", good)
    post("replayed", good)
    post("guessed", "1")
    post("forged", Marks(b"0" * 32, now).make(Call("PreToolUse", session, "forged", "Read")))
    found = ask_socket(gateway.data_dir, QUERY_SOCKET, "/v1/records", {"type": "call"}).body["rows"]
    assert {row["record"]["call_id"] for row in found} == {"replayed", "guessed", "forged"}
    assert {row["record"]["principal"]["id"] for row in found} == {"local"}
    found = ask_socket(
        gateway.data_dir, QUERY_SOCKET, "/v1/records", {"id": "made", "synthetic": "true"}
    ).body["rows"]
    assert found[0]["record"]["principal"]["roles"] == ["marketing"]


def test_the_key_of_marks_is_its_owners_alone(gateway: GatewayProcess) -> None:
    key: Path = gateway.data_dir / "redaction.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert gateway.data_dir.stat().st_mode & 0o777 == 0o700
