"""Checks of form: names, texts, roles, the switch by name, outputs, and rules that can never decide anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.domain.vocabulary import CANARY_KIND
from gateway.policy.cel import Activation, CelCompileError, EvaluationError, compile_expression, to_json
from gateway.policy.cel.ast import Call
from gateway.policy.expressions import EQUALS, IN, literal_text, path_of, paths_in, unparse
from gateway.policy.globs import NameSet
from gateway.policy.lint.findings import Findings, Rule
from gateway.policy.lint.subjects import Part, Subject
from gateway.policy.lint.words import Words
from gateway.policy.model import CONSENT, ResourcePolicy

_RULES_OFF = ("R", "attr", "rules_off")


def check_form(subject: Subject, words: Words, findings: Findings, *, shipped: bool) -> None:
    """All checks of form of one rule."""
    if subject.stops:
        _check_stop(subject, findings)
    _check_output(subject, words, findings)
    _check_rules_off(subject, findings, shipped=shipped)
    _check_constant(subject, findings)
    _check_contradiction(subject, findings)


def _check_stop(subject: Subject, findings: Findings) -> None:
    rule = subject.rule
    what = "A question" if subject.asks else "A denial"
    if not subject.named or "." not in rule.name:
        said = f"{what} is named {rule.name!r}, without a pack" if subject.named else f"{what} has no name"
        findings.add(
            Rule.UNNAMED,
            rule.place,
            f"{said}: nobody can look it up or switch it off.",
            "Write `name: <pack>.<rule>`, e.g. site.no_customer_data.",
        )
    if subject.output is None:
        findings.add(
            Rule.NO_OUTPUT,
            rule.place,
            f"{what} says nothing: neither the agent nor the person learns what to do instead.",
            "Write `output: {when: {ruleActivated: '\"What to do instead\"'}}`.",
        )
    if isinstance(subject.policy, ResourcePolicy) and "*" not in rule.roles:
        roles = ", ".join((*rule.roles, *(name for name, _ in rule.derived_roles)))
        findings.add(
            Rule.SINGLE_ROLE,
            rule.place,
            f"{what} bound to {roles} does not hold for whoever has a second role that allows.",
            'Write roles: ["*"] and test P.roles in the condition.',
        )


def _check_output(subject: Subject, words: Words, findings: Findings) -> None:
    if subject.output is None:
        return
    if subject.rule.effect == "EFFECT_DENY" and subject.decision in {"ask", "skip_prompt"}:
        findings.add(
            Rule.LOST_ASK,
            subject.output.place,
            f"`decision: {subject.decision}` stands on a DENY, which is always a denial.",
            "Make the rule EFFECT_ALLOW, or leave the decision out.",
        )
        return
    problem = _constant_problem(subject.output, subject, words)
    if problem:
        findings.add(
            Rule.WRONG_OUTPUT,
            subject.output.place,
            f"The gateway cannot read this output: {problem}.",
            'Write a text, or {"decision": "ask", "reason": "…"}.',
        )


def _constant_problem(output: Part, subject: Subject, words: Words) -> str:
    """What is wrong with an output that reads nothing and is therefore always the same."""
    assert subject.rule.output is not None
    text = subject.rule.output.activated
    if text is None or any(True for _ in paths_in(output.tree)):
        return ""
    try:
        program = compile_expression(text.text)
        if program.references.uses_now:
            return ""
        value = to_json(program.evaluate(Activation()))
    except CelCompileError:
        return ""
    except EvaluationError as error:
        return error.message
    return words.problem_of_output(value)


def _check_rules_off(subject: Subject, findings: Findings, *, shipped: bool) -> None:
    reads = False
    for atom in subject.atoms:
        if not any(path == _RULES_OFF for path, _ in paths_in(atom.tree)):
            continue
        reads = True
        tree = atom.tree
        if isinstance(tree, Call) and tree.function == IN and path_of(tree.args[1]) == _RULES_OFF:
            name = literal_text(tree.args[0])
            if name is not None and name != subject.rule.name:
                findings.add(
                    Rule.OTHER_RULE_OFF,
                    atom.place,
                    f"The rule {subject.rule.name!r} is switched off as {name!r}.",
                    f'Write `!("{subject.rule.name}" in R.attr.rules_off)`.',
                )
    if shipped and subject.stops and not reads and subject.kind != CANARY_KIND:
        findings.add(
            Rule.NO_RULES_OFF,
            subject.rule.place,
            f"Nothing switches the rule {subject.rule.name!r} off.",
            f'Begin its condition with `!("{subject.rule.name}" in R.attr.rules_off) &&`.',
        )


def _check_constant(subject: Subject, findings: Findings) -> None:
    for atom in subject.atoms:
        if not atom.needed or any(True for _ in paths_in(atom.tree)):
            continue
        try:
            program = compile_expression(unparse(atom.tree))
            value = None if program.references.uses_now else program.evaluate(Activation())
        except (CelCompileError, EvaluationError):
            continue
        if isinstance(value, bool) and value is not atom.positive:
            findings.add(
                Rule.NEVER_MATCHES,
                atom.place,
                f"`{unparse(atom.tree)}` is always {str(value).lower()}.",
                "Remove the rule, or correct its condition.",
            )


def _check_contradiction(subject: Subject, findings: Findings) -> None:
    """Tests that cannot hold together: one path equal to two texts, or a test and its opposite."""
    equal: dict[tuple[str, ...], str] = {}
    wanted: dict[str, bool] = {}
    for atom in subject.atoms:
        if not atom.needed:
            continue
        text = unparse(atom.tree)
        other = wanted.setdefault(text, atom.positive)
        if other is not atom.positive:
            _contradiction(subject, findings, atom.place, f"`{text}` cannot be both true and false")
        for path, value in _equalities(atom.tree) if atom.positive else ():
            first = equal.setdefault(path, value)
            if first != value:
                said = f"{'.'.join(path)} cannot be both {first!r} and {value!r}"
                _contradiction(subject, findings, atom.place, said)


def _equalities(tree: object) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(tree, Call) and tree.function == EQUALS:
        for one, other in (tree.args, reversed(tree.args)):
            path, text = path_of(one), literal_text(other)
            if path is not None and text is not None:
                yield path, text


def _contradiction(subject: Subject, findings: Findings, place: object, said: str) -> None:
    findings.add(
        Rule.NEVER_MATCHES,
        place,  # type: ignore[arg-type]  # a Place
        f"{said}: the rule {subject.rule.name!r} can never match.",
        "Write `||`, or two rules.",
    )


def check_shadows(subjects: Sequence[Subject], findings: Findings) -> None:
    """Rules behind an unconditional denial: in a scope a DENY is met before any ALLOW, and the first DENY decides."""
    for at, denial in enumerate(subjects):
        rule = denial.rule
        if rule.effect != "EFFECT_DENY" or rule.condition is not None or "*" not in rule.roles:
            continue
        covered = NameSet(rule.actions)
        for number, other in enumerate(subjects):
            behind = other.policy is denial.policy and other is not denial
            if not behind or (other.rule.effect == "EFFECT_DENY" and number < at):
                continue
            if other.rule.actions and all(
                action in rule.actions
                or ("*" not in action and covered.matches(action))
                or "*" in rule.actions
                for action in other.rule.actions
            ):
                findings.add(
                    Rule.SHADOWED,
                    other.rule.place,
                    f"The rule {rule.name!r} in line {rule.place.line} denies these actions to everybody, whatever stands here.",
                    "Give that rule a condition, or remove this one.",
                )


def check_consent(subject_policy: object, words: Words, findings: Findings) -> None:
    """A layer is asked by itself: with the parent's consent required, what it does not name is denied."""
    if (
        isinstance(subject_policy, ResourcePolicy)
        and subject_policy.scope
        and subject_policy.scope_permissions == CONSENT
        and (words.is_call(subject_policy.name) or words.is_operation(subject_policy.name))
    ):
        findings.add(
            Rule.PARENT_CONSENT,
            subject_policy.place,
            f"The layer {subject_policy.scope!r} requires its parent's consent: its questions vanish, and it denies what it does not name.",
            "Leave scopePermissions out: layers are asked separately and the strictest answer wins.",
        )
