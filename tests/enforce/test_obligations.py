"""Outputs of rules: read exactly, translated field by field, and never looser than their author meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.enforcement.obligations import ObligationError, parse_obligation, printable

INNER = "hookSpecificOutput"


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({INNER: {"permissionDecision": "deny"}}, "deny"),
        ({INNER: {"permissionDecision": "defer"}}, "deny"),
        ({INNER: {"permissionDecision": "ask"}}, "ask"),
        ({INNER: {"permissionDecision": "allow"}}, "skip_prompt"),
        ({INNER: {"hookEventName": "PermissionRequest", "decision": {"behavior": "deny"}}}, "deny"),
        ({INNER: {"hookEventName": "PermissionRequest", "decision": {"behavior": "allow"}}}, "skip_prompt"),
        ({"decision": "block"}, "deny"),
        ({"decision": "approve"}, "skip_prompt"),
        ({"decision": "approve", INNER: {"permissionDecision": "ask"}}, "ask"),
        ({"continue": False}, "deny"),
        ({"continue": True}, "none"),
        ({"systemMessage": "hello"}, "none"),
    ],
)
def test_every_decision_of_a_hook_body_has_its_word(body, word):
    assert parse_obligation(body).word == word


def test_the_texts_of_a_hook_body_go_where_they_belong():
    body = {
        INNER: {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": "not here",
            "additionalContext": "use staging",
        },
        "reason": "lesser",
        "systemMessage": "ask #platform",
    }
    found = parse_obligation(body)
    assert (found.reason, found.context, found.notice) == ("not here", "use staging", "ask #platform")
    assert found.untranslated == ()


def test_what_has_no_place_in_our_answers_is_named():
    body = {
        "suppressOutput": True,
        INNER: {"permissionDecision": "ask", "updatedToolOutput": "x", "decision": {"interrupt": True}},
    }
    assert parse_obligation(body).untranslated == (
        "suppressOutput",
        "hookSpecificOutput.updatedToolOutput",
        "hookSpecificOutput.decision.interrupt",
    )


@pytest.mark.parametrize("name", ["updatedInput", "updatedPermissions"])
@pytest.mark.parametrize("word", ["allow", "ask", None])
def test_a_call_that_is_allowed_only_as_rewritten_is_not_allowed_as_it_stands(name, word):
    inner = {name: {"command": "ls"}, **({"permissionDecision": word} if word else {})}
    with pytest.raises(ObligationError, match=name):
        parse_obligation({INNER: inner})


def test_a_rewrite_beside_a_denial_is_only_named():
    body = {INNER: {"permissionDecision": "deny", "updatedInput": {"command": "ls"}}}
    found = parse_obligation(body)
    assert (found.word, found.untranslated) == ("deny", ("hookSpecificOutput.updatedInput",))


@pytest.mark.parametrize(
    "value",
    [
        {INNER: []},
        {INNER: {"decision": "deny"}},
        {INNER: {"permissionDecision": 1}},
        {INNER: {"permissionDecision": ["deny"]}},
        {INNER: {"permissionDecisionReason": 7}},
        {"decision": ["ask"]},
        {"decision": {}},
        {"decision": "deny"},
        {"systemMessage": 3},
        {"reason": "x", "colour": "red"},
    ],
)
def test_what_cannot_be_read_is_an_error_and_never_nothing(value):
    with pytest.raises(ObligationError):
        parse_obligation(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "decision",
        "reason",
        "context",
        INNER,
        "permissionDecision",
        "continue",
        "systemMessage",
        "updatedInput",
    ]
)


@given(st.dictionaries(FIELDS, JSON | st.dictionaries(FIELDS, JSON, max_size=4), max_size=5) | JSON)
def test_any_value_is_an_obligation_or_an_obligation_error(value):
    try:
        found = parse_obligation(value)
    except ObligationError:
        return
    for text in (found.reason, found.context, found.notice, *found.untranslated):
        assert text == printable(text)


@given(st.text(max_size=3000))
def test_printable_text_is_one_line_without_control_or_direction_changing_characters(text):
    shown = printable(text)
    assert shown.isprintable() or not shown
    assert len(shown) <= 1000
    assert printable(shown) == shown
