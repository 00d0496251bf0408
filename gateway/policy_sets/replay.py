"""Recorded calls asked again: which would be decided otherwise by another policy set. Pure: no disk, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct

from gateway.domain.record import Record, short_id
from gateway.enforcement.checks import CheckSettings
from gateway.enforcement.combine import combine
from gateway.policy.engine import Engine
from gateway.policy_sets.recorded_call import is_decided_call, question_of

EXAMPLES = 20


class Side(Struct, frozen=True, eq=False):
    """A policy set, and how calls are put to it."""

    engine: Engine
    settings: CheckSettings


class Difference(Struct, frozen=True):
    """One call that would be decided otherwise. `rules`: those that speak for the new decision."""

    id: str
    tool: str
    before: str
    after: str
    rules: tuple[str, ...] = ()


class Replay(Struct, frozen=True, kw_only=True):
    """The result: how many calls were asked again, how many differ, how (`allow>deny` to a number), and some of them."""

    calls: int
    different: int
    transitions: Mapping[str, int]
    examples: tuple[Difference, ...] = ()


def replay(records: Iterable[Record], before: Side, after: Side) -> Replay:
    """Put every recorded call to both sets.

    Both are asked about what the record holds, so that what redaction took away is missing on both sides alike.
    """
    calls = 0
    transitions: Counter[str] = Counter()
    examples: list[Difference] = []
    for record in records:
        if not is_decided_call(record):
            continue
        calls += 1
        old, _ = _decide(record, before)
        new, rules = _decide(record, after)
        if old == new:
            continue
        transitions[f"{old}>{new}"] += 1
        if len(examples) < EXAMPLES:
            tool = record.tool or record.event
            examples.append(Difference(short_id(record.decision_id), tool, old, new, rules))
    return Replay(
        calls=calls,
        different=transitions.total(),
        transitions=dict(transitions.most_common()),
        examples=tuple(examples),
    )


def _decide(record: Record, side: Side) -> tuple[str, tuple[str, ...]]:
    """The decision's word, and the rules that speak for it."""
    question = question_of(record, side.engine, side.settings)
    answer = side.engine.check(question.request, record.ts)
    combined = combine(question, answer)
    decision = combined.decision
    word = "error" if combined.failure is not None and decision.word != "deny" else decision.word
    rules = tuple(dict.fromkeys(reason.rule for reason in decision.reasons if reason.rule))
    return word, rules[:3]
