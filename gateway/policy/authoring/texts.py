"""The text of a rule, a policy file and its test, from a wish and its target. Written by hand so that it reads well."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from gateway.policy.authoring.examples import Example, operation_attributes
from gateway.policy.authoring.prove import Trial
from gateway.policy.authoring.sentence import Wish
from gateway.policy.authoring.targets import Target

_WORD = re.compile(r"[a-z0-9]+")
_PLAIN = re.compile(r"[A-Za-z_][\w. ()/;,'-]*\Z")
_YAML_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "~"})
_MAX_NAME = 60
_VERBS = {
    "read": "read",
    "write": "write",
    "delete": "delete",
    "touch": "touch",
    "run": "run",
    "contact": "contact",
    "send": "send_to",
    "push": "push_to",
    "force_push": "force_push_to",
    "install": "install",
    "call": "call",
    "start": "start",
}


def rule_name(wish: Wish, pack: str) -> str:
    """`site.no_read_data_customers`: what the rule says, as a name."""
    who = f"{'only_' if wish.others else ''}{wish.role}_" if wish.role else ""
    lead = "ask_" if wish.effect == "ask" else "" if wish.others else "no_"
    other = "other_than_" if wish.other_than else ""
    words = "_".join(_WORD.findall(" ".join(wish.objects).lower()))
    return f"{pack}.{f'{lead}{who}{_VERBS[wish.verb]}_{other}{words}'[:_MAX_NAME].strip('_')}"


def reason(wish: Wish, target: Target) -> str:
    """What the rule says to whoever is stopped."""
    if wish.effect == "ask":
        return (
            f"{wish.because[:1].upper()}{wish.because[1:]}"
            if wish.because
            else f"A person confirms this: {target.label}"
        )
    said = (
        f"{wish.because[:1].upper()}{wish.because[1:]}"
        if wish.because
        else f"Closed to agents here: {target.label}"
    )
    return f"{said}; tell the user what you need it for"


def rule_lines(wish: Wish, target: Target, name: str) -> list[str]:
    """A rule of a resource policy, without indentation."""
    said = reason(wish, target)
    lines = [
        f"# {wish.text}",
        f"- name: {name}",
        f"  actions: [{', '.join(map(scalar, target.actions))}]",
        f"  effect: {'EFFECT_ALLOW' if wish.effect == 'ask' else 'EFFECT_DENY'}",
        '  roles: ["*"]',
    ]
    lines += [f"  {line}" for line in _condition(wish, target)]
    output = (
        f'{{"decision": "ask", "reason": {json.dumps(said, ensure_ascii=False)}}}'
        if wish.effect == "ask"
        else json.dumps(said, ensure_ascii=False)
    )
    return [*lines, "  output:", "    when:", f"      ruleActivated: {_quoted(output)}"]


def _condition(wish: Wish, target: Target) -> list[str]:
    role = ""
    if wish.role:
        role = f'"{wish.role}" in P.roles'
        role = f"!({role})" if wish.others else role
    tests = list(target.tests)
    if not role and not tests:
        return []
    lines = ["condition:", "  match:"]
    if not role and len(tests) == 1:
        return [*lines, f"    expr: {scalar(tests[0])}"]
    if not role:
        return [*lines, "    any:", "      of:", *(f"        - expr: {scalar(test)}" for test in tests)]
    lines += ["    all:", "      of:", f"        - expr: {scalar(role)}"]
    if len(tests) == 1:
        lines.append(f"        - expr: {scalar(tests[0])}")
    elif tests:
        lines += [
            "        - any:",
            "            of:",
            *(f"              - expr: {scalar(test)}" for test in tests),
        ]
    return lines


def policy_text(kind: str, scope: str, rules: Sequence[str], comment: Sequence[str]) -> str:
    """A policy file; without rules it is the empty one that a scope below needs."""
    lines = [
        *(f"# {line}" for line in comment),
        "apiVersion: api.cerbos.dev/v1",
        "resourcePolicy:",
        "  version: default",
    ]
    lines += [f"  resource: {kind}"]
    lines += [f"  scope: {scope}"] if scope else []
    if rules:
        lines += ["  rules:", *(f"    {rule}" for rule in rules)]
    return "\n".join(lines) + "\n"


def open_root_text(kind: str) -> str:
    """The root policy of a kind that no pack has: everything is allowed, as the packs end."""
    rule = ["- name: site.rest_of_" + kind, '  actions: ["*"]', "  effect: EFFECT_ALLOW", '  roles: ["*"]']
    comment = (
        "No shipped pack has a policy for this kind; the rules of the layers below only tighten this one.",
    )
    return policy_text(kind, "", rule, comment)


def suite_text(wish: Wish, target: Target, name: str, scope: str, trial: Trial) -> str:
    """A test suite for the rule: what it means is stopped, and what is decided of what it does not mean."""
    lines = [
        f"name: {scalar(name)}",
        f"description: {scalar(wish.text)}",
        "principals:",
        *(
            f"  {key}: {{id: {key}, roles: [{', '.join(map(scalar, roles))}]}}"
            for key, roles in trial.principals.items()
        ),
        "resources:",
    ]
    for key, example in trial.resources.items():
        lines += [f"  {key}:", *(f"    {line}" for line in resource_lines(target.kind, example, scope))]
    lines += [
        "tests:",
        f"  - name: {'a person decides' if wish.effect == 'ask' else 'stopped'}",
        "    input:",
    ]
    lines += [
        f"      principals: [{', '.join(trial.principals)}]",
        f"      resources: [{', '.join(trial.resources)}]",
        f"      actions: [{', '.join(map(scalar, target.actions))}]",
        "    expected:",
    ]
    source = f"resource.{target.kind}.vdefault/{scope}#{name}"
    for (principal, resource), expected in trial.decided.items():
        effects = ", ".join(f"{scalar(action)}: {effect}" for action, effect in expected.effects.items())
        lines += [
            f"      - principal: {principal}",
            f"        resource: {resource}",
            f"        actions: {{{effects}}}",
        ]
        if expected.spoken:
            lines += _expected_outputs(wish, target, source, expected.spoken)
    return "\n".join(lines) + "\n"


def _expected_outputs(wish: Wish, target: Target, source: str, actions: Sequence[str]) -> list[str]:
    said = reason(wish, target)
    value = f"{{decision: ask, reason: {scalar(said)}}}" if wish.effect == "ask" else scalar(said)
    lines = ["        outputs:"]
    for action in actions:
        lines += [
            f"          - action: {scalar(action)}",
            "            expected:",
            f"              - src: {scalar(source)}",
            f"                val: {value}",
        ]
    return lines


def resource_lines(kind: str, example: Example, scope: str) -> list[str]:
    """A resource of a suite, with what the gateway adds to every operation."""
    lines = [f"kind: {kind}", f"id: {scalar(example.identifier)}"]
    lines += [f"scope: {scope}"] if scope else []
    return [
        *lines,
        "attr:",
        *(f"  {key}: {json_like(value)}" for key, value in operation_attributes(example).items()),
    ]


def json_like(value: Any) -> str:
    """A value on one line of YAML."""
    if isinstance(value, str):
        return scalar(value)
    return json.dumps(value, ensure_ascii=False)


def scalar(text: str) -> str:
    """A text as a YAML scalar: plain where it stays a text, else in quotes."""
    if _PLAIN.match(text) and text.lower() not in _YAML_WORDS and text == text.strip() and ": " not in text:
        return text
    return _quoted(text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
