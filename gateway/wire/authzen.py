"""The OpenID AuthZEN Authorization API 1.0 as a Cerbos PDP serves it: evaluations to questions, answers to decisions.

What AuthZEN has no field for rides in `properties` and `context` as `cerbos.*`: roles, policyVersion, scope, requestId,
auxData, includeMeta.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from gateway.domain.check import ALLOW, Check, CheckAnswer, CheckRequest, Resource
from gateway.domain.principal import Principal
from gateway.wire.cerbos_decode import decode_message
from gateway.wire.cerbos_errors import INVALID_ARGUMENT, CerbosError, Violation, invalid
from gateway.wire.cerbos_server import RequestLimits, Token, results_of


class Asked(Struct, frozen=True, kw_only=True):
    """One question to the engine. `places`: for each evaluation it answers, where and with which action."""

    request: CheckRequest
    places: tuple[tuple[int, int, str], ...]
    """(position among the evaluations, position among the checks, action)."""
    include_meta: bool
    token: Token | None = None


class Evaluations(Struct, frozen=True, kw_only=True):
    """A decoded request: the questions, how many evaluations they answer, and when to stop."""

    asked: tuple[Asked, ...]
    count: int
    stop_at: bool | None = None
    """The decision after which the rest is left out, None to give all."""


def read_evaluation(body: bytes) -> Evaluations:
    """`POST /access/v1/evaluation`. Raises CerbosError."""
    message = decode_message("AccessEvaluation", body)
    context = message.get("context", {})
    asked = Asked(
        request=CheckRequest(
            principal=_principal(message["subject"]),
            checks=(Check(_resource(message["resource"]), (message["action"]["name"],)),),
            request_id=_text(context, "requestId"),
        ),
        places=((0, 0, message["action"]["name"]),),
        include_meta=_flag(context),
        token=_token(context),
    )
    return Evaluations(asked=(asked,), count=1)


def read_evaluations(body: bytes, limits: RequestLimits) -> Evaluations:
    """`POST /access/v1/evaluations`. Evaluations of one subject and context are asked together. Raises CerbosError."""
    message = decode_message("AccessEvaluationBatch", body)
    given = message["evaluations"]
    _check_defaults(message, given)
    most = limits.actions_per_resource * limits.resources_per_request
    if len(given) > most:
        raise CerbosError(
            INVALID_ARGUMENT, f"number of evaluations ({len(given)}) exceeds configured limit ({most})"
        )
    groups: dict[bytes, list[tuple[int, dict[str, Any]]]] = {}
    for position, own in enumerate(given):
        merged: dict[str, Any] = {
            name: own.get(name) or message.get(name) for name in ("subject", "resource", "action", "context")
        }
        merged["context"] = merged["context"] or {}
        key = _ENCODER.encode([merged["subject"], merged["context"].get("cerbos.auxData")])
        groups.setdefault(key, []).append((position, merged))
    include_meta = _flag(message.get("context", {}))
    semantic = message.get("options", {}).get("evaluations_semantic", "")
    return Evaluations(
        asked=tuple(_group(group, limits, include_meta=include_meta) for group in groups.values()),
        count=len(given),
        stop_at={"deny_on_first_deny": False, "permit_on_first_permit": True}.get(semantic),
    )


_ENCODER = msgspec.json.Encoder(order="deterministic")


def _group(
    group: Sequence[tuple[int, dict[str, Any]]], limits: RequestLimits, *, include_meta: bool
) -> Asked:
    """The evaluations of one subject as one check: each resource once, with all its actions."""
    resources: dict[bytes, tuple[Resource, list[str]]] = {}
    places: list[tuple[int, int, str]] = []
    for position, merged in group:
        key = _ENCODER.encode(merged["resource"])
        _, actions = resources.setdefault(key, (_resource(merged["resource"]), []))
        action = merged["action"]["name"]
        if action not in actions:
            actions.append(action)
        places.append((position, list(resources).index(key), action))
    limits.check(len(resources), max(len(actions) for _, actions in resources.values()))
    context = group[0][1]["context"]
    return Asked(
        request=CheckRequest(
            principal=_principal(group[0][1]["subject"]),
            checks=tuple(Check(resource, tuple(actions)) for resource, actions in resources.values()),
            request_id=_text(context, "requestId"),
        ),
        places=tuple(places),
        include_meta=include_meta,
        token=_token(context),
    )


def _check_defaults(message: Mapping[str, Any], given: Sequence[Mapping[str, Any]]) -> None:
    """Every evaluation has an action, a subject and a resource, of its own or the request's."""
    missing = [
        name
        for name in ("action", "subject", "resource")
        if name not in message and any(name not in evaluation for evaluation in given)
    ]
    if missing:
        raise invalid(
            [
                Violation(
                    "",
                    (),
                    (),
                    f"access_evaluation_batch_request.{name}",
                    f"either the default {name} must be set or all evaluations must have "
                    f"{'an' if name == 'action' else 'a'} {name}",
                )
                for name in missing
            ]
        )


def write_evaluations(evaluations: Evaluations, answers: Sequence[CheckAnswer]) -> list[dict[str, Any]]:
    """The decisions, in the order of the evaluations."""
    found: list[dict[str, Any]] = [{} for _ in range(evaluations.count)]
    for asked, answer in zip(evaluations.asked, answers, strict=True):
        context: dict[str, Any] = {}
        if asked.include_meta:
            context = {"context": {"cerbos.response": results_of(asked.request, answer, include_meta=True)}}
        for position, check, action in asked.places:
            allowed = answer.results[check].actions[action].effect == ALLOW
            found[position] = {"decision": allowed, **context}
    if evaluations.stop_at is not None:
        for position, decision in enumerate(found):
            if decision["decision"] is evaluations.stop_at:
                return found[: position + 1]
    return found


def configuration(base_url: str) -> dict[str, str]:
    """`GET /.well-known/authzen-configuration`."""
    return {
        "policy_decision_point": base_url,
        "access_evaluation_endpoint": f"{base_url}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{base_url}/access/v1/evaluations",
    }


def _principal(subject: Mapping[str, Any]) -> Principal:
    properties = subject.get("properties", {})
    given = properties.get("cerbos.roles")
    roles = [role for role in given if isinstance(role, str) and role] if isinstance(given, list) else []
    return Principal(
        id=subject["id"],
        roles=tuple(roles) or (subject["type"],),
        attr=properties,
        policy_version=_text(properties, "policyVersion"),
        scope=_text(properties, "scope"),
    )


def _resource(given: Mapping[str, Any]) -> Resource:
    properties = given.get("properties", {})
    return Resource(
        given["type"], given["id"], properties, _text(properties, "policyVersion"), _text(properties, "scope")
    )


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(f"cerbos.{name}")
    return value if isinstance(value, str) else ""


def _flag(context: Mapping[str, Any]) -> bool:
    return context.get("cerbos.includeMeta") is True


def _token(context: Mapping[str, Any]) -> Token | None:
    """The token of a context. Raises CerbosError when there is something else in its place."""
    given = context.get("cerbos.auxData")
    if given is None:
        return None
    jwt = given.get("jwt", {}) if isinstance(given, dict) else None
    if not isinstance(jwt, dict):
        raise CerbosError(INVALID_ARGUMENT, "invalid auxData")
    token, key_set = jwt.get("token", ""), jwt.get("keySetId", "")
    if not isinstance(token, str) or not isinstance(key_set, str):
        raise CerbosError(INVALID_ARGUMENT, "invalid auxData")
    return Token(token, key_set) if token else None
