"""Replies: complete and valid for every event and every answer, and never looser than what was meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.agents.claude_code import ClaudeCodeAdapter, protocol_data
from gateway.domain.decision import PASS, Answer
from gateway.domain.events import HookEvent
from gateway.domain.vocabulary import ANSWERS, HOOK_EVENTS, AnswerWord
from tests.agents.protocol import problems

GOLDEN = Path(__file__).parent / "golden" / "replies.yaml"
adapter = ClaudeCodeAdapter(protocol_data())
STOPPABLE = tuple(protocol_data().events)


def event_named(name: str) -> HookEvent:
    """An event as the adapter decodes it."""
    tool = {"tool_name": "Bash", "tool_input": {"command": "ls"}}
    return adapter.decode(json.dumps({"hook_event_name": name, **tool}).encode(), {})


def answer(word: AnswerWord) -> Answer:
    """An answer with all its texts, as far as its word has them."""
    texts = {} if word == "pass" else {"model_text": "to the model", "person_text": "to the person"}
    return Answer(word=word, context="to know", **texts)


def test_the_reply_to_every_event_and_answer_is_the_one_in_the_golden_file() -> None:
    found = {
        name: {word: json.loads(adapter.encode(event_named(name), answer(word))) for word in ANSWERS}
        for name in (*HOOK_EVENTS, "NewEvent")
    }
    assert found == yaml.safe_load(GOLDEN.read_text())


@pytest.mark.parametrize("name", [*HOOK_EVENTS, "NewEvent"])
def test_no_objection_is_an_empty_object(name: str) -> None:
    assert adapter.encode(event_named(name), PASS) == b"{}"


@pytest.mark.parametrize("name", STOPPABLE)
def test_a_denial_is_never_lost(name: str) -> None:
    body = adapter.encode(event_named(name), answer("deny")).decode()
    assert '"deny"' in body or '"block"' in body


def test_a_prompt_is_asked_for_where_none_is_shown_yet_and_left_alone_where_one_is() -> None:
    asked = json.loads(adapter.encode(event_named("PreToolUse"), answer("ask")))
    assert asked["hookSpecificOutput"]["permissionDecision"] == "ask"
    assert adapter.encode(event_named("PermissionRequest"), answer("ask")) == b"{}"


def test_a_permission_prompt_is_never_answered_with_consent() -> None:
    assert adapter.encode(event_named("PermissionRequest"), answer("allow")) == b"{}"


@pytest.mark.parametrize("name", ["SessionStart", "Setup"])
def test_a_session_that_starts_shows_the_person_a_notice(name: str) -> None:
    reply = json.loads(adapter.encode(event_named(name), Answer(person_text="You are watched.")))
    assert reply == {"systemMessage": "You are watched."}


texts = st.text(max_size=40) | st.text(alphabet='aé€😀\x00\ud800"\\', min_size=900, max_size=3000)


@given(
    name=st.sampled_from((*HOOK_EVENTS, "NewEvent", "")),
    word=st.sampled_from(ANSWERS),
    model=texts,
    person=texts,
    context=texts,
    known=st.booleans(),
)
@settings(max_examples=400)
def test_every_answer_becomes_a_reply_that_the_client_takes_as_meant(
    name: str, word: AnswerWord, model: str, person: str, context: str, known: bool
) -> None:
    event = event_named(name) if known and name else HookEvent(agent="claude-code", event=name)
    given_answer = Answer(word=word, model_text=model, person_text=person, context=context)

    body = adapter.encode(event, given_answer)

    assert problems(name, body) == []
    assert "async" not in json.loads(body)
    stops = any(stop in json.loads(body).get(field, {}) for field, stop in _STOPS) or b'"block"' in body
    if word == "deny" and name in STOPPABLE:
        assert stops
    assert b'"permissionDecision":"allow"' not in body or word == "allow"


_STOPS = (("hookSpecificOutput", "permissionDecision"), ("hookSpecificOutput", "decision"))
