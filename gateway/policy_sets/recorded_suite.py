"""A recorded call as a test suite: what it asked of policy, and what the policies at hand decide about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.domain.check import ResourceDecision
from gateway.domain.record import Record, short_id
from gateway.enforcement.checks import Asked, CheckSettings
from gateway.enforcement.obligations import ObligationError, parse_obligation
from gateway.policy.authoring.texts import json_like, scalar
from gateway.policy.engine import Engine
from gateway.policy_sets.recorded_call import question_of

_NANOSECONDS = 1_000_000_000


def suite_of(record: Record, engine: Engine, settings: CheckSettings) -> str:
    """The text of a `*_test.yaml`: the call and each of its operations, layer by layer, as `engine` decides them now."""
    question = question_of(record, engine, settings)
    decided = engine.check(question.request, record.ts).results
    principal = question.request.principal
    names = _names(question.asked)
    lines = [
        *_heading(record, engine),
        f"name: Recorded call {short_id(record.decision_id)}",
        f"description: {scalar(_title(record))}",
        f'options: {{now: "{_instant(record.ts)}"}}',
        "principals:",
        f"  caller: {json_like({'id': principal.id, 'roles': list(principal.roles), 'attr': dict(principal.attr)})}",
        "resources:",
    ]
    for name, asked in names.items():
        resource = asked.check.resource
        lines += [f"  {name}:", f"    kind: {resource.kind}", f"    id: {scalar(resource.id)}"]
        lines += [f"    scope: {resource.scope}"] if resource.scope else []
        lines.append("    attr:")
        lines += [f"      {scalar(key)}: {json_like(value)}" for key, value in resource.attr.items()]
    lines.append("tests:")
    for (name, asked), result in zip(names.items(), decided, strict=True):
        lines += _test(name, asked, result)
    return "\n".join(lines) + "\n"


def _heading(record: Record, engine: Engine) -> list[str]:
    reasons = ", ".join(dict.fromkeys(reason.rule for reason in record.reasons if reason.rule)) or "no rule"
    lines = [
        f"# Recorded {_instant(record.ts)}: decision {record.decision} by {reasons}, policy revision {record.revision}.",
        f"# Expected is what revision {engine.revision} decides; change it to what you want.",
    ]
    if record.erased:
        lines.append(f"# Erased from the record: {', '.join(record.erased)}.")
    return lines


def _title(record: Record) -> str:
    return " ".join(part for part in (record.agent, record.event, record.tool) if part)


def _names(asked: tuple[Asked, ...]) -> dict[str, Asked]:
    """A name for every check: `call`, `file_1`, with its layer behind it."""
    counts: dict[str, int] = {}
    found: dict[str, Asked] = {}
    for item in asked:
        kind = "call" if item.operation is None else item.operation.kind
        if item.operation is None or not item.layer or kind not in counts:
            counts[kind] = counts.get(kind, 0) + 1
        layer = f"_{item.layer.replace('.', '_')}" if item.layer else ""
        number = "" if item.operation is None else f"_{counts[kind]}"
        found[f"{kind}{number}{layer}"] = item
    return found


def _test(name: str, asked: Asked, result: ResourceDecision) -> list[str]:
    action = asked.check.actions[0]
    lines = [
        f"  - name: {scalar(f'{action} {name}')}",
        f"    input: {{principals: [caller], resources: [{name}], actions: [{scalar(action)}]}}",
        "    expected:",
        "      - principal: caller",
        f"        resource: {name}",
        f"        actions: {{{scalar(action)}: {result.actions[action].effect}}}",
    ]
    asks: dict[str, Any] = {
        output.src: output.val
        for output in result.outputs
        if output.action == action and not output.error and _is_question(output.val)
    }
    if asks and result.actions[action].effect == "EFFECT_ALLOW":
        lines += ["        outputs:", f"          - action: {scalar(action)}", "            expected:"]
        for src, val in asks.items():
            lines += [f"              - src: {scalar(src)}", f"                val: {json_like(val)}"]
    return lines


def _is_question(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    try:
        return parse_obligation(value).word == "ask"
    except ObligationError:
        return False


def _instant(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, _NANOSECONDS)
    moment = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{rest:09d}Z" if rest else f"{moment}Z"
