"""What happened to a call, told from the events after it: the same join in every store.

Events come from the client, so they may add suspicion and never remove it: the first one counts, later ones are kept and
flagged. Records are joined only within one principal, agent and session; who joins them is the store's part.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, Struct

from gateway.domain.record import Record

AFTERWARDS = {"PostToolUse": "ran", "PostToolUseFailure": "failed", "PermissionDenied": "not_run"}
"""Events that tell how a call ended. `PermissionDenied` is the client's own classifier, not a person."""
TURN_ENDS = ("Stop", "SessionEnd", "UserPromptSubmit")
"""Events after which nothing of the turn before goes on: a prompt that was shown and led to no run was declined."""
CAPPED_FIELD = "ostiary_capped"
_RAN = frozenset({"ran", "failed"})


class Joined(Struct, frozen=True):
    """How a call ended, "" for records that are no call, and the suspicions the join found."""

    outcome: str = ""
    flags: tuple[str, ...] = ()


def join(record: Record, same_call: Sequence[Record], *, prompted: bool, turn_ended: bool) -> Joined:
    """Join a record with the others of its call.

    `same_call`: `call` records of the same principal, agent, session and call id but this one, in order of arrival.
    `prompted`: a permission prompt for the same input was shown; `turn_ended`: the turn it was shown in is over.
    """
    if record.type != "call" or not record.tool:
        return Joined()
    if record.event in AFTERWARDS:
        return _of_event_after(record, same_call)
    if record.event != "PreToolUse":
        return Joined("unknown")
    return _of_call(record, same_call, declined=prompted and turn_ended)


def _of_call(record: Record, others: Sequence[Record], *, declined: bool) -> Joined:
    flags: list[str] = []
    if any(
        other.event == "PreToolUse" and other.input_digest and other.input_digest != record.input_digest
        for other in others
    ):
        flags.append("call_id_reuse")
    told = [other for other in others if other.event in AFTERWARDS]
    after = [other for other in told if _position(other) > _position(record)]
    if len(after) < len(told):
        flags.append("outcome_before_call")
    for other in after:
        flags += other.flags
        if _rewritten(record, other):
            flags.append("rewritten_after_approval")
    if not after:
        outcome = "not_run" if record.answer == "deny" else "declined_by_person" if declined else "unknown"
        return Joined(outcome, _unique(flags))
    outcome = AFTERWARDS[after[0].event]
    if len({other.event for other in after}) > 1:
        flags.append("outcome_contradicted")
    if record.answer == "deny" and any(AFTERWARDS[other.event] in _RAN for other in after):
        flags.append("ran_after_denial")
    return Joined(outcome, _unique(flags))


def _of_event_after(record: Record, others: Sequence[Record]) -> Joined:
    outcome = AFTERWARDS[record.event]
    flags: list[str] = []
    earlier = [other for other in others if _position(other) < _position(record)]
    asked = [other for other in earlier if other.event == "PreToolUse"]
    if not asked and outcome in _RAN:
        flags.append("ran_unasked")
    if any(other.event in AFTERWARDS for other in earlier):
        flags.append("outcome_repeated")
    if asked and asked[-1].answer == "deny" and outcome in _RAN:
        flags.append("ran_after_denial")
    if asked and _rewritten(asked[-1], record):
        flags.append("rewritten_after_approval")
    return Joined(outcome, _unique(flags))


def _rewritten(approved: Record, executed: Record) -> bool:
    """Whether an executed input lacks or changes something that was approved; what the client adds by itself is no change.

    Both are compared as recorded: contents by their keyed digest, so that a change shows without the content.
    """
    if not executed.input_digest or executed.input_digest == approved.input_digest:
        return False
    before, after = approved.input, executed.input
    if before is UNSET or after is UNSET or CAPPED_FIELD in before or CAPPED_FIELD in after:
        return False
    return any(name not in after or after[name] != value for name, value in before.items())


def _position(record: Record) -> tuple[int, int]:
    return record.ts, record.seq


def _unique(flags: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flags))
