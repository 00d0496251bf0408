"""Texts at the top level of a body of which only the beginning is there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.agents.json_prefix import top_level_texts

NAMES = frozenset({"hook_event_name", "tool_use_id"})
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(NAMES)) | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from(sorted(NAMES)) | st.text(max_size=4), values, max_size=6)


@given(value=objects, indent=st.sampled_from([None, 2]))
def test_a_whole_body_tells_the_texts_a_decoder_tells(value: dict[str, Any], indent: int | None) -> None:
    told = top_level_texts(json.dumps(value, indent=indent).encode(), NAMES)
    assert told == {name: value[name] for name in NAMES & value.keys() if isinstance(value[name], str)}


@given(value=objects, at=st.integers(0, 200))
def test_a_beginning_tells_nothing_that_the_whole_does_not(value: dict[str, Any], at: int) -> None:
    text = json.dumps(value).encode()
    whole = top_level_texts(text, NAMES)
    assert top_level_texts(text[:at], NAMES).items() <= whole.items()


@given(st.binary(max_size=80))
def test_any_bytes_are_taken(data: bytes) -> None:
    assert isinstance(top_level_texts(data, NAMES), dict)


@pytest.mark.parametrize(
    "text",
    [
        b'{"content": "\\"hook_event_name\\": \\"Stop\\"", "hook_event_name": "PreToolUse", "x": "',
        b'{"tool_input": {"hook_event_name": "Stop"}, "hook_event_name": "PreToolUse", "x": [',
        b'  {"a": [{"hook_event_name": "Stop"}], "hook_event_name":"PreToolUse"',
    ],
)
def test_a_name_in_a_value_is_not_taken_for_the_field(text: bytes) -> None:
    assert top_level_texts(text, NAMES) == {"hook_event_name": "PreToolUse"}


def test_a_field_that_stands_twice_is_left_out() -> None:
    text = b'{"hook_event_name": "Stop", "tool_use_id": "a", "hook_event_name": "PreToolUse"}'
    assert top_level_texts(text, NAMES) == {"tool_use_id": "a"}
