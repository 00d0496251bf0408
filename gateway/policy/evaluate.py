"""A check against the rule table, in Cerbos' order (docs/adr: the engine decides as a Cerbos PDP 0.55 documents).

For each action: principal policies first, and their decision ends it; else for each role the scopes from the most specific
to the root; in a scope a satisfied DENY ends the role, ALLOWs count at the scope's end. The first role that allows wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from msgspec import Struct

from gateway.domain.check import (
    ALLOW,
    DENY,
    NO_MATCH,
    AbsorbedError,
    ActionDecision,
    Effect,
    Output,
    ResourceDecision,
    RulePlace,
    ValidationError,
)
from gateway.policy.cel import Activation, EvaluationError, Program
from gateway.policy.chain import Chain, ScopeRows
from gateway.policy.conditions import (
    Condition,
    DefectiveConditionError,
    Failure,
    NamesUsed,
    Parameters,
    Scratch,
    output_value,
)
from gateway.policy.table import DerivedRoleRow, PolicyRow, RuleRow, Step

Roles = tuple[tuple[str, ...], ...]
"""The principal's roles in their order, each with the roles it stands for."""


class Visit(Struct, frozen=True):
    """One step that a check took: for explanations. `met` None: the derived role was not given."""

    action: str
    scope: str
    step: Step
    met: bool | None
    failures: tuple[Failure, ...]


Observer = Callable[[Visit], None]


class _State(Struct, frozen=True, eq=False):
    """What a step's condition came to: `met` None when its derived role was not given; `failed` when it was an error.

    `void`: a defect of a constant took the step away, so that it neither decides nor speaks.
    """

    met: bool | None
    failed: bool
    failures: tuple[Failure, ...] = ()
    void: bool = False


_UNCONDITIONAL = _State(True, False)


class _StrictError(Exception):
    """An expression failed where failures deny the action."""

    def __init__(self, step: Step) -> None:
        super().__init__()
        self.step = step


class _FailedRuntime(Mapping[str, Any]):
    """The runtime of a scope whose derived roles could not be told: reading it is an error of the expression."""

    __slots__ = ("_message",)
    _names: ClassVar[tuple[str, ...]] = ("effectiveDerivedRoles",)

    def __init__(self, failed: Iterable[str]) -> None:
        self._message = f"failed to compute effective derived roles [{', '.join(sorted(failed))}]"

    def __getitem__(self, key: str) -> Any:
        raise EvaluationError(self._message, "value")

    def __iter__(self) -> Any:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Evaluation:
    """The evaluation of one resource's actions. Conditions are evaluated once, however many roles and actions ask."""

    def __init__(
        self,
        resource: Chain,
        principal: Chain,
        roles: Roles,
        activation: Activation,
        *,
        strict: bool = False,
        observer: Observer | None = None,
    ) -> None:
        self._resource = resource
        self._principal = principal
        self._roles = roles
        self._activation = activation
        self._strict = strict
        self._observer = observer
        self._scratch = Scratch(activation)
        self._conditions: dict[int, _State] = {}
        self._derived: dict[int, _State] = {}
        self._runtime: dict[str, Mapping[str, Any]] = {}
        self._outputs: list[Output] = []
        self._absorbed: dict[AbsorbedError, None] = {}
        self._effective: set[str] = set()
        activation.runtime = {}

    def run(
        self, kind: str, identifier: str, actions: Iterable[str], errors: tuple[ValidationError, ...]
    ) -> ResourceDecision:
        """The decision of every action."""
        decided = {action: self._decide(action) for action in actions}
        return ResourceDecision(
            kind=kind,
            id=identifier,
            actions=decided,
            outputs=tuple(self._outputs),
            effective_derived_roles=tuple(sorted(self._effective)) if self._effective else (),
            validation_errors=errors,
            absorbed=tuple(self._absorbed) if self._absorbed else (),
        )

    def _decide(self, action: str) -> ActionDecision:
        principal, resource = self._principal, self._resource
        if not principal.exists and not resource.exists:
            return ActionDecision(DENY, NO_MATCH)
        found = self._walk(principal, action, self._roles[0], resource_scopes=False)
        if found is not None:
            return found
        first: ActionDecision | None = None
        for names in self._roles:
            found = self._walk(resource, action, names, resource_scopes=True)
            if found is None:
                continue
            if found.effect != DENY or self._ended:
                return found
            first = first or found
        return first or ActionDecision(DENY, resource.key)

    def _walk(
        self, chain: Chain, action: str, names: tuple[str, ...], *, resource_scopes: bool
    ) -> ActionDecision | None:
        """What the scopes of a chain decide for one role, None when no rule does."""
        self._ended = False
        for rows, steps in chain.steps(action, names):
            if resource_scopes:
                self._enter(rows)
            allowed: Step | None = None
            for step in steps:
                try:
                    met = self._take(step, action, rows.scope)
                except _StrictError:
                    self._ended = True
                    return ActionDecision(DENY, step.place.policy, rows.scope, step.place)
                if not met:
                    continue
                if step.denies:
                    return ActionDecision(DENY, step.attributed_to or chain.key, rows.scope, step.place)
                if step.allows and allowed is None:
                    allowed = step
            if allowed is not None and not rows.consent:
                return ActionDecision(ALLOW, chain.key, rows.scope, allowed.place)
        return None

    def _take(self, step: Step, action: str, scope: str) -> bool:
        """Whether a step's effect applies; its outputs are noted. Raises _StrictError."""
        rule = step.rule
        if rule is None:
            self._observe(step, action, scope, _UNCONDITIONAL)
            return True
        state = self._conditions.get(step.number)
        speaks = True
        if state is None:
            state = self._conditions[step.number] = self._evaluate(rule, step)
            # Cerbos says nothing the first time that a derived role is not given, and speaks from then on.
            speaks = state.met is not None
        self._observe(step, action, scope, state)
        if state.failures:
            self._absorb(state.failures, DENY if step.denies else ALLOW, action, step.place)
            if state.failed and self._strict:
                # What failed is tried again for the next action, which may know other effective derived roles.
                del self._conditions[step.number]
                raise _StrictError(step)
        output = step.activated if state.met else step.not_met
        if output is not None and speaks and not state.void:
            self._emit(output, rule, action)
        return bool(state.met)

    def _observe(self, step: Step, action: str, scope: str, state: _State) -> None:
        if self._observer is not None:
            self._observer(Visit(action, scope, step, state.met, state.failures))

    def _evaluate(self, rule: RuleRow, step: Step) -> _State:
        failures: list[Failure] = []
        derived_failed = False
        if step.derived is not None:
            given = self._is_given(step.derived)
            if not given.met:
                return _State(None, given.failed, given.failures, given.void)
            failures += given.failures
            derived_failed = given.failed
        if rule.condition is None:
            if rule.names.any:
                self._scratch.use(rule.parameters)
            return _State(True, derived_failed, tuple(failures)) if failures else _UNCONDITIONAL
        state = self._test(rule.condition, rule.names, rule.parameters, failures)
        if state.void:
            return state
        return _State(state.met is not rule.denies_unless, state.failed or derived_failed, state.failures)

    def _is_given(self, derived: DerivedRoleRow) -> _State:
        known = self._derived.get(id(derived)) if not derived.uses_runtime else None
        if known is None:
            if derived.condition is None:
                known = _UNCONDITIONAL
            else:
                known = self._test(derived.condition, derived.names, derived.parameters, [])
            self._derived[id(derived)] = known
        return known

    def _is_effective(self, derived: DerivedRoleRow) -> _State:
        """Whether a derived role counts as effective: as where a rule names it, except for variables that fail.

        To a rule they are unset; in the list of effective roles Cerbos takes them for null, unless errors deny.
        """
        condition, names = derived.condition, derived.names
        if condition is None or not names.any:
            return self._is_given(derived)
        if self._strict:
            if not derived.uses_runtime:
                return self._is_given(derived)
            unset = self._scratch.use_apart(derived.parameters)
            failures = [unset[name] for name in names.variables if name in unset]
            return self._held(condition, failures, 0)
        if not derived.uses_runtime:
            unset = self._scratch.use(derived.parameters)
            if not any(name in unset for name in names.variables):
                return self._is_given(derived)
        self._scratch.use_with_nulls(derived.parameters)
        return _State(self._held(condition, [], 0).met, False)

    def _test(
        self, condition: Condition, names: NamesUsed, parameters: Parameters, failures: list[Failure]
    ) -> _State:
        """Whether a condition holds and whether it failed. Failures of the variables it needs are noted too."""
        if names.any:
            of_variables = self._scratch.use(parameters)
            if of_variables:
                failures += [of_variables[name] for name in names.variables if name in of_variables]
        return self._held(condition, failures, len(failures))

    def _held(self, condition: Condition, failures: list[Failure], before: int) -> _State:
        """A condition's state. The first `before` failures are those of its variables."""
        try:
            met = condition.holds(self._activation, failures)
        except DefectiveConditionError:
            return _State(False, True, tuple(failures), void=True)
        return _State(met, len(failures) > before, tuple(failures))

    def _enter(self, rows: ScopeRows) -> None:
        """Make a scope's derived roles visible, as `runtime.effectiveDerivedRoles`."""
        policy = rows.policy
        if policy is None or not policy.derived_roles:
            if self._activation.runtime:
                self._activation.runtime = {}
            return
        known = self._runtime.get(rows.scope)
        if known is None:
            known = self._runtime[rows.scope] = self._effective_in(policy)
        self._activation.runtime = known

    def _effective_in(self, policy: PolicyRow) -> Mapping[str, Any]:
        names = frozenset(name for role in self._roles for name in role)
        given: list[str] = []
        failed: list[str] = []
        for derived in policy.derived_roles:
            if not derived.is_given_to(names):
                continue
            state = self._is_effective(derived)
            if state.failed and self._strict:
                failed.append(derived.name)
            elif state.met:
                given.append(derived.name)
        self._effective.update(given)
        if failed:
            return _FailedRuntime(failed)
        return {"effectiveDerivedRoles": given}

    def _emit(self, program: Program, rule: RuleRow, action: str) -> None:
        if rule.output_names.any:
            self._scratch.use(rule.parameters)
        value, error = output_value(program, self._activation)
        self._outputs.append(Output(rule.source, value, action, error))

    def _absorb(self, failures: Iterable[Failure], effect: Effect, action: str, place: RulePlace) -> None:
        for failure in failures:
            error = AbsorbedError(failure.expression, failure.message, failure.kind, effect, action, place)
            self._absorbed[error] = None
