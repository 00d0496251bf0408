"""What would have had to differ for another decision: the recorded call asked again, condition by condition."""

from __future__ import annotations

from gateway.cli.recorded import asked_with
from gateway.config import Config
from gateway.domain.record import Record, RecordedReason
from gateway.errors import OstiaryError
from gateway.policy.explain import explain
from gateway.policy.explain.text import lines, turn_lines
from gateway.policy_sets.recorded_call import is_decided_call, question_of
from gateway.wiring_policies import build_engine

_STOPS = frozenset({"deny", "ask"})


def differences(record: Record, config: Config) -> tuple[str, ...]:
    """Lines about the rule that stopped the call; nothing where no rule did, or another backend than ours decided."""
    reason = next((item for item in record.reasons if item.rule and item.decision in _STOPS), None)
    if reason is None or record.backend != "local" or not is_decided_call(record):
        return ()
    try:
        engine = build_engine(config)
    except OstiaryError as error:
        return (f"The policies cannot be loaded now: {error.message}",)
    request = question_of(record, engine, asked_with(config, engine)).request
    about = [item for item in explain(engine, request, record.ts) if _about(reason, item)]
    # An ask rides on an ALLOW: nothing turns that, but its conditions show why it was asked.
    found = [line for item in about for line in (tuple(turn_lines(item)) or tuple(lines(item)))]
    if found and engine.revision != record.revision:
        found.append(f"(as the policies are now: {engine.revision}; then they were {record.revision})")
    return tuple(found)


def _about(reason: RecordedReason, explanation: object) -> bool:
    """Whether an explanation is of the operation and layer that the reason speaks about."""
    return all(
        getattr(explanation, name) == wanted
        for name, wanted in (
            ("kind", reason.kind),
            ("action", reason.action),
            ("id", reason.resource),
            ("scope", reason.layer),
        )
    )
