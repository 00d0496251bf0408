"""Many answers of a policy backend to one decision: an explicit DENY, else an ask, else allow, else no policy.

The order is the contract (docs/adr): the strictest answer of all resources and layers wins, and an error is never an
answer. Obligations ride on ALLOW only: a backend stops at the first DENY it meets, and another, harder one may stand
behind it, so the output of a DENY gives reasons and nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from gateway.checks import Asked, Question
from gateway.domain.check import ALLOW, DENY, NO_MATCH, CheckAnswer, Output, ResourceDecision
from gateway.domain.decision import Decision, Reason
from gateway.domain.operations import Operation
from gateway.domain.vocabulary import Cause, DecisionWord
from gateway.obligations import Obligation, ObligationError, parse_obligation

_HARD_ERRORS = frozenset({"type", "no_such_overload", "limit", "division", "overflow", "value"})
"""Errors an adversary can cause by choosing a value. In a DENY rule they are failures, never a condition that is false."""


class Combined(Struct, frozen=True, kw_only=True):
    """The decision, and what no policy spoke about."""

    decision: Decision
    unmatched: tuple[Operation, ...] = ()
    call_matched: bool = False


def combine(question: Question, answer: CheckAnswer) -> Combined:
    """The decision of a whole batch. Answers are joined with their question by position."""
    if len(answer.results) != len(question.asked):
        return Combined(
            decision=_failed("pdp_invalid", "The backend answered another number of checks than were asked.")
        )
    reasons: dict[DecisionWord, list[Reason]] = {"deny": [], "ask": [], "allow": []}
    contexts: list[str] = []
    skips = True
    failure: Decision | None = None
    matched: set[int] = set()
    call_matched = False
    for asked, result in zip(question.asked, answer.results, strict=True):
        try:
            spoken = _speak(asked, result)
        except ObligationError as error:
            failure = failure or _failed("evaluation_error", f"{_named(asked)}: {error}")
            continue
        failure = failure or _hard_error(asked, result)
        if spoken is None:
            continue
        if asked.operation is None:
            call_matched = True
        else:
            matched.add(id(asked.operation))
        word, reason, obligation = spoken
        reasons[word].append(reason)
        if obligation.context:
            contexts.append(obligation.context)
        skips = skips and (word == "allow" and obligation.word == "skip_prompt")
    operations = {
        id(asked.operation): asked.operation for asked in question.asked if asked.operation is not None
    }
    unmatched = (
        *question.unmatched,
        *(operation for key, operation in operations.items() if key not in matched),
    )
    return Combined(
        decision=_decision(reasons, contexts, failure, skips and (call_matched or bool(matched))),
        unmatched=unmatched,
        call_matched=call_matched,
    )


def _decision(
    reasons: dict[DecisionWord, list[Reason]], contexts: Sequence[str], failure: Decision | None, skips: bool
) -> Decision:
    context = " ".join(dict.fromkeys(contexts))
    if reasons["deny"]:
        return Decision(word="deny", reasons=_unique(reasons["deny"]), context=context)
    if failure is not None:
        return failure
    if reasons["ask"]:
        return Decision(word="ask", reasons=_unique(reasons["ask"]), context=context)
    if reasons["allow"]:
        return Decision(word="allow", reasons=_unique(reasons["allow"]), context=context, skip_prompt=skips)
    return Decision(word="no_policy")


def _speak(asked: Asked, result: ResourceDecision) -> tuple[DecisionWord, Reason, Obligation] | None:
    """What one resource's answer says, None when no policy spoke about it."""
    action = asked.check.actions[0]
    given = result.actions[action]
    if given.matched_policy == NO_MATCH:
        return None
    if given.effect == ALLOW:
        word: DecisionWord = "allow"
        for output in _outputs(result, action):
            if output.error:
                raise ObligationError(f"the output of {output.src} failed: {output.error}")
        found = [(output, parse_obligation(output.val)) for output in _outputs(result, action)]
        held = [pair for pair in found if pair[1].word == "deny"] or [
            pair for pair in found if pair[1].word == "ask"
        ]
        if held:
            word = "deny" if held[0][1].word == "deny" else "ask"
        chosen = held or found
    else:
        word = "deny"
        chosen = [(output, _reason_only(output)) for output in _outputs(result, action)]
        chosen = [
            pair for pair in chosen if _rule(pair[0].src) == (given.place.rule if given.place else "")
        ] or chosen
    output, obligation = chosen[0] if chosen else (Output(src=""), Obligation())
    rule = _rule(output.src) or (given.place.rule if given.place else "")
    reason = Reason(
        rule=rule,
        decision=word,
        kind=asked.check.resource.kind,
        action=action,
        resource=asked.check.resource.id,
        layer=asked.layer,
        text=obligation.reason,
        policy=given.matched_policy,
        place=given.place,
    )
    return word, reason, obligation


def _reason_only(output: Output) -> Obligation:
    """The reason of a DENY rule; what cannot be read leaves the denial without words, never without force."""
    try:
        return parse_obligation(output.val)
    except ObligationError:
        return Obligation()


def _outputs(result: ResourceDecision, action: str) -> list[Output]:
    return [output for output in result.outputs if output.action in {"", action}]


def _hard_error(asked: Asked, result: ResourceDecision) -> Decision | None:
    for error in result.absorbed:
        if error.effect == DENY and error.kind in _HARD_ERRORS:
            return _failed("evaluation_error", f"{_named(asked)}: {error.expression}: {error.message}")
    return None


def _named(asked: Asked) -> str:
    resource = asked.check.resource
    return f"{resource.kind} {asked.check.actions[0]}" + (f" in layer {asked.layer}" if asked.layer else "")


def _rule(src: str) -> str:
    """The rule's name out of an output's source, `resource.file.vdefault#baseline.no_secrets`."""
    return src.rpartition("#")[2] if "#" in src else ""


def _failed(cause: Cause, detail: str) -> Decision:
    return Decision(word="error", cause=cause, detail=detail)


def _unique(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reasons))
