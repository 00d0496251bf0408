"""The rule table: policies resolved, each rule unfolded into the steps that an action and a role can take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from gateway.domain.check import RulePlace
from gateway.policy.cel import Program
from gateway.policy.conditions import Condition, NamesUsed, Parameters
from gateway.policy.globs import NameSet
from gateway.policy.model import Effect, SchemaReference


class DerivedRoleRow(Struct, frozen=True, eq=False, kw_only=True):
    """One derived role, ready to test. A glob among its parents binds rules, but gives nobody the role.

    `uses_runtime`: its condition reads the effective derived roles, which are other ones while these are being told.
    """

    name: str
    place: RulePlace
    parents: NameSet
    condition: Condition | None
    parameters: Parameters
    names: NamesUsed
    uses_runtime: bool

    def is_given_to(self, roles: frozenset[str]) -> bool:
        """Whether one of the roles, taken literally, is a parent."""
        return not roles.isdisjoint(self.parents.patterns) or "*" in self.parents.patterns


class RuleRow(Struct, frozen=True, eq=False, kw_only=True):
    """One rule, ready to test. `number` is unique in the table.

    `denies_unless`: the rule was an ALLOW whose scope needs the parent's consent, or a role policy's; what stays of it
    is a DENY for whoever does not meet the condition.
    """

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
    denies_unless: bool
    activated: Program | None
    not_met: Program | None
    parameters: Parameters
    names: NamesUsed
    """Of the condition."""
    output_names: NamesUsed

    def programs(self) -> list[Program]:
        """Every program of its condition and outputs."""
        found = self.condition.programs() if self.condition is not None else []
        return [*found, *(program for program in (self.activated, self.not_met) if program is not None)]


class Step(Struct, frozen=True, eq=False, kw_only=True):
    """What one rule does for one action and role. Equal `number`s hold or fail together within a check.

    A rule has a step for every pair of its action patterns and roles that match: its outputs are repeated so. `rule` None:
    no rule of a role policy names the action, which denies it. `attributed_to`: the policy named as the matching one, ""
    for the most specific of the resource.
    """

    number: int = 0
    rule: RuleRow | None = None
    derived: DerivedRoleRow | None = None
    denies: bool = True
    allows: bool = False
    activated: Program | None = None
    not_met: Program | None = None
    place: RulePlace
    attributed_to: str = ""


class PolicyRow:
    """One resource or principal policy of a version and scope."""

    def __init__(
        self,
        *,
        key: str,
        scope: str,
        rules: Sequence[RuleRow],
        derived_roles: Sequence[DerivedRoleRow] = (),
        schemas: tuple[SchemaReference | None, SchemaReference | None] = (None, None),
    ) -> None:
        self.key = key
        self.scope = scope
        self.rules = tuple(rules)
        self.derived_roles = tuple(derived_roles)
        """The derived roles that its rules name, sorted."""
        self.schemas = schemas
        """Of the principal and of the resource."""

    def steps(self, action: str, roles: Sequence[str], kind: str) -> list[Step]:
        """What its rules do for an action of any of the roles, in the order of the file."""
        found: list[Step] = []
        for rule in self.rules:
            patterns = rule.actions.count(action)
            if not patterns or not rule.resource.matches(kind):
                continue
            once = [_step(rule, None, rule.number)] * rule.roles.count_any(roles)
            for at, derived in enumerate(rule.derived_roles, 1):
                once += [_step(rule, derived, rule.number + at)] * derived.parents.count_any(roles)
            found += once * patterns
        return found


def _step(rule: RuleRow, derived: DerivedRoleRow | None, number: int) -> Step:
    denies = rule.denies_unless or rule.effect == "EFFECT_DENY"
    return Step(
        number=number,
        rule=rule,
        derived=derived,
        denies=denies,
        allows=not denies,
        activated=rule.activated,
        not_met=rule.not_met,
        place=rule.place,
    )


class RolePolicyRow:
    """One role policy: what it does not name is denied, what it names goes on to the rules of parents."""

    def __init__(self, *, key: str, role: str, rules: Sequence[RuleRow]) -> None:
        self.key = key
        self.role = role
        self.rules = tuple(rules)

    def steps(self, action: str, kind: str) -> list[Step]:
        """A DENY when no rule names the action; else one for each condition that must hold, and outputs."""
        matched = [rule for rule in self.rules if rule.resource.matches(kind) and rule.actions.count(action)]
        if not matched:
            return [Step(place=RulePlace(policy=self.key), attributed_to=self.key)]
        found: list[Step] = []
        for rule in matched:
            if rule.condition is None and rule.activated is None:
                continue
            swap = rule.condition is not None
            found.append(
                Step(
                    number=rule.number,
                    rule=rule,
                    denies=swap,
                    activated=rule.not_met if swap else rule.activated,
                    not_met=rule.activated if swap else None,
                    place=rule.place,
                    attributed_to=self.key,
                )
            )
        return found

    def names(self, kind: str) -> bool:
        """Whether a rule is about a kind."""
        return any(rule.resource.matches(kind) for rule in self.rules)


class Table(Struct, frozen=True, eq=False, kw_only=True):
    """Everything a check looks up. Policies are keyed (name, version, scope), role policies (version, scope) and role."""

    resources: Mapping[tuple[str, str, str], PolicyRow]
    principals: Mapping[tuple[str, str, str], PolicyRow]
    roles: Mapping[tuple[str, str], Mapping[str, RolePolicyRow]]
    parent_roles: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]]
    """By scope, role and the version of the role policy."""
    kinds: frozenset[tuple[str, str]]
    """(kind, scope) pairs that have a resource policy of some version."""
    layers: tuple[str, ...]
    """Their scopes but the root, sorted."""
    resource_scopes: frozenset[str]
    principal_scopes: frozenset[str]
    principal_versions: frozenset[tuple[str, str]]
    """(version, scope) pairs that hold a principal policy, whoever it is about."""
    consent_scopes: frozenset[str]
    """Scopes whose ALLOWs need the parent's consent."""
    globals: Mapping[str, Any]

    def with_ancestors(self, role: str, scope: str, version: str) -> tuple[str, ...]:
        """A role and, through the role policies of a scope, the roles it stands for; nearest first.

        A role has the parents that its role policy of the version gives it, else those of its policy of another version:
        Cerbos keeps them for all versions together.
        """
        of_scope = self.parent_roles.get(scope)
        if not of_scope or role not in of_scope:
            return (role,)
        found = [role]
        for name in found:
            versions = of_scope.get(name)
            if versions:
                parents = versions.get(version)
                if parents is None:
                    parents = next(iter(versions.values()))
                # A role that is its own ancestor counts twice: its rules are taken twice, and their outputs repeated.
                found += [parent for parent in parents if parent not in found[1:]]
        return tuple(found)


def scope_chain(scope: str) -> list[str]:
    """A scope and its ancestors: `a.b`, `a`, ""."""
    found = [scope]
    while scope:
        scope = scope.rpartition(".")[0]
        found.append(scope)
    return found
