"""Two spellings of one call compare equal; two calls that differ in anything that matters do not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.agents.claude_code import ClaudeCodeAdapter, protocol_data
from tests.support.payloads import pre_tool_use

adapter = ClaudeCodeAdapter(protocol_data())
PROJECT = "/home/dev/project"

RESPELT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("Read", {"file_path": "a.txt"}, {"file_path": f"{PROJECT}/a.txt"}),
    ("Read", {"file_path": "./b/../a.txt", "limit": "5"}, {"file_path": f"{PROJECT}/a.txt", "limit": 5}),
    ("Read", {"file_path": "~/a.txt"}, {"file_path": "/home/dev/a.txt"}),
    ("Read", {"file_path": "/x//y/./z"}, {"file_path": "/x/y/z"}),
    (
        "Edit",
        {"file_path": "a", "old_string": "x", "new_string": "y"},
        {"file_path": f"{PROJECT}/a", "old_string": "x", "new_string": "y", "replace_all": False},
    ),
    (
        "Edit",
        {"file_path": "a", "old_string": "x", "new_string": "y", "replace_all": "true"},
        {"file_path": "a", "old_string": "x", "new_string": "y", "replace_all": True},
    ),
    ("NotebookEdit", {"notebook_path": "n.ipynb"}, {"notebook_path": f"{PROJECT}/n.ipynb"}),
    ("Grep", {"pattern": "x", "-n": "true"}, {"pattern": "x", "-n": True}),
    ("ToolSearch", {"query": "x"}, {"query": "x", "max_results": 5}),
    ("Monitor", {"command": "x", "persistent": False}, {"command": "x"}),
    (
        "SendMessage",
        {"to": "a", "message": "m"},
        {
            "to": "a",
            "message": "m",
            "type": "message",
            "recipient": "a",
            "recipient_kind": "name",
            "content": "m",
        },
    ),
    ("AskUserQuestion", {"questions": []}, {"questions": [], "answers": {"q": "a"}, "annotations": {}}),
]
"""As measured: what the model wrote, and what the client made of it."""

OTHERS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("Bash", {"command": "echo ok"}, {"command": "rm -rf /"}),
    ("Bash", {"command": "a/../b"}, {"command": "b"}),
    ("Read", {"file_path": "a.txt"}, {"file_path": "b.txt"}),
    ("Read", {"file_path": "a", "limit": 5}, {"file_path": "a", "limit": 6}),
    ("Edit", {"file_path": "a", "replace_all": False}, {"file_path": "a", "replace_all": True}),
    ("Write", {"file_path": "a", "content": "false"}, {"file_path": "a", "content": "x"}),
    ("Write", {"file_path": "a", "content": "false"}, {"file_path": "a"}),
    ("ToolSearch", {"query": "x"}, {"query": "x", "max_results": 6}),
    ("SendMessage", {"to": "a", "message": "m"}, {"to": "a", "message": "n"}),
    ("mcp__s__t", {"file_path": "a"}, {"file_path": f"{PROJECT}/a"}),
    ("mcp__s__t", {"n": "5"}, {"n": 5}),
]


def compared(tool: str, tool_input: dict[str, Any]) -> Any:
    """What an event is compared by."""
    return adapter.decode(json.dumps(pre_tool_use(tool, tool_input)).encode(), {}).comparable_input


@pytest.mark.parametrize(("tool", "one", "other"), RESPELT)
def test_what_the_client_respells_is_the_same_call(
    tool: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert compared(tool, one) == compared(tool, other)


@pytest.mark.parametrize(("tool", "one", "other"), OTHERS)
def test_another_input_is_another_call(tool: str, one: dict[str, Any], other: dict[str, Any]) -> None:
    assert compared(tool, one) != compared(tool, other)


@given(st.lists(st.sampled_from(["a", "b", ".", "..", ""]), max_size=6).map("/".join).filter(bool))
def test_a_path_and_its_resolved_form_are_the_same_call(path: str) -> None:
    once = compared("Read", {"file_path": path})
    assert compared("Read", once) == once
    assert once["file_path"].startswith("/")
