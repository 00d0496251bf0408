"""A check against the rule table, in Cerbos' order (docs/adr: the engine decides as a Cerbos PDP 0.55 documents).

For each action: principal policies first, and their decision ends it; else for each role the scopes from the most specific
to the root; in a scope a satisfied DENY ends the role, ALLOWs count at the scope's end. The first role that allows wins.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from gateway.domain.check import (
    DENY,
    NO_MATCH,
    AbsorbedError,
    ActionDecision,
    Output,
    ResourceDecision,
    RulePlace,
    ValidationError,
)
from gateway.policy.cel import Activation
from gateway.policy.conditions import Failure, Scratch, output_value
from gateway.policy.table import DerivedRoleRow, PolicyRow, RuleRow, Table, scope_chain


class Asked(Struct, frozen=True, kw_only=True):
    """One resource with its settings filled in."""

    kind: str
    identifier: str
    version: str
    resource_scopes: tuple[str, ...]
    principal_scopes: tuple[str, ...]
    principal_id: str
    roles: tuple[str, ...]


class _Found(Struct):
    """The result of a role or of the principal's policies."""

    effect: str
    key: str
    scope: str
    place: RulePlace | None = None


class Evaluation:
    """The evaluation of one resource's actions. Conditions are evaluated once, however many roles and actions ask."""

    def __init__(self, table: Table, asked: Asked, activation: Activation) -> None:
        self._table = table
        self._asked = asked
        self._scratch = Scratch(activation)
        self._activation = activation
        self._conditions: dict[int, bool] = {}
        self._derived: dict[int, bool] = {}
        self._runtime: dict[str, list[str]] = {}
        self._outputs: dict[tuple[str, str], Output] = {}
        self._absorbed: dict[AbsorbedError, None] = {}
        self._failures: dict[int, list[Failure]] = {}
        self._effective: set[str] = set()

    def run(
        self, actions: Iterable[str], errors: tuple[ValidationError, ...], *, refused: bool
    ) -> ResourceDecision:
        """The decision of every action. `refused`: the schemas say that nothing may be allowed."""
        decided: dict[str, ActionDecision] = {}
        for action in actions:
            found = self._decide(action) if not refused else _Found(DENY, self._policy_key(), "")
            decided[action] = ActionDecision(found.effect, found.key, found.scope, found.place)  # type: ignore[arg-type]
        return ResourceDecision(
            kind=self._asked.kind,
            id=self._asked.identifier,
            actions=decided,
            outputs=tuple(self._outputs.values()),
            effective_derived_roles=tuple(sorted(self._effective)),
            validation_errors=errors,
            absorbed=tuple(self._absorbed),
        )

    def _decide(self, action: str) -> _Found:
        asked = self._asked
        if not asked.resource_scopes and not asked.principal_scopes:
            return _Found(DENY, NO_MATCH, "")
        of_principal = self._by_principal(action)
        if of_principal is not None:
            return of_principal
        first: _Found | None = None
        for role in asked.roles:
            found = self._by_role(role, action)
            if found is None:
                continue
            if found.effect != DENY:
                return found
            first = first or found
        return first or _Found(DENY, self._policy_key() or NO_MATCH, "")

    def _policy_key(self) -> str:
        """The key of the most specific policy of the kind, "" when there is none."""
        asked = self._asked
        for scope in asked.resource_scopes:
            policy = self._table.resources.get((asked.kind, asked.version, scope))
            if policy is not None:
                return policy.key
        return ""

    def _by_principal(self, action: str) -> _Found | None:
        asked = self._asked
        for scope in asked.principal_scopes:
            policy = self._table.principals.get((asked.principal_id, asked.version, scope))
            if policy is None:
                continue
            rules = [rule for rule in policy.rules_for(action) if rule.resource.matches(asked.kind)]
            found = self._in_scope(policy, rules, action)
            if found is not None:
                return found
        return None

    def _by_role(self, role: str, action: str) -> _Found | None:
        asked = self._asked
        names = self._with_ancestors(role)
        for scope in asked.resource_scopes:
            refused = self._by_role_policies(names, scope, action)
            if refused is not None:
                return refused
            policy = self._table.resources.get((asked.kind, asked.version, scope))
            if policy is None:
                continue
            self._runtime_of(policy)
            rules = [rule for rule in policy.rules_for(action) if self._is_for(rule, names)]
            found = self._in_scope(policy, rules, action)
            if found is not None:
                return found
        return None

    def _in_scope(self, policy: PolicyRow, rules: list[RuleRow], action: str) -> _Found | None:
        """What the rules of one scope say: DENY at once, ALLOW at the end, nothing where the parent's consent is needed."""
        allowed: RuleRow | None = None
        denied: RuleRow | None = None
        for rule in rules:
            met = self._met(rule, action)
            if policy.consent and rule.effect != DENY:
                if not met:
                    denied = denied or rule
            elif met and rule.effect == DENY:
                return _Found(DENY, policy.key, policy.scope, rule.place)
            elif met:
                allowed = allowed or rule
        if denied is not None:
            return _Found(DENY, policy.key, policy.scope, denied.place)
        if allowed is not None:
            return _Found(allowed.effect, policy.key, policy.scope, allowed.place)
        return None

    def _by_role_policies(self, names: frozenset[str], scope: str, action: str) -> _Found | None:
        """Role policies narrow a role: what they do not name is denied, what they name goes on to the rules."""
        asked = self._asked
        if (asked.version, scope) not in self._table.role_scopes:
            return None
        for name in sorted(names):
            policy = self._table.roles.get((name, asked.version, scope))
            if policy is None:
                continue
            rules = [rule for rule in policy.rules_for(action) if rule.resource.matches(asked.kind)]
            if not any(self._met(rule, action) for rule in rules):
                place = rules[0].place if rules else RulePlace(policy=policy.key)
                return _Found(DENY, policy.key, scope, place)
        return None

    def _with_ancestors(self, role: str) -> frozenset[str]:
        """A role and, through role policies of the resource's scope, the roles it stands for."""
        asked = self._asked
        if not asked.resource_scopes:
            return frozenset({role})
        found = {role}
        queue = [role]
        while queue:
            policy = self._table.roles.get((queue.pop(), asked.version, asked.resource_scopes[0]))
            for parent in policy.parent_roles if policy else ():
                if parent not in found:
                    found.add(parent)
                    queue.append(parent)
        return frozenset(found)

    def _is_for(self, rule: RuleRow, names: frozenset[str]) -> bool:
        if rule.roles.matches_any(names):
            return True
        return any(
            derived.parents.matches_any(names) and self._has(derived) for derived in rule.derived_roles
        )

    def _has(self, derived: DerivedRoleRow) -> bool:
        known = self._derived.get(id(derived))
        if known is None:
            failures: list[Failure] = []
            if derived.condition is None:
                known = True
            else:
                failures += self._scratch.use(derived.parameters)
                known = derived.condition.holds(self._activation, failures)
            self._derived[id(derived)] = known
            self._absorb(failures, DENY, "", RulePlace(rule=derived.name))
        return known

    def _runtime_of(self, policy: PolicyRow) -> None:
        """The derived roles that hold in a scope, as `runtime.effectiveDerivedRoles`."""
        if not policy.derived_roles:
            self._activation.runtime = {"effectiveDerivedRoles": []}
            return
        known = self._runtime.get(policy.key)
        if known is None:
            names = frozenset().union(*(self._with_ancestors(role) for role in self._asked.roles))
            known = sorted(
                derived.name
                for derived in policy.derived_roles
                if derived.parents.matches_any(names) and self._has(derived)
            )
            self._runtime[policy.key] = known
            self._effective.update(known)
        self._activation.runtime = {"effectiveDerivedRoles": known}

    def _met(self, rule: RuleRow, action: str) -> bool:
        met = self._conditions.get(rule.number)
        if met is None:
            failures: list[Failure] = []
            if rule.needs_variables:
                failures += self._scratch.use(rule.parameters)
            met = rule.condition is None or rule.condition.holds(self._activation, failures)
            self._conditions[rule.number] = met
            self._failures[rule.number] = failures
        if self._failures[rule.number]:
            self._absorb(self._failures[rule.number], rule.effect, action, rule.place)
        output = rule.activated if met else rule.not_met
        key = (rule.source, action)
        if output is not None and key not in self._outputs:
            if rule.needs_variables:
                self._scratch.use(rule.parameters)
            value, error = output_value(output, self._activation)
            self._outputs[key] = Output(rule.source, value, action, error)
        return met

    def _absorb(self, failures: list[Failure], effect: str, action: str, place: RulePlace) -> None:
        for failure in failures:
            error = AbsorbedError(failure.expression, failure.message, failure.kind, effect, action, place)  # type: ignore[arg-type]
            self._absorbed[error] = None


def visible_scopes(scope: str, existing: frozenset[str], *, lenient: bool) -> tuple[str, ...]:
    """The chain of scopes that count for a wanted one: none when it does not exist, unless the search is lenient."""
    chain = scope_chain(scope)
    if not lenient:
        return tuple(chain) if scope in existing else ()
    for at, name in enumerate(chain):
        if name in existing:
            return tuple(chain[at:])
    return ()
