"""Operations in words: what a person reads in answers, tables and the live view."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.record_words import shortened, visible, would_do_of
from gateway.domain.events import HookEvent
from gateway.domain.operations import Analysis, Operation
from gateway.domain.record import Record, RecordedOperation, RecordedReason
from gateway.enforcement.words import operation_words, worst_of, would_do


@pytest.mark.parametrize(
    ("kind", "action", "identifier", "attr", "words"),
    [
        ("file", "read", "/p/a.py", {}, "read a.py"),
        ("file", "read", "/p/.env", {"groups": ["secrets"]}, "read .env, which holds secrets"),
        ("file", "write", "/x/a", {"in_project": False}, "write /x/a outside the project"),
        ("file", "delete", "/p/src/**", {}, "delete everything below src"),
        ("file", "list", "/p/**", {}, "list everything in the project"),
        ("file", "read", "/**", {"in_project": False}, "read everything below / outside the project"),
        ("host", "send", "evil.example", {}, "send data to evil.example"),
        ("credential", "read", "env", {}, "read the credential env"),
        ("git", "push", "origin", {}, "push git origin"),
        ("file", "read", "/p/\x1b[31m\u202e", {}, "read [31m"),
    ],
)
def test_an_operation_in_words(
    kind: str, action: str, identifier: str, attr: dict[str, Any], words: str
) -> None:
    assert operation_words(kind, action, identifier, attr, "/p") == words


def test_the_most_noteworthy_operation_speaks_for_a_call() -> None:
    operations = [
        ("command", "execute", {}),
        ("file", "read", {"in_project": True}),
        ("file", "write", {"in_project": True}),
        ("file", "write", {"in_project": False}),
        ("host", "send", {"groups": ["public"]}),
        ("file", "read", {"groups": ["secrets"]}),
    ]
    for count in range(1, len(operations) + 1):
        assert worst_of(operations[:count]) == count - 1
    assert worst_of([]) is None


def test_a_call_without_operations_is_its_command_or_tool() -> None:
    event = HookEvent(agent="a", event="PreToolUse", tool="Bash", tool_input={"command": "ls\n-la"})
    assert would_do(event, None) == "run `ls -la`"
    assert would_do(HookEvent(agent="a", event="PreToolUse", tool="Odd"), Analysis()) == "use Odd"
    assert would_do(HookEvent(agent="a", event="Stop"), None) == ""


def test_more_operations_are_counted() -> None:
    operations = tuple(Operation("file", "read", f"/p/{n}", {"in_project": True}) for n in range(3))
    event = HookEvent(agent="a", event="PreToolUse", tool="Read")
    assert would_do(event, Analysis(operations=operations, project_dir="/p")) == "read 0 (and 2 more)"


def test_what_a_call_was_stopped_for_is_named_before_what_else_it_would_do() -> None:
    operations = (
        RecordedOperation(kind="file", action="read", id="/p/.env", attr={"groups": ["secrets"]}),
        RecordedOperation(kind="host", action="connect", id="evil.example"),
    )
    reason = RecordedReason(
        decision="deny", kind="host", action="connect", resource="evil.example", rule="a.b"
    )
    record = Record(schema="s", type="call", decision_id="0", operations=operations, reasons=(reason,))
    assert would_do_of(record) == "contact evil.example (+1)"


@given(text=st.text(st.characters(exclude_categories=()), max_size=60), width=st.integers(0, 40))
def test_a_shortened_text_fits_and_a_shown_one_is_printable(text: str, width: int) -> None:
    assert len(shortened(text, width)) <= max(width, 0)
    assert visible(text).isprintable()
    assert visible("plain ü 日本") == "plain ü 日本"


def test_what_is_not_printable_is_shown_as_its_escape() -> None:
    assert visible("a\x1b[0m\u202e\n\U000e0001") == "a\\x1b[0m\\u202e\\n\\U000e0001"
