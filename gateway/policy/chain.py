"""The policies that can speak about one kind, version and scope, found once and kept: a check costs what can match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from msgspec import Struct

from gateway.domain.check import NO_MATCH
from gateway.policy.model import SchemaReference, sanitised
from gateway.policy.reads import NOTHING, Reads, reads_of
from gateway.policy.table import PolicyRow, RolePolicyRow, Step, Table, scope_chain

_CHAINS_KEPT = 4096
_STEPS_KEPT = 1024

Link = tuple["ScopeRows", tuple[Step, ...]]


class ScopeRows(Struct, frozen=True, eq=False, kw_only=True):
    """What one scope holds for a kind (or a principal) of a version."""

    scope: str
    policy: PolicyRow | None
    role_policies: Mapping[str, RolePolicyRow]
    consent: bool


class Chain:
    """The scopes that count, most specific first, and what rules in them do for an action and role.

    `key` is what a decision names as matching: the key that a policy in the most specific of them would have, or that
    there is none. `exists`: some rule in them is about the kind (or, for principals, about anybody).
    """

    def __init__(
        self,
        *,
        key: str,
        kind: str,
        scopes: Sequence[ScopeRows],
        exists: bool,
        schemas: tuple[SchemaReference | None, SchemaReference | None] | None,
    ) -> None:
        self.key = key if exists else NO_MATCH
        self.refusal = key
        """What a refusal for wrong attributes names, whether or not a rule is about the kind."""
        self.kind = kind
        self.scopes = tuple(scopes)
        self.exists = exists
        self.schemas = schemas
        self._steps: dict[tuple[str, tuple[str, ...]], tuple[Link, ...]] = {}

    @cached_property
    def reads(self) -> Reads:
        """What the policies of all its scopes read."""
        found = NOTHING
        for rows in self.scopes:
            if rows.policy is not None:
                found |= reads_of(rows.policy.rules, rows.policy.derived_roles)
            for narrowing in rows.role_policies.values():
                found |= reads_of(narrowing.rules)
        return found

    def steps(self, action: str, roles: tuple[str, ...]) -> tuple[Link, ...]:
        """The steps of every scope. Kept, up to a number that no client can raise."""
        found = self._steps.get((action, roles))
        if found is None:
            if len(self._steps) >= _STEPS_KEPT:
                self._steps.clear()
            found = tuple((rows, self._of_scope(rows, action, roles)) for rows in self.scopes)
            self._steps[action, roles] = found
        return found

    def _of_scope(self, rows: ScopeRows, action: str, roles: tuple[str, ...]) -> tuple[Step, ...]:
        found: list[Step] = []
        for role in roles:
            narrowing = rows.role_policies.get(role)
            if narrowing is not None:
                found += narrowing.steps(action, self.kind)
        if rows.policy is not None:
            found += rows.policy.steps(action, roles, self.kind)
        return tuple(found)


_NO_ROLES: Mapping[str, RolePolicyRow] = {}


class Chains:
    """Chains of a table, made when they are first asked for."""

    def __init__(self, table: Table, *, lenient: bool) -> None:
        self._table = table
        self._lenient = lenient
        self._resources: dict[tuple[str, str, str], Chain] = {}
        self._principals: dict[tuple[str, str, str, str, str], Chain] = {}

    def of_resource(self, kind: str, version: str, scope: str) -> Chain:
        """The resource and role policies for a kind."""
        key = (kind, version, scope)
        found = self._resources.get(key)
        if found is None:
            if len(self._resources) >= _CHAINS_KEPT:
                self._resources.clear()
            found = self._resources[key] = self._resource(sanitised(kind), version, scope)
        return found

    def of_principal(self, identifier: str, version: str, scope: str, kind: str, own_version: str) -> Chain:
        """The principal policies for an id, about a kind.

        They are looked up by the version asked of the resource and named by the principal's own, as Cerbos does.
        """
        key = (identifier, version, scope, kind, own_version)
        found = self._principals.get(key)
        if found is None:
            if len(self._principals) >= _CHAINS_KEPT:
                self._principals.clear()
            found = self._principals[key] = self._principal(
                identifier, version, scope, sanitised(kind), own_version
            )
        return found

    def _resource(self, kind: str, version: str, scope: str) -> Chain:
        table = self._table
        scopes: list[ScopeRows] = []
        exists = False
        for name in visible_scopes(scope, table.resource_scopes, lenient=self._lenient):
            policy = table.resources.get((kind, version, name))
            role_policies = table.roles.get((version, name), _NO_ROLES)
            exists = exists or policy is not None or any(row.names(kind) for row in role_policies.values())
            scopes.append(
                ScopeRows(
                    scope=name,
                    policy=policy,
                    role_policies=role_policies,
                    consent=name in table.consent_scopes,
                )
            )
        return Chain(
            key=_key("resource", kind, version, scopes),
            kind=kind,
            scopes=scopes,
            exists=exists,
            schemas=self._schemas(kind, version, scopes),
        )

    def _schemas(
        self, kind: str, version: str, scopes: Sequence[ScopeRows]
    ) -> tuple[SchemaReference | None, SchemaReference | None] | None:
        """The schemas of the root policy, as long as the most specific scope has a policy of the kind."""
        if not scopes or scopes[0].policy is None:
            return None
        root = self._table.resources.get((kind, version, ""))
        return root.schemas if root is not None else None

    def _principal(self, identifier: str, version: str, scope: str, kind: str, own_version: str) -> Chain:
        table = self._table
        scopes = [
            ScopeRows(
                scope=name,
                policy=table.principals.get((identifier, version, name)),
                role_policies=_NO_ROLES,
                consent=name in table.consent_scopes,
            )
            for name in visible_scopes(scope, table.principal_scopes, lenient=self._lenient)
        ]
        return Chain(
            key=_key("principal", sanitised(identifier), own_version, scopes),
            kind=kind,
            scopes=scopes,
            exists=any((own_version, rows.scope) in table.principal_versions for rows in scopes),
            schemas=None,
        )


def _key(prefix: str, name: str, version: str, scopes: Sequence[ScopeRows]) -> str:
    if not scopes:
        return ""
    key = f"{prefix}.{name}.v{version}"
    return f"{key}/{scopes[0].scope}" if scopes[0].scope else key


def visible_scopes(scope: str, existing: frozenset[str], *, lenient: bool) -> tuple[str, ...]:
    """The scopes that count for a wanted one: none when it does not exist, unless the search is lenient."""
    if not lenient and scope not in existing:
        return ()
    return tuple(name for name in scope_chain(scope) if name in existing)
