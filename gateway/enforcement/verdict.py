"""From what policies said to what the agent gets: the failure table, and what the analysis could not tell.

Everything here only tightens: the strictest of the policies' decision and every doubt about it wins. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, structs

from gateway.domain.decision import Decision, Reason
from gateway.domain.events import HookEvent
from gateway.domain.modes import Modes
from gateway.domain.operations import Analysis, Operation
from gateway.domain.vocabulary import DECIDED_EVENTS, AnswerWord, Cause, DecisionWord, FailureAnswer, Mode
from gateway.enforcement.combine import Combined

_DECIDED = frozenset(DECIDED_EVENTS)
_STRICTNESS: dict[str, int] = {"pass": 0, "allow": 0, "ask": 1, "deny": 2}


class Stance(Struct, frozen=True, kw_only=True):
    """What the operator fixed about answers."""

    modes: Modes
    failure_policy: Mapping[str, FailureAnswer]
    no_policy_operation: FailureAnswer = "pass"
    no_policy_unknown_tool: FailureAnswer = "ask"
    skip_prompt: bool = False


class Doubt(Struct, frozen=True):
    """Something that keeps an allowance from being one. `cause` is None where a rule of ours speaks, not a failure."""

    cause: Cause | None
    wanted: FailureAnswer
    detail: str
    rule: str = ""


def failed(cause: Cause, detail: str, error_id: str = "") -> Decision:
    """The decision of a failure."""
    return Decision(word="error", cause=cause, detail=detail, error_id=error_id)


def answer_word(mode: Mode, decision: Decision, event: HookEvent, stance: Stance) -> AnswerWord:
    """What the agent gets for a decision. Outside enforce, and for events that stop nothing, always `pass`."""
    if mode != "enforce" or (event.event and event.event not in _DECIDED):
        return "pass"
    if decision.cause is not None:
        return event.expressible(stance.failure_policy[decision.cause])
    if decision.word in {"deny", "ask"}:
        return event.expressible("deny" if decision.word == "deny" else "ask")
    return event.expressible("allow") if decision.skip_prompt else "pass"


class Verdict(Struct, frozen=True):
    """The decision, and every cause of the failure table that played a part, whether or not it decided."""

    decision: Decision
    causes: tuple[Cause, ...] = ()


def judge(combined: Combined, analysis: Analysis, carried: Iterable[Doubt], stance: Stance) -> Verdict:
    """The policies' decision, tightened by whatever is doubtful. `carried` are the doubts about who asks."""
    doubts = [*carried, *_doubts(combined, analysis, stance)]
    if combined.failure is not None:
        doubts.append(_of_failure(combined.failure, stance))
    causes = tuple(
        dict.fromkeys(doubt.cause for doubt in doubts if doubt.cause is not None and _counts(doubt))
    )
    return Verdict(_tightened(combined, analysis, doubts, stance), causes)


def _counts(doubt: Doubt) -> bool:
    """Whether a doubt is a failure to count: an opaque command that the operator leaves to policy is none."""
    return doubt.cause != "opaque" or doubt.wanted != "pass"


def _tightened(combined: Combined, analysis: Analysis, doubts: Sequence[Doubt], stance: Stance) -> Decision:
    decision = combined.decision
    if not _may_skip(combined, analysis, doubts, stance):
        decision = structs.replace(decision, skip_prompt=False)
    hardest = max(doubts, key=lambda doubt: _STRICTNESS[doubt.wanted], default=None)
    if hardest is not None and _STRICTNESS[hardest.wanted] > _strictness(decision, stance):
        return _of_doubt(decision, hardest)
    if combined.failure is not None and decision.word in {"allow", "no_policy"}:
        # The operator lets this failure pass; what could not be evaluated is still no allowance.
        return combined.failure
    return decision


def _doubts(combined: Combined, analysis: Analysis, stance: Stance) -> list[Doubt]:
    found: list[Doubt] = []
    policy = stance.failure_policy
    if analysis.limits_hit or analysis.truncated:
        limits = ", ".join(analysis.limits_hit) or "more operations than can be asked"
        found.append(Doubt("analysis_limit", policy["analysis_limit"], limits))
    if analysis.opaque and not combined.call_matched:
        found.append(Doubt("opaque", policy["opaque"], "the command's text could not be resolved"))
    if not combined.call_matched and (not analysis.known_tool or _has_mcp(combined.unmatched)):
        text = "This tool is not known here"
        found.append(Doubt(None, stance.no_policy_unknown_tool, text, "ostiary.unknown_tool"))
    if combined.unmatched:
        text = "No policy speaks about this"
        found.append(Doubt(None, stance.no_policy_operation, text, "ostiary.no_policy"))
    return found


def _has_mcp(operations: Iterable[Operation]) -> bool:
    """Whether an MCP tool is among them: anybody can name a server, so that one is known only to a policy."""
    return any(operation.kind == "mcp_tool" for operation in operations)


def _of_failure(failure: Decision, stance: Stance) -> Doubt:
    assert failure.cause is not None
    return Doubt(failure.cause, stance.failure_policy[failure.cause], failure.detail)


def _of_doubt(decision: Decision, doubt: Doubt) -> Decision:
    """The decision that rests on a doubt; reasons of policies stay with a failure, for the record."""
    if doubt.cause is not None:
        return structs.replace(
            decision, word="error", cause=doubt.cause, detail=doubt.detail, skip_prompt=False
        )
    word: DecisionWord = "deny" if doubt.wanted == "deny" else "ask"
    reason = Reason(rule=doubt.rule, decision=word, text=doubt.detail)
    return structs.replace(decision, word=word, reasons=(reason,), skip_prompt=False)


def _strictness(decision: Decision, stance: Stance) -> int:
    if decision.cause is not None:
        return _STRICTNESS[stance.failure_policy[decision.cause]]
    return _STRICTNESS.get(decision.word, 0)


def _may_skip(combined: Combined, analysis: Analysis, doubts: Sequence[Doubt], stance: Stance) -> bool:
    """Whether the agent's own prompt may be skipped: nothing unmatched, uncertain, opaque, cut short or unproven."""
    return (
        stance.skip_prompt
        and combined.failure is None
        and not doubts
        and not analysis.opaque
        and analysis.known_tool
        and (combined.call_matched or bool(analysis.operations))
        and all(operation.attr.get("certain") is True for operation in analysis.operations)
    )
