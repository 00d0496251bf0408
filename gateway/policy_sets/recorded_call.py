"""A recorded call as the question it was: to explain it, to test it, to ask another policy set about it.

The record holds what redaction left. Where a value was erased its mark stands instead, so that a condition over it may come
out otherwise than it did; operations, on which rules should rest, are kept whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from msgspec import UNSET

from gateway.domain.events import HookEvent, Subagent
from gateway.domain.operations import Analysis, Operation
from gateway.domain.ports import Pdp
from gateway.domain.principal import ANONYMOUS, Principal, Proof
from gateway.domain.record import Record
from gateway.domain.vocabulary import DECIDED_EVENTS
from gateway.enforcement.checks import CheckSettings, Question, Questions

_UNKNOWN_TOOL = "ostiary.unknown_tool"


class PolicySet(Protocol):
    """What questions need of a policy set."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Its scopes beside the root."""
        ...

    def holds(self, kind: str, scope: str) -> bool:
        """Whether it has a policy for a kind in exactly a scope."""
        ...


def is_decided_call(record: Record) -> bool:
    """Whether a record is of a call that policy was asked about."""
    return record.type == "call" and record.event in DECIDED_EVENTS and bool(record.decision)


def question_of(record: Record, policies: PolicySet | Pdp, settings: CheckSettings) -> Question:
    """The question a record's call would be to a policy set."""
    questions = Questions(settings, policies)  # type: ignore[arg-type]  # layers and holds are all it uses of a Pdp
    return questions.ask(_event(record), _analysis(record), _principal(record), record.decision_id)


def _principal(record: Record) -> Principal:
    given = record.principal
    if given is UNSET:
        return ANONYMOUS
    return Principal(
        id=given.id,
        roles=given.roles,
        attr=given.attr,
        proof=Proof(provider=given.provider, issuer=given.issuer, subject=given.subject),
    )


def _event(record: Record) -> HookEvent:
    given = {} if record.input is UNSET else dict(record.input)
    payload = {
        "hook_event_name": record.event,
        "session_id": record.session_id,
        "prompt_id": record.prompt_id,
        "cwd": record.cwd,
        "permission_mode": record.permission_mode,
        **(
            {"tool_name": record.tool, "tool_use_id": record.call_id, "tool_input": given}
            if record.tool
            else given
        ),
    }
    subagent = None
    if record.subagent is not UNSET:
        subagent = Subagent(record.subagent.get("id", ""), record.subagent.get("type", ""))
        payload |= {"agent_id": subagent.id, "agent_type": subagent.type}
    return HookEvent(
        agent=record.agent,
        event=record.event,
        session_id=record.session_id,
        call_id=record.call_id,
        tool=record.tool,
        tool_input=given if record.tool else {},
        cwd=record.cwd,
        prompt_id=record.prompt_id,
        permission_mode=record.permission_mode,
        subagent=subagent,
        payload={name: value for name, value in payload.items() if value != ""},
        legacy_route=record.route.startswith("/ext/"),
    )


def _analysis(record: Record) -> Analysis:
    operations = tuple(
        Operation(operation.kind, operation.action, operation.id, operation.attr)
        for operation in record.operations
    )
    groups = _union(operations, "groups")
    return Analysis(
        operations=operations,
        truncated=record.operations_truncated,
        groups=groups,
        groups_may=tuple(name for name in _union(operations, "groups_may") if name not in groups),
        hosts=tuple(dict.fromkeys(item.attr["host"] for item in operations if "host" in item.attr)),
        shell=None if record.shell is UNSET else record.shell,
        limits_hit=(record.detail,) if record.cause == "analysis_limit" else (),
        known_tool=not any(reason.rule == _UNKNOWN_TOOL for reason in record.reasons),
        project_dir=record.project_dir,
        project="recorded" if record.project_dir else "none",
        home=record.home,
        flags=record.flags,
    )


def _union(operations: Iterable[Operation], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(group for item in operations for group in item.attr.get(name, ())))
