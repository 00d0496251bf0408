"""The names of the environment as values: records of the request, the policy's variables and constants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.declarations import AUX_DATA, PRINCIPAL, REQUEST, RESOURCE, RUNTIME
from gateway.policy.cel.values import Message

_PRINCIPAL: Final[tuple[tuple[str, Any], ...]] = (
    ("id", ""),
    ("roles", ()),
    ("attr", {}),
    ("policyVersion", ""),
    ("scope", ""),
)
_RESOURCE: Final[tuple[tuple[str, Any], ...]] = (
    ("kind", ""),
    ("id", ""),
    ("attr", {}),
    ("policyVersion", ""),
    ("scope", ""),
)


def _record(label: str, data: Mapping[str, Any], fields: tuple[tuple[str, Any], ...]) -> Message:
    values = {name: data.get(name) or default for name, default in fields}
    if "roles" in values:
        values["roles"] = list(values["roles"])
    return Message(label, values)


def principal(ctx: Activation) -> Message:
    """`P`."""
    return _record(PRINCIPAL.label, ctx.principal, _PRINCIPAL)


def resource(ctx: Activation) -> Message:
    """`R`."""
    return _record(RESOURCE.label, ctx.resource, _RESOURCE)


def global_value(ctx: Activation, name: str) -> Any:
    """The value of a name of the environment."""
    if name in ("R", "P"):
        return resource(ctx) if name == "R" else principal(ctx)
    if name in ("V", "variables"):
        return ctx.variables
    if name in ("C", "constants"):
        return ctx.constants
    if name in ("G", "globals"):
        return ctx.globals
    if name == "runtime":
        return Message(
            RUNTIME.label, {"effectiveDerivedRoles": list(ctx.runtime.get("effectiveDerivedRoles") or ())}
        )
    aux = Message(AUX_DATA.label, {name: ctx.aux_data.get(name) or {} for name in ("jwt", "jwts")})
    return Message(REQUEST.label, {"principal": principal(ctx), "resource": resource(ctx), "auxData": aux})
