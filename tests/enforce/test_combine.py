"""The combination of answers: the strictest wins, and an error is never an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.check import (
    ALLOW,
    DENY,
    NO_MATCH,
    AbsorbedError,
    ActionDecision,
    Check,
    CheckAnswer,
    CheckRequest,
    Output,
    Resource,
    ResourceDecision,
)
from gateway.domain.operations import Operation
from gateway.domain.principal import ANONYMOUS
from gateway.enforcement.checks import Asked, Question
from gateway.enforcement.combine import combine

POLICY = "resource.file.vdefault"


def asked(name: str, layer: str = "", operation: Operation | None = None) -> Asked:
    return Asked(
        Check(Resource("file", name, scope=layer), ("read",)),
        layer,
        operation or Operation("file", "read", name),
    )


def said(
    name: str, effect: str, *outputs: Output, policy: str = POLICY, absorbed: tuple = ()
) -> ResourceDecision:
    return ResourceDecision(
        kind="file",
        id=name,
        actions={"read": ActionDecision(effect, policy)},
        outputs=outputs,
        absorbed=absorbed,
    )


def output(rule: str, value: object, error: str = "") -> Output:
    return Output(src=f"{POLICY}#{rule}", val=value, action="read", error=error)


def result_of(*pairs: tuple[Asked, ResourceDecision]):
    question = Question(
        request=CheckRequest(principal=ANONYMOUS, checks=tuple(pair[0].check for pair in pairs)),
        asked=tuple(pair[0] for pair in pairs),
    )
    return combine(question, CheckAnswer(results=tuple(pair[1] for pair in pairs)))


ASK = {"decision": "ask", "reason": "a person decides"}


def test_one_denial_outweighs_every_allowance_and_ask():
    combined = result_of(
        (asked("/a"), said("/a", ALLOW)),
        (asked("/b"), said("/b", ALLOW, output("p.ask", ASK))),
        (asked("/c"), said("/c", DENY, output("p.no", "never"))),
    )
    assert combined.decision.word == "deny"
    assert [(reason.rule, reason.text) for reason in combined.decision.reasons] == [("p.no", "never")]


def test_an_ask_outweighs_every_allowance():
    combined = result_of(
        (asked("/a"), said("/a", ALLOW)), (asked("/b"), said("/b", ALLOW, output("p.ask", ASK)))
    )
    assert combined.decision.word == "ask"
    assert combined.decision.reasons[0].text == "a person decides"


def test_nothing_matched_is_no_policy_and_names_what_is_unmatched():
    operation = Operation("file", "read", "/a")
    combined = result_of((asked("/a", operation=operation), said("/a", DENY, policy=NO_MATCH)))
    assert combined.decision.word == "no_policy"
    assert combined.unmatched == (operation,)


def test_a_default_deny_of_a_policy_that_exists_is_a_denial():
    assert result_of((asked("/a"), said("/a", DENY))).decision.word == "deny"


def test_no_match_in_a_layer_is_no_opinion_about_the_operation():
    operation = Operation("file", "read", "/a")
    combined = result_of(
        (asked("/a", operation=operation), said("/a", ALLOW)),
        (asked("/a", "site", operation), said("/a", DENY, policy=NO_MATCH)),
    )
    assert combined.decision.word == "allow"
    assert combined.unmatched == ()


def test_a_layer_tightens_what_the_packs_allow_and_never_loosens_what_they_deny():
    operation = Operation("file", "read", "/a")
    for first, second in ((ALLOW, DENY), (DENY, ALLOW)):
        combined = result_of(
            (asked("/a", operation=operation), said("/a", first)),
            (asked("/a", "site", operation), said("/a", second)),
        )
        assert combined.decision.word == "deny"


def test_an_ask_in_the_output_of_a_denial_stays_a_denial():
    assert result_of((asked("/a"), said("/a", DENY, output("p.x", ASK)))).decision.word == "deny"


@pytest.mark.parametrize("kind", ["type", "no_such_overload", "limit"])
def test_an_error_in_a_deny_condition_that_a_value_can_cause_is_a_failure(kind):
    error = AbsorbedError("R.attr.x < 1", "no such overload", kind, DENY, "read")
    combined = result_of((asked("/a"), said("/a", ALLOW, absorbed=(error,))))
    assert combined.failure.cause == "evaluation_error"


def test_an_absorbed_error_of_an_allow_rule_is_cerbos_business():
    error = AbsorbedError("R.attr.x < 1", "no such overload", "type", ALLOW, "read")
    combined = result_of((asked("/a"), said("/a", ALLOW, absorbed=(error,))))
    assert (combined.decision.word, combined.failure) == ("allow", None)


@pytest.mark.parametrize(
    "value",
    [
        7,
        ["ask"],
        {"decision": "aks"},
        {"decison": "ask"},
        {"decision": "ask", "reason": 7},
        {"decision": True},
    ],
)
def test_an_output_that_cannot_be_read_on_an_allowance_is_a_failure_because_it_may_have_been_an_ask(value):
    combined = result_of((asked("/a"), said("/a", ALLOW, output("p.x", value))))
    assert (combined.decision.word, combined.failure.cause) == ("no_policy", "evaluation_error")


def test_an_output_that_failed_to_evaluate_on_an_allowance_is_a_failure():
    combined = result_of((asked("/a"), said("/a", ALLOW, output("p.x", None, error="no such key"))))
    assert combined.failure.cause == "evaluation_error"


def test_another_number_of_answers_than_questions_is_no_answer():
    question = Question(request=CheckRequest(principal=ANONYMOUS, checks=()), asked=(asked("/a"),))
    assert combine(question, CheckAnswer(results=())).decision.cause == "pdp_invalid"


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"hookSpecificOutput": {"permissionDecision": "deny", "permissionDecisionReason": "r"}}, "deny"),
        ({"hookSpecificOutput": {"permissionDecision": "ask"}}, "ask"),
        ({"hookSpecificOutput": {"permissionDecision": "allow"}}, "allow"),
        ({"decision": "block", "reason": "r"}, "deny"),
        ({"hookSpecificOutput": {"permissionDecision": "allow"}, "decision": "block"}, "deny"),
        ({"hookSpecificOutput": {}, "continue": False}, "deny"),
    ],
)
def test_a_hook_body_written_for_synapse_decides_by_its_strictest_field(body, word):
    assert result_of((asked("/a"), said("/a", ALLOW, output("p.x", body)))).decision.word == word


def test_the_contexts_and_notices_of_all_resources_are_kept_once():
    body = {"hookSpecificOutput": {"additionalContext": "mind the gap"}, "systemMessage": "watched"}
    combined = result_of(
        (asked("/a"), said("/a", ALLOW, output("p.x", body))),
        (asked("/b"), said("/b", ALLOW, output("p.x", body))),
        (asked("/c"), said("/c", DENY, output("p.no", {"context": "and this"}))),
    )
    assert combined.decision.context == "mind the gap and this"
    assert combined.decision.notice == "watched"


def test_what_a_failure_leaves_of_the_answer_still_counts():
    broken = (asked("/a"), said("/a", ALLOW, output("p.x", 7)))
    denied = result_of(broken, (asked("/b"), said("/b", DENY)))
    asks = result_of(broken, (asked("/b"), said("/b", ALLOW, output("p.ask", ASK))))
    assert (denied.decision.word, denied.failure.cause) == ("deny", "evaluation_error")
    assert (asks.decision.word, asks.failure.cause) == ("ask", "evaluation_error")


@pytest.mark.parametrize(
    "wrong",
    [
        ResourceDecision(kind="file", id="/other", actions={"read": ActionDecision(ALLOW, POLICY)}),
        ResourceDecision(kind="host", id="/a", actions={"read": ActionDecision(ALLOW, POLICY)}),
        ResourceDecision(kind="file", id="/a", actions={"write": ActionDecision(ALLOW, POLICY)}),
        ResourceDecision(
            kind="file",
            id="/a",
            actions={"read": ActionDecision(ALLOW, POLICY), "write": ActionDecision(ALLOW, POLICY)},
        ),
    ],
)
def test_an_answer_about_something_else_than_was_asked_is_no_answer(wrong):
    assert result_of((asked("/a"), wrong)).decision.cause == "pdp_invalid"


def test_no_policy_in_a_scope_the_principal_brought_along_is_a_failure():
    question = Asked(
        Check(Resource("PreToolUse", "Read", scope="nosuch"), ("Read",)), "", None, scope_must_match=True
    )
    unmatched = ResourceDecision(
        kind="PreToolUse", id="Read", actions={"Read": ActionDecision(DENY, NO_MATCH)}
    )
    assert result_of((question, unmatched)).failure.cause == "no_policy_loaded"


def test_a_prompt_is_skipped_only_when_every_allowance_says_so():
    skip = output("p.skip", {"decision": "skip_prompt"})
    assert result_of((asked("/a"), said("/a", ALLOW, skip))).decision.skip_prompt
    mixed = result_of((asked("/a"), said("/a", ALLOW, skip)), (asked("/b"), said("/b", ALLOW)))
    assert not mixed.decision.skip_prompt


def test_a_prompt_is_skipped_when_a_policy_says_so_of_the_call_and_nothing_objects():
    skip = output("p.skip", {"decision": "skip_prompt"})
    call = (Asked(Check(Resource("file", "c"), ("read",)), ""), said("c", ALLOW, skip))
    silent = (asked("/a"), said("/a", ALLOW))
    assert result_of(call, silent).decision.skip_prompt
    for objection in (said("/b", DENY), said("/b", ALLOW, output("p.ask", ASK))):
        assert not result_of(call, silent, (asked("/b"), objection)).decision.skip_prompt


def test_a_prompt_is_skipped_when_one_layer_says_so_and_the_other_allows_in_silence():
    skip = output("p.skip", {"decision": "skip_prompt"})
    here = asked("/a")
    above = asked("/a", "site", here.operation)
    layers = ((here, said("/a", ALLOW)), (above, said("/a", ALLOW, skip)))
    assert result_of(*layers).decision.skip_prompt
    assert not result_of(*layers, (asked("/b"), said("/b", ALLOW))).decision.skip_prompt


STRICTNESS = ["allow", "ask", "deny"]
ANSWERS = {
    "allow": lambda: said("/a", ALLOW),
    "ask": lambda: said("/a", ALLOW, output("p.ask", ASK)),
    "deny": lambda: said("/a", DENY),
}


@given(st.lists(st.sampled_from(STRICTNESS), min_size=1, max_size=8))
def test_the_decision_is_the_strictest_answer_in_any_order(words):
    combined = result_of(*((asked("/a"), ANSWERS[word]()) for word in words))
    assert combined.decision.word == max(words, key=STRICTNESS.index)
