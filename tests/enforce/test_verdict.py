"""The verdict: the strictest of the policies' decision and every doubt wins, and a prompt is skipped only on certainty."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.decision import Decision, Reason
from gateway.domain.events import HookEvent
from gateway.domain.modes import Modes
from gateway.domain.operations import Analysis, Operation
from gateway.domain.vocabulary import DECIDED_EVENTS, FAILURE_DEFAULTS, HOOK_EVENTS
from gateway.enforcement.combine import Combined
from gateway.enforcement.verdict import Doubt, Stance, answer_word, failed, judge

READ = Operation("file", "read", "/a", {"certain": True})
CERTAIN = Analysis(operations=(READ,))
EVENT = HookEvent(agent="claude-code", event="PreToolUse", allow_as="allow")
STRICTNESS = {"pass": 0, "allow": 0, "ask": 1, "deny": 2}
WORDS = ["allow", "ask", "deny", "no_policy"]
ANSWERS = ["pass", "ask", "deny"]


def stance(skip_prompt: bool = True, **policy: str) -> Stance:
    return Stance(
        modes=Modes(default="enforce"),
        failure_policy={**FAILURE_DEFAULTS, **policy},
        skip_prompt=skip_prompt,
    )


def said(word: str, *, skip: bool = False, **more) -> Combined:
    return Combined(decision=Decision(word=word, reasons=(Reason(rule="p.r"),), skip_prompt=skip), **more)


def answer(combined: Combined, analysis: Analysis, carried: tuple[Doubt, ...], how: Stance) -> str:
    return answer_word("enforce", judge(combined, analysis, carried, how).decision, EVENT, how)


@given(
    st.sampled_from(WORDS),
    st.lists(st.tuples(st.sampled_from(["unauthenticated", "over_quota"]), st.sampled_from(ANSWERS))),
    st.sampled_from([None, *ANSWERS]),
    st.sampled_from([None, *ANSWERS]),
)
def test_the_answer_is_the_strictest_of_everything_that_was_found(word, carried, failure, limit):
    how = stance(evaluation_error=failure or "deny", analysis_limit=limit or "ask", **dict(carried))
    combined = said(word, failure=failed("evaluation_error", "x") if failure else None)
    analysis = Analysis(limits_hit=("mcp_arguments",)) if limit else CERTAIN
    doubts = tuple(Doubt(cause, how.failure_policy[cause], "x") for cause, _ in carried)
    wanted = [STRICTNESS.get(word, 0), *(STRICTNESS[how.failure_policy[cause]] for cause, _ in carried)]
    wanted += [STRICTNESS[found] for found in (failure, limit) if found]
    assert STRICTNESS[answer(combined, analysis, doubts, how)] == max(wanted)


def test_a_policys_denial_stays_one_beside_every_failure():
    combined = said("deny", failure=failed("evaluation_error", "x"))
    verdict = judge(combined, Analysis(limits_hit=("x",)), (), stance(evaluation_error="deny"))
    assert (verdict.decision.word, verdict.decision.cause) == ("deny", None)
    assert verdict.causes == ("analysis_limit", "evaluation_error")


def test_a_failure_the_operator_lets_pass_hides_no_ask_and_is_no_allowance():
    how = stance(evaluation_error="pass")
    failure = failed("evaluation_error", "x")
    assert judge(said("ask", failure=failure), CERTAIN, (), how).decision.word == "ask"
    alone = judge(said("allow", failure=failure), CERTAIN, (), how)
    assert (alone.decision.cause, alone.causes) == ("evaluation_error", ("evaluation_error",))
    assert answer_word("enforce", alone.decision, EVENT, how) == "pass"


def test_an_opaque_command_is_left_to_a_policy_that_reads_it():
    opaque = Analysis(shell={"opaque": True})
    assert answer(said("allow"), opaque, (), stance(opaque="ask")) == "ask"
    assert answer(said("allow", call_matched=True), opaque, (), stance(opaque="ask")) == "pass"
    assert judge(said("allow"), opaque, (), stance(opaque="pass")).causes == ()


def test_an_unknown_tool_is_asked_unless_a_policy_speaks_about_the_call():
    unknown = Analysis(known_tool=False)
    verdict = judge(said("no_policy"), unknown, (), stance())
    assert (verdict.decision.word, verdict.decision.reasons[0].rule) == ("ask", "ostiary.unknown_tool")
    assert answer(said("allow", call_matched=True), unknown, (), stance()) == "pass"


@pytest.mark.parametrize("wanted", ANSWERS)
def test_an_unmatched_operation_means_what_the_operator_says(wanted):
    how = Stance(modes=Modes(), failure_policy=FAILURE_DEFAULTS, no_policy_operation=wanted)
    decision = judge(said("no_policy", unmatched=(READ,)), CERTAIN, (), how).decision
    assert answer_word("enforce", decision, EVENT, how) == wanted


def test_a_prompt_is_skipped_only_when_that_is_switched_on():
    assert answer(said("allow", skip=True), CERTAIN, (), stance()) == "allow"
    assert answer(said("allow", skip=True), CERTAIN, (), stance(skip_prompt=False)) == "pass"


@pytest.mark.parametrize(
    ("combined", "analysis", "carried"),
    [
        (said("allow", skip=True, unmatched=(READ,)), CERTAIN, ()),
        (said("allow", skip=True), Analysis(operations=(Operation("file", "read", "/a"),)), ()),
        (
            said("allow", skip=True),
            Analysis(operations=(READ, Operation("file", "read", "/b", {"certain": False}))),
            (),
        ),
        (said("allow", skip=True), Analysis(operations=(READ,), shell={"opaque": True}), ()),
        (said("allow", skip=True), Analysis(operations=(READ,), truncated=True), ()),
        (said("allow", skip=True), Analysis(operations=(READ,), limits_hit=("x",)), ()),
        (said("allow", skip=True), Analysis(operations=(READ,), known_tool=False), ()),
        (said("allow", skip=True), Analysis(), ()),
        (said("allow", skip=True), CERTAIN, (Doubt("unauthenticated", "pass", "missing"),)),
        (said("allow", skip=True, failure=failed("evaluation_error", "x")), CERTAIN, ()),
    ],
    ids=[
        "unmatched",
        "uncertain",
        "partly uncertain",
        "opaque",
        "truncated",
        "limit",
        "unknown tool",
        "nothing that a policy saw",
        "unauthenticated",
        "failure",
    ],
)
def test_no_prompt_is_skipped_over_a_doubt(combined, analysis, carried):
    lenient = stance(**dict.fromkeys(FAILURE_DEFAULTS, "pass"))
    assert not judge(combined, analysis, carried, lenient).decision.skip_prompt


@pytest.mark.parametrize("event", HOOK_EVENTS)
def test_only_events_that_can_be_stopped_are_stopped(event):
    hook = HookEvent(agent="claude-code", event=event)
    word = answer_word("enforce", Decision(word="deny"), hook, stance())
    assert word == ("deny" if event in DECIDED_EVENTS else "pass")


@pytest.mark.parametrize("mode", ["observe", "disabled"])
def test_outside_enforce_the_answer_is_pass(mode):
    assert answer_word(mode, Decision(word="deny"), EVENT, stance()) == "pass"
    assert answer_word(mode, failed("internal_error", ""), HookEvent(agent="", event=""), stance()) == "pass"
