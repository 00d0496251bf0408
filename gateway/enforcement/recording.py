"""What happened to a call, as a record: everything decided, nothing decided here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, Struct

from gateway.domain.decision import Answer, Decision, Reason
from gateway.domain.events import HookEvent
from gateway.domain.operations import Analysis, Operation
from gateway.domain.principal import Principal
from gateway.domain.record import Record, RecordedOperation, RecordedPrincipal, RecordedReason, RecordType
from gateway.domain.vocabulary import RECORD_SCHEMA, Cause, Mode

MAX_RECORDED_REASONS = 20
UNTRANSLATED = "untranslated_output"
_COMMON_FIELDS = frozenset(
    {
        "session_id",
        "transcript_path",
        "cwd",
        "hook_event_name",
        "prompt_id",
        "permission_mode",
        "agent_id",
        "agent_type",
        "tool_name",
        "tool_input",
        "tool_use_id",
    }
)


class Origin(Struct, frozen=True, kw_only=True):
    """Which process writes, and how much its word is worth."""

    instance: str = ""
    worker: str = "gate"
    posture: str = ""
    backend: str = ""


class Facts(Struct, kw_only=True):
    """What is known of a call so far; filled step by step by the enforcement point."""

    event: HookEvent
    principal: Principal
    decision_id: str
    at: int
    mode: Mode
    route: str = ""
    analysis: Analysis | None = None
    decision: Decision | None = None
    answer: Answer = Answer()
    digest: str = ""
    flags: tuple[str, ...] = ()
    revision: str = ""
    repeat_of: str = ""
    causes: tuple[Cause, ...] = ()
    """Every failure that played a part, the deciding one included."""


def record_of(facts: Facts, origin: Origin, timings: Mapping[str, int]) -> Record:
    """The record of one call, not yet redacted."""
    event = facts.event
    decision = facts.decision
    analysis = facts.analysis or Analysis()
    kind: RecordType = "repeat" if facts.repeat_of else "call"
    short = bool(facts.repeat_of)
    return Record(
        schema=RECORD_SCHEMA,
        type=kind,
        decision_id=facts.decision_id,
        ts=facts.at,
        instance=origin.instance,
        worker=origin.worker,
        posture=origin.posture,
        agent=event.agent,
        route=facts.route,
        event=event.event,
        session_id=event.session_id,
        prompt_id=event.prompt_id,
        call_id=event.call_id,
        tool=event.tool,
        subagent=UNSET if event.subagent is None else {"id": event.subagent.id, "type": event.subagent.type},
        principal=_principal(facts.principal),
        cwd=event.cwd,
        project_dir=analysis.project_dir,
        home=analysis.home,
        permission_mode=event.permission_mode,
        input=UNSET if short or facts.mode == "disabled" else _input(event),
        input_digest=facts.digest,
        operations=() if short else tuple(_operation(operation) for operation in analysis.operations),
        operations_truncated=analysis.truncated and not short,
        shell=UNSET if short or analysis.shell is None else analysis.shell,
        mode=facts.mode,
        decision=decision.word if decision else "",
        answer=facts.answer.word,
        cause=(decision.cause or "") if decision else "",
        detail=_detail(decision),
        error_id=decision.error_id if decision else "",
        reasons=tuple(_reason(reason) for reason in decision.reasons[:MAX_RECORDED_REASONS])
        if decision
        else (),
        flags=tuple(dict.fromkeys((*analysis.flags, *facts.flags, *_flags(facts)))),
        first=facts.repeat_of,
        revision=facts.revision,
        backend=origin.backend,
        timings=dict(timings),
        bytes=event.size,
        synthetic=event.synthetic,
    )


def _detail(decision: Decision | None) -> str:
    """What failed, and which parts of policies' outputs have no place in an answer."""
    if decision is None:
        return ""
    lost = f"not translated: {', '.join(decision.untranslated)}" if decision.untranslated else ""
    return "; ".join(part for part in (decision.detail, lost) if part)


def _flags(facts: Facts) -> tuple[str, ...]:
    """What the record tells beside the deciding cause."""
    decided = facts.decision.cause if facts.decision else None
    lost = facts.decision is not None and bool(facts.decision.untranslated)
    others = tuple(cause for cause in facts.causes if cause != decided)
    return (*others, *((UNTRANSLATED,) if lost else ()))


def _principal(principal: Principal) -> RecordedPrincipal:
    return RecordedPrincipal(
        id=principal.id,
        roles=principal.roles,
        provider=principal.proof.provider,
        issuer=principal.proof.issuer,
        subject=principal.proof.subject,
        attr=principal.attr,
    )


def _input(event: HookEvent) -> dict[str, Any]:
    """The tool's input, and the fields that only this kind of event has."""
    own = {name: value for name, value in event.payload.items() if name not in _COMMON_FIELDS}
    return {**own, **event.tool_input} if event.tool else own


def _operation(operation: Operation) -> RecordedOperation:
    return RecordedOperation(
        kind=operation.kind, action=operation.action, id=operation.id, attr=operation.attr
    )


def _reason(reason: Reason) -> RecordedReason:
    place = reason.place
    return RecordedReason(
        rule=reason.rule,
        decision=reason.decision,
        kind=reason.kind,
        action=reason.action,
        resource=reason.resource,
        layer=reason.layer,
        text=reason.text,
        policy=reason.policy,
        file=place.file if place else "",
        line=place.line if place else 0,
    )
