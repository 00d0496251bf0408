"""The rule table: policies resolved and indexed, so that a decision's cost is that of the rules that can match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cachetools import LRUCache
from msgspec import Struct

from gateway.domain.check import RulePlace
from gateway.policy.cel import Program
from gateway.policy.conditions import Condition, Parameters
from gateway.policy.globs import NameSet
from gateway.policy.model import Effect, SchemaReference

_ACTIONS_KEPT = 256


class DerivedRoleRow(Struct, frozen=True, eq=False, kw_only=True):
    """One derived role, ready to test."""

    name: str
    parents: NameSet
    condition: Condition | None
    parameters: Parameters


class RuleRow(Struct, frozen=True, eq=False, kw_only=True):
    """One rule, ready to test. `number` is unique in the table."""

    number: int
    place: RulePlace
    source: str
    """What outputs name: `<policy key>#<rule>`."""
    effect: Effect
    actions: NameSet
    roles: NameSet
    derived_roles: tuple[DerivedRoleRow, ...]
    resource: NameSet
    condition: Condition | None
    activated: Program | None
    not_met: Program | None
    parameters: Parameters
    needs_variables: bool


class PolicyRow:
    """One resource, principal or role policy, its rules indexed by action."""

    def __init__(
        self,
        *,
        key: str,
        scope: str,
        rules: Sequence[RuleRow],
        consent: bool = False,
        derived_roles: Sequence[DerivedRoleRow] = (),
        principal_schema: SchemaReference | None = None,
        resource_schema: SchemaReference | None = None,
        role: str = "",
        parent_roles: tuple[str, ...] = (),
    ) -> None:
        self.key = key
        self.scope = scope
        self.rules = tuple(rules)
        self.consent = consent
        self.derived_roles = tuple(derived_roles)
        self.principal_schema = principal_schema
        self.resource_schema = resource_schema
        self.role = role
        self.parent_roles = parent_roles
        self._by_action: LRUCache[str, tuple[RuleRow, ...]] = LRUCache(maxsize=_ACTIONS_KEPT)

    def rules_for(self, action: str) -> tuple[RuleRow, ...]:
        """The rules that name an action, in the order of the file."""
        found = self._by_action.get(action)
        if found is None:
            found = tuple(rule for rule in self.rules if rule.actions.matches(action))
            self._by_action[action] = found
        return found


class Table(Struct, frozen=True, eq=False, kw_only=True):
    """Everything a check looks up. Keys are (name, version, scope)."""

    resources: Mapping[tuple[str, str, str], PolicyRow]
    principals: Mapping[tuple[str, str, str], PolicyRow]
    roles: Mapping[tuple[str, str, str], PolicyRow]
    resource_scopes: frozenset[str]
    principal_scopes: frozenset[str]
    role_scopes: frozenset[tuple[str, str]]
    """(version, scope) pairs that hold a role policy."""
    globals: Mapping[str, Any]


def scope_chain(scope: str) -> list[str]:
    """A scope and its ancestors: `a.b`, `a`, ""."""
    found = [scope]
    while scope:
        scope = scope.rpartition(".")[0]
        found.append(scope)
    return found
