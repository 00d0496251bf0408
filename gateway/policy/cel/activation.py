"""What an expression can see while it runs: the request, the policy's names, the clock and the budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.policy.cel.budget import Budget
from gateway.policy.cel.values import doubles

_EMPTY: dict[str, Any] = {}


def _message(fields: Mapping[str, Any]) -> dict[str, Any]:
    attributes = fields.get("attr")
    normal = doubles(attributes) if attributes else {}
    if type(fields) is dict and normal is attributes:
        return fields
    return {**fields, "attr": normal}


class Activation:
    """The names of one evaluation. Reuse one object for the expressions of a check and set what differs.

    `principal` {"id", "roles", "attr", "policyVersion", "scope"}, `resource` {"kind", "id", "attr", "policyVersion",
    "scope"}, `aux_data` {"jwt"}, `constants` and `globals` are JSON data; numbers in them become doubles when they
    are set. `variables` are values that `Program.evaluate` returned. `runtime` is {"effectiveDerivedRoles"}. `now`
    is in nanoseconds since 1970. `budget` is shared by whoever shares it.
    """

    __slots__ = (
        "_aux",
        "_constants",
        "_globals",
        "_principal",
        "_resource",
        "budget",
        "now",
        "principal_attr",
        "resource_attr",
        "runtime",
        "variables",
    )

    def __init__(
        self,
        *,
        principal: Mapping[str, Any] = _EMPTY,
        resource: Mapping[str, Any] = _EMPTY,
        aux_data: Mapping[str, Any] = _EMPTY,
        variables: dict[str, Any] | None = None,
        constants: Mapping[str, Any] = _EMPTY,
        globals: Mapping[str, Any] = _EMPTY,  # noqa: A002  # the name Cerbos gives it
        runtime: Mapping[str, Any] = _EMPTY,
        now: int = 0,
        budget: Budget | None = None,
    ) -> None:
        self.principal = principal
        self.resource = resource
        self.aux_data = aux_data
        self.variables = {} if variables is None else variables
        self.constants = constants
        self.globals = globals
        self.runtime = runtime
        self.now = now
        self.budget = Budget() if budget is None else budget

    @property
    def principal(self) -> Mapping[str, Any]:
        """The principal as expressions see it."""
        return self._principal

    @principal.setter
    def principal(self, fields: Mapping[str, Any]) -> None:
        self._principal: Mapping[str, Any] = _message(fields)
        self.principal_attr = self._principal.get("attr") or {}

    @property
    def resource(self) -> Mapping[str, Any]:
        """The resource as expressions see it."""
        return self._resource

    @resource.setter
    def resource(self, fields: Mapping[str, Any]) -> None:
        self._resource = _message(fields)
        self.resource_attr = self._resource.get("attr") or {}

    @property
    def aux_data(self) -> Mapping[str, Any]:
        """The auxiliary data: the claims of a verified token under "jwt"."""
        return self._aux

    @aux_data.setter
    def aux_data(self, fields: Mapping[str, Any]) -> None:
        self._aux: Mapping[str, Any] = doubles(dict(fields))

    @property
    def constants(self) -> Mapping[str, Any]:
        """The policy's constants."""
        return self._constants

    @constants.setter
    def constants(self, values: Mapping[str, Any]) -> None:
        self._constants: Mapping[str, Any] = doubles(values if type(values) is dict else dict(values))

    @property
    def globals(self) -> Mapping[str, Any]:
        """The globals of the engine's configuration."""
        return self._globals

    @globals.setter  # noqa: A003  # the name Cerbos gives it
    def globals(self, values: Mapping[str, Any]) -> None:
        self._globals: Mapping[str, Any] = doubles(values if type(values) is dict else dict(values))
