"""Cerbos' check API on the wire, `POST /api/check/resources`: bytes to domain and back. Pure.

Source of the shapes: the Cerbos API 0.55. Unknown fields are tolerated; an answer that does not fit its question, position
by position, is refused, since a decision read from another resource is worse than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from gateway.domain.check import (
    ALLOW,
    DENY,
    ActionDecision,
    Check,
    CheckAnswer,
    CheckRequest,
    Output,
    ResourceDecision,
    ValidationError,
)
from gateway.errors import PdpInvalid


class _WirePrincipal(Struct, rename="camel", omit_defaults=True):
    id: str
    roles: tuple[str, ...]
    attr: Mapping[str, Any] = field(default_factory=dict)
    policy_version: str = ""
    scope: str = ""


class _WireResource(Struct, rename="camel", omit_defaults=True):
    kind: str
    id: str
    attr: Mapping[str, Any] = field(default_factory=dict)
    policy_version: str = ""
    scope: str = ""


class _WireEntry(Struct):
    actions: tuple[str, ...]
    resource: _WireResource


class _WireRequest(Struct, rename="camel", omit_defaults=True):
    principal: _WirePrincipal
    resources: tuple[_WireEntry, ...]
    request_id: str = ""
    include_meta: bool = False


class _WireActionMeta(Struct, rename="camel"):
    matched_policy: str = ""
    matched_scope: str = ""


class _WireMeta(Struct, rename="camel"):
    actions: dict[str, _WireActionMeta] = field(default_factory=dict)
    effective_derived_roles: tuple[str, ...] = ()


class _WireOutput(Struct):
    src: str = ""
    val: Any = None
    action: str = ""
    error: str = ""


class _WireValidation(Struct):
    path: str = ""
    message: str = ""
    source: str = ""


class _WireIdentity(Struct, rename="camel"):
    id: str = ""
    kind: str = ""
    policy_version: str = ""
    scope: str = ""


class _WireResult(Struct, rename="camel"):
    resource: _WireIdentity = field(default_factory=_WireIdentity)
    actions: dict[str, str] = field(default_factory=dict)
    validation_errors: tuple[_WireValidation, ...] = ()
    meta: _WireMeta | None = None
    outputs: tuple[_WireOutput, ...] = ()


class _WireResponse(Struct, rename="camel"):
    request_id: str = ""
    results: tuple[_WireResult, ...] = ()
    cerbos_call_id: str = ""


class WireError(Struct, frozen=True):
    """Cerbos' error body."""

    code: int = 0
    message: str = ""


_RESPONSE = msgspec.json.Decoder(_WireResponse)
_ERROR = msgspec.json.Decoder(WireError)


def encode_check_request(request: CheckRequest) -> bytes:
    """The body of a check, `includeMeta` on: without it *no policy* could not be told from *denied*."""
    principal = request.principal
    return msgspec.json.encode(
        _WireRequest(
            principal=_WirePrincipal(
                id=principal.id,
                roles=principal.roles,
                attr=principal.attr,
                policy_version=principal.policy_version,
                scope=principal.scope,
            ),
            resources=tuple(_entry(check) for check in request.checks),
            request_id=request.request_id,
            include_meta=True,
        )
    )


def decode_check_response(body: bytes, request: CheckRequest) -> CheckAnswer:
    """The answer to a request. Raises PdpInvalid when it is no answer to exactly that."""
    try:
        response = _RESPONSE.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid(f"The answer is no Cerbos answer: {error}.") from None
    if len(response.results) != len(request.checks):
        raise _invalid(f"{len(request.checks)} resources were asked, {len(response.results)} were answered.")
    results = tuple(
        _result(given, check) for given, check in zip(response.results, request.checks, strict=True)
    )
    return CheckAnswer(results=results, call_id=response.cerbos_call_id)


def decode_error(body: bytes) -> WireError:
    """Cerbos' error of a body, as far as it is one."""
    try:
        return _ERROR.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return WireError()


def _entry(check: Check) -> _WireEntry:
    resource = check.resource
    return _WireEntry(
        actions=check.actions,
        resource=_WireResource(
            kind=resource.kind,
            id=resource.id,
            attr=resource.attr,
            policy_version=resource.policy_version,
            scope=resource.scope,
        ),
    )


def _result(given: _WireResult, check: Check) -> ResourceDecision:
    resource = check.resource
    if (given.resource.kind, given.resource.id) != (resource.kind, resource.id):
        raise _invalid(f"The answer for {resource.kind} {resource.id[:80]!r} is about another resource.")
    if given.resource.scope != resource.scope:
        raise _invalid(
            f"The answer for {resource.kind} is about scope {given.resource.scope!r}, not {resource.scope!r}."
        )
    if set(given.actions) != set(check.actions):
        raise _invalid(f"The answer for {resource.kind} is about other actions than were asked.")
    meta = given.meta or _WireMeta()
    actions: dict[str, ActionDecision] = {}
    for action in check.actions:
        effect = given.actions[action]
        if effect not in {ALLOW, DENY}:
            raise _invalid(f"The answer for {resource.kind} {action} is {effect!r}, which is no effect.")
        told = meta.actions.get(action, _WireActionMeta())
        actions[action] = ActionDecision(effect, told.matched_policy, told.matched_scope)
    return ResourceDecision(
        kind=resource.kind,
        id=resource.id,
        actions=actions,
        outputs=tuple(Output(item.src, item.val, item.action, item.error) for item in given.outputs),
        effective_derived_roles=meta.effective_derived_roles,
        validation_errors=tuple(
            ValidationError(item.path, item.message, item.source) for item in given.validation_errors
        ),
    )


def _invalid(message: str) -> PdpInvalid:
    return PdpInvalid(
        message, number=3, remedy="Check that cerbos.url is a Cerbos PDP of a supported version."
    )
