"""Recorded requests of the real client as events: every field where it belongs, and no body that breaks the decoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from adapters.agents.claude_code import ClaudeCodeAdapter, protocol_data
from gateway.domain.vocabulary import HOOK_EVENTS
from gateway.errors import PayloadError
from tests.support.payloads import pre_tool_use, recorded

GOLDEN = Path(__file__).parent / "golden" / "events.yaml"
RECORDED = recorded()
HEADERS = {
    "x-ostiary-project-dir": "/home/dev/project",
    "x-ostiary-home": "/home/dev",
    "x-ostiary-shell": "/bin/zsh",
}
adapter = ClaudeCodeAdapter(protocol_data())
GUARDED = ("PreToolUse", "PermissionRequest")


def decoded(payload: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The event of a payload as plain values; the payload itself and what only repeats it are left out."""
    event = structs.asdict(adapter.decode(json.dumps(payload).encode(), headers or {}))
    for name in ("payload", "tool_input", "size"):
        del event[name]
    for name in ("subagent", "mcp_server", "claims"):
        event[name] = _filled(structs.asdict(event[name])) if event[name] is not None else None
    return _filled(event)


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None, {}, False)}


def test_all_recorded_requests_decode_as_the_golden_file_says() -> None:
    assert len(RECORDED) == 113
    found = {name: decoded(payload) for name, payload in RECORDED.items()}
    assert found == yaml.safe_load(GOLDEN.read_text())


def test_the_recorded_requests_cover_the_events_a_hook_can_get() -> None:
    seen = {payload["hook_event_name"] for payload in RECORDED.values()}
    assert set(HOOK_EVENTS) - seen == {"StopFailure", "TeammateIdle"}


@pytest.mark.parametrize("name", RECORDED)
def test_what_a_recorded_request_says_is_kept_whole(name: str) -> None:
    payload = RECORDED[name]
    event = adapter.decode(json.dumps(payload).encode(), HEADERS)
    assert event.payload == payload
    assert event.problem == ""
    assert event.claims.project_dir == "/home/dev/project"
    assert (event.claims.home, event.claims.shell) == ("/home/dev", "/bin/zsh")


def test_an_unset_variable_in_a_header_claims_nothing() -> None:
    headers = {"x-ostiary-project-dir": "$PWD", "x-ostiary-home": "", "x-ostiary-shell": " "}
    claims = adapter.decode(json.dumps(pre_tool_use("Read", {"file_path": "/x"})).encode(), headers).claims
    assert structs.asdict(claims) == {"project_dir": "", "home": "", "shell": "", "os": ""}


@pytest.mark.parametrize("event", ["PreToolUse", "PermissionRequest", "PostToolUse", "Stop", "NewEvent"])
def test_unknown_fields_are_kept_for_policies_and_change_nothing_else(event: str) -> None:
    payload = {
        **pre_tool_use("Read", {"file_path": "/x", "extra": 1}),
        "hook_event_name": event,
        "new": {"a": [1]},
    }
    found = adapter.decode(json.dumps(payload).encode(), {})
    assert found.problem == ""
    assert found.payload["new"] == {"a": [1]}
    assert found.event == event


@pytest.mark.parametrize("event", GUARDED)
@pytest.mark.parametrize("tool", protocol_data().tools)
def test_a_known_tool_without_what_it_acts_on_has_an_unknown_shape(event: str, tool: str) -> None:
    needed = protocol_data().tools[tool]
    whole = {name: {"text": "x", "list": [], "map": {}}[kind] for name, kind in needed.items()}
    whole |= dict.fromkeys(protocol_data().either.get(tool, ())[:1], "x")
    assert problem(event, tool, whole) == ""
    for name in needed:
        for wrong in (None, 1, ["x"], {"x": "x"}):
            assert name in problem(event, tool, {**whole, name: wrong})
        assert name in problem(event, tool, {other: whole[other] for other in whole if other != name})


@pytest.mark.parametrize("event", GUARDED)
@pytest.mark.parametrize("tool", protocol_data().optional)
def test_a_field_that_bears_an_operation_and_has_another_type_is_an_unknown_shape(
    event: str, tool: str
) -> None:
    data = protocol_data()
    whole = dict.fromkeys([*data.tools[tool], *data.either.get(tool, ())[:1]], "x")
    for name in data.optional[tool]:
        assert name in problem(event, tool, {**whole, name: 5})
        if name not in whole:
            assert problem(event, tool, {**whole, name: None}) == ""


@pytest.mark.parametrize("event", GUARDED)
@pytest.mark.parametrize("tool", protocol_data().either)
def test_a_tool_that_needs_one_of_several_fields_has_an_unknown_shape_without_all(
    event: str, tool: str
) -> None:
    either = protocol_data().either[tool]
    assert all(name in problem(event, tool, {"description": "d"}) for name in either)
    assert problem(event, tool, {either[-1]: {"url": "wss://example.org"}}) == ""


@pytest.mark.parametrize("field", ["session_id", "tool_use_id", "cwd", "transcript_path"])
def test_an_identifier_of_another_type_is_an_unknown_shape(field: str) -> None:
    payload = {**pre_tool_use("Read", {"file_path": "/x"}), field: ["x"]}
    assert field in adapter.decode(json.dumps(payload).encode(), {}).problem


@pytest.mark.parametrize(
    "wrong", [{"tool_name": 5}, {"tool_name": ""}, {"tool_input": []}, {"tool_input": None}]
)
def test_a_tool_event_without_tool_or_input_is_an_unknown_shape(wrong: dict[str, Any]) -> None:
    payload = {**pre_tool_use("Frobnicate", {}), **wrong}
    assert adapter.decode(json.dumps(payload).encode(), {}).problem != ""


def test_an_unknown_tool_has_no_shape_to_miss() -> None:
    assert problem("PreToolUse", "Frobnicate", {"anything": [1]}) == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"PreToolUse"',
        b"{}",
        b'{"hook_event_name": 5}',
        b'{"hook_event_name": ""}',
        b"\xff\xfe{}",
        b'{"hook_event_name": "PreToolUse", "x": ' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"hook_event_name": "PreToolUse", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=range(11),
)
def test_a_body_that_is_no_event_is_refused_with_a_remedy(body: bytes) -> None:
    with pytest.raises(PayloadError) as refused:
        adapter.decode(body, {})
    assert refused.value.remedy


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A recorded request with a few of its fields, or those of its input, replaced, dropped or added."""
    payload = dict(RECORDED[draw(st.sampled_from(sorted(RECORDED)))])
    if isinstance(payload.get("tool_input"), dict):
        payload["tool_input"] = dict(payload["tool_input"])
    for _ in range(draw(st.integers(1, 3))):
        inner = payload.get("tool_input")
        target = inner if isinstance(inner, dict) and inner and draw(st.booleans()) else payload
        name = draw(st.sampled_from(sorted(target)) | st.text(max_size=6))
        if draw(st.booleans()):
            target[name] = draw(json_values)
        else:
            target.pop(name, None)
    return payload


@given(payload=mutated())
@settings(max_examples=300)
def test_a_mutated_request_becomes_an_event_or_is_refused(payload: dict[str, Any]) -> None:
    body = json.dumps(payload).encode()
    try:
        event = adapter.decode(body, {})
    except PayloadError:
        assert not isinstance(payload.get("hook_event_name"), str) or not payload["hook_event_name"]
        return
    assert event.payload == payload
    if event.event in GUARDED and not isinstance(payload.get("tool_input"), dict):
        assert event.problem


@given(body=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_become_an_event_or_are_refused(body: bytes) -> None:
    try:
        event = adapter.decode(body, {})
    except PayloadError:
        return
    assert event.event


def problem(event: str, tool: str, tool_input: dict[str, Any]) -> str:
    """What the adapter finds wrong with a call's shape."""
    payload = pre_tool_use(tool, tool_input, hook_event_name=event)
    return adapter.decode(json.dumps(payload).encode(), {}).problem
