"""The check API of a Cerbos PDP from the server's side: requests to questions, answers to replies.

Source of the shapes: the Cerbos API 0.55: `/api/check/resources`, and the deprecated `/api/check` (one kind, many
instances) and `/api/check_resource_batch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from gateway.domain.check import (
    AuxData,
    Check,
    CheckAnswer,
    CheckRequest,
    Output,
    Resource,
    ResourceDecision,
)
from gateway.domain.principal import Principal
from gateway.wire.cerbos_decode import decode_message
from gateway.wire.cerbos_errors import INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNKNOWN, CerbosError

_NOT_JSON = "proto: google.protobuf.Value.number_value: invalid "


class RequestLimits(Struct, frozen=True, kw_only=True):
    """How much one request may ask."""

    actions_per_resource: int = 50
    resources_per_request: int = 50

    def check(self, resources: int, actions: int) -> None:
        """Raise CerbosError when a request asks more."""
        self.check_resources(resources)
        if actions > self.actions_per_resource:
            raise CerbosError(
                INVALID_ARGUMENT,
                f"number of actions ({actions}) exceeds configured limit ({self.actions_per_resource})",
            )

    def check_resources(self, resources: int) -> None:
        """As `check`, for the resources alone."""
        if resources > self.resources_per_request:
            raise CerbosError(
                INVALID_ARGUMENT,
                f"number of resources in batch ({resources}) exceeds configured limit ({self.resources_per_request})",
            )


class Token(Struct, frozen=True):
    """A token of a request, to be verified with a key set ("" for the only one)."""

    text: str
    key_set: str = ""


class ServedRequest(Struct, frozen=True, kw_only=True):
    """A decoded check. `tokens` are verified by the server; `include_meta` is asked by the client."""

    request: CheckRequest
    include_meta: bool = False
    token: Token | None = None
    tokens: Mapping[str, Token] = {}


def read_check_resources(body: bytes, limits: RequestLimits) -> ServedRequest:
    """`POST /api/check/resources`. Raises CerbosError."""
    message = decode_message("CheckResources", body)
    return _batch(message, limits, include_meta=message.get("include_meta", False))


def read_check_batch(body: bytes, limits: RequestLimits) -> ServedRequest:
    """`POST /api/check_resource_batch`. Raises CerbosError."""
    return _batch(decode_message("CheckResourceBatch", body), limits, include_meta=False)


def read_check_set(body: bytes, limits: RequestLimits) -> ServedRequest:
    """`POST /api/check`. Raises CerbosError."""
    message = decode_message("CheckResourceSet", body)
    given = message["resource"]
    actions = tuple(message["actions"])
    limits.check(len(given["instances"]), len(actions))
    checks = tuple(
        Check(
            Resource(
                given["kind"],
                name,
                instance.get("attr", {}),
                given.get("policy_version", ""),
                given.get("scope", ""),
            ),
            actions,
        )
        for name, instance in given["instances"].items()
    )
    return _served(message, checks, include_meta=message.get("include_meta", False))


def _batch(message: Mapping[str, Any], limits: RequestLimits, *, include_meta: bool) -> ServedRequest:
    entries = message["resources"]
    limits.check(len(entries), max(len(entry["actions"]) for entry in entries))
    checks = tuple([Check(_resource(entry["resource"]), tuple(entry["actions"])) for entry in entries])
    return _served(message, checks, include_meta=include_meta)


def _resource(given: Mapping[str, Any]) -> Resource:
    return Resource(
        given["kind"],
        given["id"],
        given.get("attr", {}),
        given.get("policy_version", ""),
        given.get("scope", ""),
    )


def _served(message: Mapping[str, Any], checks: tuple[Check, ...], *, include_meta: bool) -> ServedRequest:
    principal = message["principal"]
    aux = message.get("aux_data", {})
    request = CheckRequest(
        principal=Principal(
            id=principal["id"],
            roles=tuple(principal["roles"]),
            attr=principal.get("attr", {}),
            policy_version=principal.get("policy_version", ""),
            scope=principal.get("scope", ""),
        ),
        checks=checks,
        request_id=message.get("request_id", ""),
    )
    return ServedRequest(
        request=request,
        include_meta=include_meta,
        token=read_token(aux["jwt"]) if "jwt" in aux else None,
        tokens={name: read_token(given) for name, given in aux.get("jwts", {}).items()},
    )


def read_token(given: Mapping[str, Any]) -> Token:
    """A token message."""
    return Token(given["token"], given.get("key_set_id", ""))


def with_claims(
    request: CheckRequest, claims: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]
) -> CheckRequest:
    """A request with the claims of its verified tokens."""
    jwts = {name: {"claims": found} for name, found in others.items()}
    return msgspec.structs.replace(request, aux_data=AuxData(claims, jwts))


def refuse_limits(answer: CheckAnswer) -> None:
    """Raise CerbosError when an expression hit its cost limit: such an answer is an error, never an effect."""
    for result in answer.results:
        for error in result.absorbed:
            if error.kind == "limit":
                raise CerbosError(RESOURCE_EXHAUSTED, f"{error.place.policy}: {error.message}")


def write_check_resources(served: ServedRequest, answer: CheckAnswer, call_id: str) -> dict[str, Any]:
    """The reply of `/api/check/resources`."""
    return {**results_of(served.request, answer, include_meta=served.include_meta), "cerbosCallId": call_id}


def results_of(request: CheckRequest, answer: CheckAnswer, *, include_meta: bool) -> dict[str, Any]:
    """`{requestId, results}` of a check."""
    reply: dict[str, Any] = {"requestId": request.request_id} if request.request_id else {}
    reply["results"] = [
        _result(check.resource, result, include_meta=include_meta)
        for check, result in zip(request.checks, answer.results, strict=True)
    ]
    return reply


def _result(resource: Resource, result: ResourceDecision, *, include_meta: bool) -> dict[str, Any]:
    identity = {"id": resource.id, "kind": resource.kind}
    if resource.policy_version:
        identity["policyVersion"] = resource.policy_version
    if resource.scope:
        identity["scope"] = resource.scope
    found: dict[str, Any] = {"resource": identity, "actions": _effects(result)}
    if result.validation_errors:
        found["validationErrors"] = _errors(result)
    if include_meta:
        found["meta"] = _meta(result)
    if result.outputs:
        found["outputs"] = [_output(output) for output in result.outputs]
    return found


def _effects(result: ResourceDecision) -> dict[str, str]:
    return {action: decision.effect for action, decision in result.actions.items()}


def _meta(result: ResourceDecision) -> dict[str, Any]:
    actions: dict[str, dict[str, str]] = {}
    for action, decision in result.actions.items():
        actions[action] = {"matchedPolicy": decision.matched_policy} if decision.matched_policy else {}
        if decision.matched_scope:
            actions[action]["matchedScope"] = decision.matched_scope
    meta: dict[str, Any] = {"actions": actions}
    if result.effective_derived_roles:
        meta["effectiveDerivedRoles"] = result.effective_derived_roles
    return meta


def _errors(result: ResourceDecision) -> list[dict[str, str]]:
    return [
        {"path": error.path, "message": error.message, "source": error.source}
        for error in result.validation_errors
    ]


def _output(output: Output) -> dict[str, Any]:
    found: dict[str, Any] = {"src": output.src}
    if output.error.startswith(_NOT_JSON):
        # Cerbos notices only when it writes the reply, and answers nothing at all.
        raise CerbosError(UNKNOWN, output.error)
    if output.error:
        found["error"] = output.error
    else:
        found["val"] = output.val
    if output.action:
        found["action"] = output.action
    return found


def write_check_batch(served: ServedRequest, answer: CheckAnswer) -> dict[str, Any]:
    """The reply of `/api/check_resource_batch`."""
    reply: dict[str, Any] = {"requestId": served.request.request_id} if served.request.request_id else {}
    reply["results"] = [
        {"resourceId": result.id, "actions": _effects(result)}
        | ({"validationErrors": _errors(result)} if result.validation_errors else {})
        for result in answer.results
    ]
    return reply


def write_check_set(served: ServedRequest, answer: CheckAnswer) -> dict[str, Any]:
    """The reply of `/api/check`."""
    reply: dict[str, Any] = {"requestId": served.request.request_id} if served.request.request_id else {}
    reply["resourceInstances"] = {
        result.id: {"actions": _effects(result)}
        | ({"validationErrors": _errors(result)} if result.validation_errors else {})
        for result in answer.results
    }
    if served.include_meta:
        reply["meta"] = {"resourceInstances": {result.id: _meta(result) for result in answer.results}}
    return reply


def encode_reply(reply: Mapping[str, Any], *, pretty: bool = False) -> bytes:
    """The JSON of a reply."""
    body = msgspec.json.encode(reply)
    return msgspec.json.format(body, indent=2) if pretty else body


_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(uuid7: str) -> str:
    """The bits of a UUIDv7 as a ULID, which begins with the same milliseconds: the form of Cerbos' call ids."""
    value = int(uuid7.replace("-", ""), 16)
    return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))
