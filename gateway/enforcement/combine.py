"""Many answers of a policy backend to one decision: an explicit DENY, else an ask, else allow, else no policy.

The order is the contract (docs/adr): the strictest answer of all resources and layers wins, and an error is never an
answer. Obligations ride on ALLOW only: a backend stops at the first DENY it meets, and another, harder one may stand
behind it, so the output of a DENY gives reasons and nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from gateway.domain.check import (
    ALLOW,
    DENY,
    NO_MATCH,
    ActionDecision,
    CheckAnswer,
    Output,
    ResourceDecision,
)
from gateway.domain.decision import Decision, Reason
from gateway.domain.operations import Operation
from gateway.domain.vocabulary import Cause, DecisionWord
from gateway.enforcement.checks import Asked, Question
from gateway.enforcement.obligations import Obligation, ObligationError, parse_obligation

_HARD_ERRORS = frozenset({"type", "no_such_overload", "limit", "division", "overflow", "value"})
"""Errors an adversary can cause by choosing a value. In a DENY rule they are failures, never a condition that is false."""


_HARDEST_FIRST: tuple[DecisionWord, ...] = ("deny", "ask", "allow")


class Combined(Struct, frozen=True, kw_only=True):
    """What the policies decided, what failed among them, and what none of them spoke about."""

    decision: Decision
    failure: Decision | None = None
    """Set when a part of the answer cannot be used; `decision` then covers only the rest."""
    unmatched: tuple[Operation, ...] = ()
    call_matched: bool = False


class _Spoken(Struct, frozen=True):
    """What one resource's answer says. `subject` is the operation it is about, None for the call itself."""

    subject: Operation | None
    word: DecisionWord
    reason: Reason
    obligation: Obligation


def combine(question: Question, answer: CheckAnswer) -> Combined:
    """The decision of a whole batch. Answers are joined with their question by position, kind, id and action."""
    misfit = _misfit(question, answer)
    if misfit:
        failure = _failed("pdp_invalid", misfit)
        return Combined(decision=failure, failure=failure)
    spoken: list[_Spoken] = []
    failure_found: Decision | None = None
    matched: set[int] = set()
    call_matched = False
    for asked, result in zip(question.asked, answer.results, strict=True):
        failure_found = failure_found or _absorbed(asked, result) or _unknown_scope(asked, result)
        try:
            said = _speak(asked, result)
        except ObligationError as error:
            failure_found = failure_found or _failed("evaluation_error", f"{_named(asked)}: {error}")
            continue
        if said is None:
            continue
        spoken.append(said)
        if asked.operation is None:
            call_matched = True
        else:
            matched.add(id(asked.operation))
    operations = {
        id(asked.operation): asked.operation for asked in question.asked if asked.operation is not None
    }
    unmatched = (
        *question.unmatched,
        *(operation for key, operation in operations.items() if key not in matched),
    )
    return Combined(
        decision=_decision(spoken), failure=failure_found, unmatched=unmatched, call_matched=call_matched
    )


def _misfit(question: Question, answer: CheckAnswer) -> str:
    """Why an answer does not belong to a question, "" when it does."""
    if len(answer.results) != len(question.asked):
        return "The backend answered another number of checks than were asked."
    for asked, result in zip(question.asked, answer.results, strict=True):
        resource = asked.check.resource
        if (result.kind, result.id) != (resource.kind, resource.id):
            return f"The backend answered about another resource than the {resource.kind} that was asked."
        if set(result.actions) != set(asked.check.actions):
            return f"The backend answered other actions than were asked of the {resource.kind}."
    return ""


def _decision(spoken: Sequence[_Spoken]) -> Decision:
    """The strictest of what was said."""
    word = next((word for word in _HARDEST_FIRST if any(said.word == word for said in spoken)), None)
    if word is None:
        return Decision(word="no_policy")
    obligations = [said.obligation for said in spoken]
    return Decision(
        word=word,
        reasons=tuple(dict.fromkeys(said.reason for said in spoken if said.word == word)),
        context=" ".join(dict.fromkeys(given.context for given in obligations if given.context)),
        notice=" ".join(dict.fromkeys(given.notice for given in obligations if given.notice)),
        skip_prompt=word == "allow" and _skips(spoken),
        untranslated=tuple(
            dict.fromkeys(
                f"{said.reason.rule or said.reason.policy}: {name}"
                for said in spoken
                for name in said.obligation.untranslated
            )
        ),
    )


def _skips(spoken: Sequence[_Spoken]) -> bool:
    """Whether the policies would spare the person a prompt: they say so of the call, or of everything it would do.

    One layer that says so is enough: the shipped rules allow in silence, and whoever objects denies or asks. What is said
    of one operation never speaks for another.
    """
    skipped = {id(said.subject) for said in spoken if said.obligation.word == "skip_prompt"}
    return id(None) in skipped or all(id(said.subject) in skipped for said in spoken)


def _speak(asked: Asked, result: ResourceDecision) -> _Spoken | None:
    """What one resource's answer says, None when no policy spoke about it. Raises ObligationError."""
    action = asked.check.actions[0]
    given = result.actions[action]
    if given.matched_policy == NO_MATCH:
        return None
    outputs = [output for output in result.outputs if output.action in {"", action}]
    if given.effect == ALLOW:
        word, output, obligation = _of_allowance(outputs)
    else:
        word, (output, obligation) = "deny", _of_denial(outputs, given)
    reason = Reason(
        rule=_rule(output.src) or (given.place.rule if given.place else ""),
        decision=word,
        kind=asked.check.resource.kind,
        action=action,
        resource=asked.check.resource.id,
        layer=asked.layer,
        text=obligation.reason,
        policy=given.matched_policy,
        place=given.place,
    )
    return _Spoken(asked.operation, word, reason, obligation)


def _of_allowance(outputs: Sequence[Output]) -> tuple[DecisionWord, Output, Obligation]:
    """The strictest obligation of an ALLOW. An output that failed may have been the one that holds the call back."""
    for output in outputs:
        if output.error:
            raise ObligationError(f"the output of {output.src} failed: {output.error}")
    found = [(output, parse_obligation(output.val)) for output in outputs]
    for word in _HARDEST_FIRST[:2]:
        held = next((pair for pair in found if pair[1].word == word), None)
        if held is not None:
            return word, *held
    silent = next((pair for pair in found if pair[1].word == "none"), None)
    return "allow", *(silent or (found[0] if found else (Output(src=""), Obligation())))


def _of_denial(outputs: Sequence[Output], given: ActionDecision) -> tuple[Output, Obligation]:
    """The words of a DENY, of the rule that decided where that is known."""
    decided = given.place.rule if given.place else ""
    output = next((item for item in outputs if _rule(item.src) == decided), None) or next(iter(outputs), None)
    if output is None:
        return Output(src=""), Obligation()
    try:
        return output, parse_obligation(output.val)
    except ObligationError:
        # What cannot be read leaves the denial without words, never without force.
        return output, Obligation()


def _absorbed(asked: Asked, result: ResourceDecision) -> Decision | None:
    """The failure of a DENY rule's condition that a chosen value made fail."""
    for error in result.absorbed:
        if error.effect == DENY and error.kind in _HARD_ERRORS:
            return _failed("evaluation_error", f"{_named(asked)}: {error.expression}: {error.message}")
    return None


def _unknown_scope(asked: Asked, result: ResourceDecision) -> Decision | None:
    """A scope that a principal brought along and for which nobody wrote a policy: a failure, never *no policy*."""
    if not asked.scope_must_match or result.actions[asked.check.actions[0]].matched_policy != NO_MATCH:
        return None
    scope = asked.check.resource.scope
    return _failed("no_policy_loaded", f"no policy for {asked.check.resource.kind} in scope {scope!r}")


def _named(asked: Asked) -> str:
    resource = asked.check.resource
    return f"{resource.kind} {asked.check.actions[0]}" + (f" in layer {asked.layer}" if asked.layer else "")


def _rule(src: str) -> str:
    """The rule's name out of an output's source, `resource.file.vdefault#secrets.files`."""
    return src.rpartition("#")[2] if "#" in src else ""


def _failed(cause: Cause, detail: str) -> Decision:
    return Decision(word="error", cause=cause, detail=detail)
