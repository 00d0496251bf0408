"""What of a request can change the answer about a kind: two requests that agree in it are decided alike."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from gateway.policy.cel import Program
from gateway.policy.table import DerivedRoleRow, RuleRow


class Reads(Struct, frozen=True, kw_only=True):
    """What policies read beside what always counts: kind, actions, roles, versions and scopes, in their order.

    Attributes are first-level names; None is all of them. `principal_id` also counts where policies are written for single
    principals. `now`: the answer holds for the moment only.
    """

    resource_attributes: frozenset[str] | None = frozenset()
    principal_attributes: frozenset[str] | None = frozenset()
    resource_id: bool = False
    principal_id: bool = False
    aux_data: bool = False
    now: bool = False

    def __or__(self, other: Reads) -> Reads:
        """What either reads."""
        return Reads(
            resource_attributes=_both(self.resource_attributes, other.resource_attributes),
            principal_attributes=_both(self.principal_attributes, other.principal_attributes),
            resource_id=self.resource_id or other.resource_id,
            principal_id=self.principal_id or other.principal_id,
            aux_data=self.aux_data or other.aux_data,
            now=self.now or other.now,
        )


NOTHING = Reads()
ATTRIBUTES = Reads(resource_attributes=None, principal_attributes=None)
"""All of them, as schemas do."""


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return None if one is None or other is None else one | other


def reads_of(rules: Iterable[RuleRow], derived_roles: Iterable[DerivedRoleRow] = ()) -> Reads:
    """What some rules and derived roles read, through variables too."""
    found = NOTHING
    for program in _programs(rules, derived_roles):
        found |= _reads_of_program(program)
    return found


def _programs(rules: Iterable[RuleRow], derived_roles: Iterable[DerivedRoleRow]) -> Iterable[Program]:
    for rule in rules:
        yield from rule.programs()
        yield from (program for _, program in rule.parameters.variables)
    for role in derived_roles:
        yield from role.condition.programs() if role.condition else ()
        yield from (program for _, program in role.parameters.variables)


def _reads_of_program(program: Program) -> Reads:
    names = program.references
    return Reads(
        resource_attributes=None if names.whole_resource else names.resource_attributes,
        principal_attributes=None if names.whole_principal else names.principal_attributes,
        resource_id=names.whole_resource or "R.id" in names.reads,
        principal_id=names.whole_principal or "P.id" in names.reads,
        aux_data=names.uses_aux_data,
        now=names.uses_now,
    )
