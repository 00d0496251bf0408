"""Recorded requests, mutated: no answer but `{}` in observe, no failure of ours, and no accidental allow in enforce.

A mutated call is measured against what it says itself: where its input is still of the tool's shape, a guarded path in it
is stopped; where the shape is broken, the call is denied. The engine, packs and adapter are the real ones.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.modes import ModeRule
from gateway.domain.vocabulary import GUARD_EVENTS
from gateway.errors import PayloadError
from tests.support.enforcement import ADAPTER, Pep, person
from tests.support.payloads import PROJECT, recorded

RECORDED = recorded()
GUARDED = {name: payload for name, payload in RECORDED.items() if payload["hook_event_name"] in GUARD_EVENTS}
PATH_FIELDS = {
    "Read": "file_path",
    "Write": "file_path",
    "Edit": "file_path",
    "NotebookEdit": "notebook_path",
}
WITH_PATH = sorted(name for name, payload in GUARDED.items() if payload.get("tool_name") in PATH_FIELDS)
STOPPED = (
    f"{PROJECT}/.env",
    "/etc/passwd",
    "/home/dev/.ssh/id_rsa",
    f"{PROJECT}/x/../.env",
    "~/.aws/credentials",
)

SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
JSON = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KNOWN_NAMES = [
    "tool_name",
    "tool_input",
    "tool_use_id",
    "session_id",
    "cwd",
    "transcript_path",
    "permission_mode",
    "agent_id",
    "mcp_server",
    "effort",
    "groups",
    "rules_off",
    "project_dir",
    "colour",
]
NAMES = st.sampled_from(KNOWN_NAMES) | st.text(max_size=8)


@st.composite
def mutated(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    """A recorded payload with fields removed, replaced and added, at the top and in its input."""
    payload: dict[str, Any] = copy.deepcopy(RECORDED[draw(st.sampled_from(names))])
    for _ in range(draw(st.integers(1, 4))):
        inner = payload.get("tool_input")
        at = inner if isinstance(inner, dict) and draw(st.booleans()) else payload
        keys = [key for key in at if key != "hook_event_name"]
        change = draw(st.sampled_from(["remove", "replace", "add"]))
        if change == "add" or not keys:
            name = draw(NAMES)
            if name != "hook_event_name":
                at[name] = draw(JSON)
        elif change == "remove":
            del at[draw(st.sampled_from(keys))]
        else:
            at[draw(st.sampled_from(keys))] = draw(JSON)
    return payload


def reply(pep: Pep, payload: dict[str, Any], **headers: str) -> Any:
    """The reply's body; raises only PayloadError, as the adapter may. The record can be written as well."""
    answered = pep.ask(json.dumps(payload).encode(), headers=headers)
    assert msgspec.json.encode(answered.record)
    return json.loads(ADAPTER.encode(answered.event, answered.answer))


def stopped(payload: dict[str, Any], body: Any) -> bool:
    inner = body.get("hookSpecificOutput", {})
    if payload["hook_event_name"] == "PreToolUse":
        return inner.get("permissionDecision") in {"deny", "ask"}
    return inner.get("decision", {}).get("behavior") == "deny"


@settings(max_examples=150)
@given(mutated(sorted(RECORDED)))
def test_in_observe_a_mutated_request_is_answered_with_nothing(payload):
    try:
        assert reply(Pep(mode="observe"), payload) == {}
    except PayloadError:
        pytest.fail("a JSON object that names its event must be understood")


@settings(max_examples=150)
@given(mutated(sorted(RECORDED)))
def test_in_enforce_a_mutated_request_is_answered_with_a_complete_body(payload):
    body = reply(Pep(), payload)
    if "hookSpecificOutput" in body:
        assert body["hookSpecificOutput"]["hookEventName"] == payload["hook_event_name"]
    assert set(body) <= {"hookSpecificOutput", "systemMessage", "decision", "reason"}


@settings(max_examples=150)
@given(mutated(WITH_PATH), st.sampled_from(STOPPED))
def test_a_guarded_path_in_a_mutated_call_is_never_let_through(payload, path):
    field = (
        PATH_FIELDS.get(payload.get("tool_name", "")) if isinstance(payload.get("tool_name"), str) else None
    )
    inner = payload.get("tool_input")
    if field is None or not isinstance(inner, dict) or field not in inner:
        return
    inner[field] = path
    assert stopped(payload, reply(Pep(), payload))


@settings(max_examples=150)
@given(st.sampled_from(WITH_PATH), JSON)
def test_an_operation_bearing_field_of_another_type_is_denied(name, value):
    payload = copy.deepcopy(GUARDED[name])
    field = PATH_FIELDS[payload["tool_name"]]
    if isinstance(value, str):
        del payload["tool_input"][field]
    else:
        payload["tool_input"][field] = value
    answered = Pep().ask(json.dumps(payload).encode())
    assert (answered.answer.word, answered.record.cause) == ("deny", "payload_invalid")


@settings(max_examples=150)
@given(st.sampled_from(sorted(GUARDED)), JSON)
def test_an_input_that_is_no_object_is_denied(name, value):
    if isinstance(value, dict):
        return
    answered = Pep().ask(json.dumps({**GUARDED[name], "tool_input": value}).encode())
    assert (answered.answer.word, answered.record.cause) == ("deny", "payload_invalid")


@settings(max_examples=50)
@given(mutated(sorted(GUARDED)))
def test_what_one_role_is_refused_a_looser_role_beside_it_does_not_open(payload):
    words = [
        Pep().ask(json.dumps(payload).encode(), person("x", *roles)).answer.word
        for roles in (
            ("marketing",),
            ("engineer", "marketing"),
            ("marketing", "engineer"),
        )
    ]
    assert words[1] == words[2]
    assert ["pass", "allow", "ask", "deny"].index(words[1]) >= ["pass", "allow", "ask", "deny"].index(
        words[0]
    )


@settings(max_examples=100)
@given(st.binary(max_size=200) | mutated(sorted(RECORDED)).map(lambda p: json.dumps(p).encode()[:-1]))
def test_bytes_that_are_no_event_are_a_payload_error_and_nothing_else(body):
    with pytest.raises(PayloadError):
        Pep().ask(body)


def test_every_recorded_request_is_answered_with_nothing_in_observe_and_decodes():
    pep = Pep(mode="observe", modes=(ModeRule(mode="observe", role="x"),))
    assert len(RECORDED) == 113
    for payload in RECORDED.values():
        assert reply(pep, payload) == {}
