"""Explanations by watching the engine decide: no second evaluator that could tell another story."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from gateway.domain.check import ALLOW, DENY, NO_MATCH, ActionDecision, Check, CheckRequest, ResourceDecision
from gateway.policy.cel import Activation, Budget, EvaluationError
from gateway.policy.engine import Engine, RuleListing
from gateway.policy.evaluate import Visit
from gateway.policy.explain.condition_tree import Tester
from gateway.policy.explain.explanation import Explanation, RuleTrace, Test, Turn
from gateway.policy.explain.turns import either, turn
from gateway.policy.globs import NameSet

_BUDGET = 10_000_000
"""Cost of explaining one condition: more than the engine's own, since every part is worked out by itself."""


def explain(engine: Engine, request: CheckRequest, now: int) -> tuple[Explanation, ...]:
    """One explanation for every action of every check, in the order asked. `now`: nanoseconds since the epoch."""
    found: list[Explanation] = []
    for check in request.checks:
        for action in check.actions:
            one = structs.replace(request, checks=(structs.replace(check, actions=(action,)),))
            activation = Activation(now=now)
            watcher = _Watcher(activation)
            decision = engine.check_with(one, activation, watcher.visit).results[0]
            found.append(_explanation(engine, check, action, decision, watcher))
    return tuple(found)


class _Watcher:
    """Notes the rules that are looked at, each with its condition worked out at that moment."""

    def __init__(self, activation: Activation) -> None:
        self._activation = activation
        self.visits: list[tuple[Visit, RuleTrace, Test | None]] = []

    def visit(self, visit: Visit) -> None:
        """One step of the engine."""
        condition = self._condition(visit)
        step, rule = visit.step, visit.step.rule
        trace = RuleTrace(
            rule=step.place.rule,
            policy=step.place.policy,
            effect=DENY if step.denies else ALLOW,
            scope=visit.scope,
            file=step.place.file,
            line=step.place.line,
            applied=bool(visit.met) and (step.denies or step.allows),
            condition=condition,
            derived_role=step.derived.name if step.derived is not None and visit.met is None else "",
            note=_note(visit),
        )
        if rule is None or not any(known[0].step is step for known in self.visits):
            self.visits.append((visit, trace, condition))

    def _condition(self, visit: Visit) -> Test | None:
        """The condition, evaluated in a scratch state: the engine goes on with its own."""
        rule = visit.step.rule
        if rule is None or rule.condition is None or visit.met is None:
            return None
        activation = self._activation
        kept = activation.variables, activation.constants, activation.budget
        variables: dict[str, object] = {}
        activation.variables, activation.constants = variables, rule.parameters.constants
        activation.budget = Budget(_BUDGET)
        try:
            for name, program in rule.parameters.variables:
                try:
                    variables[name] = program.evaluate(activation)
                except EvaluationError:
                    continue
            texts = {name: program.text for name, program in rule.parameters.variables}
            return Tester(activation, texts).condition(rule.condition)
        finally:
            activation.variables, activation.constants, activation.budget = kept


def _note(visit: Visit) -> str:
    step, rule = visit.step, visit.step.rule
    if rule is None:
        return "No rule of this role policy names the action, which denies it."
    if rule.denies_unless:
        return "Denies whoever does not meet the condition."
    if step.denies and rule.effect == ALLOW:
        return "A role policy's rule: it narrows, and allows nothing by itself."
    return ""


def _explanation(
    engine: Engine, check: Check, action: str, decision: ResourceDecision, watcher: _Watcher
) -> Explanation:
    given = decision.actions[action]
    deciding = _deciding(given, watcher)
    rules = tuple(
        structs.replace(trace, decided=number == deciding)
        for number, (_, trace, _) in enumerate(watcher.visits)
    )
    decided_by = rules[deciding] if deciding is not None else None
    silent = decided_by is None and given.effect == DENY
    return Explanation(
        kind=check.resource.kind,
        id=check.resource.id,
        action=action,
        effect=given.effect,
        scope=check.resource.scope,
        matched_policy=given.matched_policy,
        outputs=tuple(
            output.val if not output.error else {"error": output.error} for output in decision.outputs
        ),
        decided_by=decided_by,
        reason=_reason(check, action, given, decided_by, decision),
        rules=rules,
        turn=_turn(given, deciding, watcher),
        others=_others(engine.rules(), given.matched_policy, action, rules) if silent else (),
    )


def _deciding(given: ActionDecision, watcher: _Watcher) -> int | None:
    if given.place is None:
        return None
    for number, (visit, trace, _) in reversed(list(enumerate(watcher.visits))):
        if visit.step.place == given.place and trace.effect == given.effect:
            return number
    return None


def _reason(
    check: Check, action: str, given: ActionDecision, decided_by: RuleTrace | None, decision: ResourceDecision
) -> str:
    what = f"{action} on {check.resource.kind} {check.resource.id!r}"
    if decision.validation_errors and not decided_by:
        return f"{what} is denied: its attributes break the policy's schema."
    if given.matched_policy == NO_MATCH:
        return f"No policy speaks about {what}."
    if decided_by is None:
        return f"{what} is denied: no rule of {given.matched_policy} allows it."
    word = "allowed" if given.effect == ALLOW else "denied"
    return f"{what} is {word} by the rule {decided_by.rule or decided_by.policy}."


def _turn(given: ActionDecision, deciding: int | None, watcher: _Watcher) -> Turn | None:
    """For a denial by a rule: what keeps it from applying. For one by silence: what makes some ALLOW apply."""
    if given.effect != DENY:
        return None
    if deciding is not None:
        visit, _, condition = watcher.visits[deciding]
        if condition is None:
            return None
        inverted = visit.step.rule is not None and visit.step.rule.denies_unless
        return turn(condition, inverted)
    turns = [
        found
        for visit, trace, condition in watcher.visits
        if trace.effect == ALLOW and condition is not None and visit.met is False
        if (found := turn(condition, wanted=True)) is not None
    ]
    return either(turns)


def _others(
    rules: Iterable[RuleListing], policy: str, action: str, looked_at: Iterable[RuleTrace]
) -> tuple[str, ...]:
    """Rules of the same policy that allow the action, and were not even looked at: they are for other roles."""
    known = {(trace.policy, trace.rule) for trace in looked_at}
    root = policy.partition("/")[0]
    return tuple(
        f"{rule.name} ({rule.file}:{rule.line}) allows it to {', '.join(rule.roles) or 'derived roles'}"
        for rule in rules
        if rule.policy.partition("/")[0] == root
        and rule.effect == ALLOW
        and (rule.policy, rule.name) not in known
        and NameSet(rule.actions).matches(action)
    )
