"""Whatever an adversary makes of an attribute's type or size, or of the order of roles, no shipped rule becomes looser.

For every DENY and every ask rule, from the cases of the packs' own suites in which it speaks: each attribute is left out,
replaced by a value of every other JSON type, and by texts of 2 MiB, alone or as an item.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from msgspec import Struct, structs

from gateway.domain.check import ALLOW, DENY, NO_MATCH, Check, CheckRequest, Resource, ResourceDecision
from gateway.domain.principal import Principal, sorted_roles
from gateway.domain.vocabulary import CANARY_KIND, ROLES
from gateway.enforcement.obligations import parse_obligation
from tests.support.enforcement import PACKS, shipped_engine

ENGINE = shipped_engine()
NOW = 1_700_000_000_000_000_000
STRICTNESS = {"allow": 0, "ask": 1, "deny": 2}
LONG = "x" * (2 << 20)
OTHERS: dict[str, tuple[Any, ...]] = {
    "null": (None,),
    "bool": (True, False),
    "number": (0, -1, 1.5, 1e300),
    "text": ("", "x", "true", LONG),
    "list": ([], ["x"], [None], [LONG], [[1]]),
    "map": ({}, {"x": 1}, {LONG: LONG}),
}
_KINDS = ((bool, "bool"), ((int, float), "number"), (str, "text"), (list, "list"), (dict, "map"))


class Case(Struct, frozen=True):
    """One question of a suite that a rule spoke about, and how hard."""

    name: str
    principal: Principal
    resource: Resource
    action: str
    rules: frozenset[str]
    word: str


def kind_of(value: Any) -> str:
    """A value's JSON type."""
    return next((name for types, name in _KINDS if isinstance(value, types)), "null")


def decided(principal: Principal, resource: Resource, action: str) -> ResourceDecision:
    """What the packs say, one resource at a time."""
    request = CheckRequest(principal=principal, checks=(Check(resource, (action,)),))
    return ENGINE.check(request, NOW).results[0]


def word(result: ResourceDecision) -> str:
    """How hard an answer is for a hook: a DENY condition that failed is a failure, which is no looser than a denial."""
    (given,) = result.actions.values()
    if given.matched_policy == NO_MATCH:
        return "allow"
    if given.effect != ALLOW or any(output.error for output in result.outputs):
        return "deny"
    if any(error.effect == DENY and error.kind != "no_such_key" for error in result.absorbed):
        return "deny"
    return "ask" if any(parse_obligation(output.val).word == "ask" for output in result.outputs) else "allow"


def speaking(result: ResourceDecision) -> frozenset[str]:
    """The rules behind an answer."""
    (given,) = result.actions.values()
    said = {output.src.rpartition("#")[2] for output in result.outputs}
    return frozenset(said | ({given.place.rule} if given.place else set()))


def questions() -> Iterator[tuple[str, Principal, Resource, str]]:
    """Every question of the packs' suites."""
    for file in sorted(PACKS.glob("*/*_test.yaml")):
        suite = yaml.safe_load(file.read_text(encoding="utf-8"))
        for given in (test["input"] for test in suite["tests"]):
            for who, what, action in itertools.product(
                given["principals"], given["resources"], given["actions"]
            ):
                person, fields = suite["principals"][who], suite["resources"][what]
                principal = Principal(
                    id=person["id"], roles=sorted_roles(person["roles"]), attr=person.get("attr", {})
                )
                resource = Resource(fields["kind"], fields["id"], fields.get("attr", {}))
                yield f"{file.stem} {who} {what} {action}", principal, resource, action


def cases() -> Iterator[Case]:
    """Every question that is not simply allowed."""
    for name, principal, resource, action in questions():
        result = decided(principal, resource, action)
        if word(result) != "allow" and resource.kind != CANARY_KIND:
            yield Case(name, principal, resource, action, speaking(result), word(result))


def as_sent(case: Case) -> Iterator[tuple[str, Any]]:
    """The attributes of a case that have the type the gateway gives them; some cases are about others."""
    schema = json.loads((PACKS / "_schemas" / f"{case.resource.kind}.json").read_text(encoding="utf-8"))
    names = {"string": "text", "boolean": "bool", "integer": "number", "array": "list", "object": "map"}
    for attribute, value in case.resource.attr.items():
        wanted = schema["properties"][attribute].get("type", "")
        if kind_of(value) == names.get(wanted, wanted):
            yield attribute, value


CASES = {case.name: case for case in cases()}


def test_every_rule_that_denies_speaks_in_some_case():
    denying = {rule.name for rule in ENGINE.rules() if rule.effect == DENY and CANARY_KIND not in rule.policy}
    assert denying <= {name for case in CASES.values() for name in case.rules}


@pytest.mark.parametrize("name", CASES)
def test_another_type_or_size_makes_nothing_looser(name):
    case = CASES[name]
    looser = []
    for attribute, value in as_sent(case):
        rest = {key: item for key, item in case.resource.attr.items() if key != attribute}
        chosen = [item for kind, items in OTHERS.items() if kind != kind_of(value) for item in items]
        changed = [rest, *({**rest, attribute: item} for item in chosen)]
        if isinstance(value, list):
            changed.append({**rest, attribute: [*value, LONG, *([LONG] * 50)]})
        for attr in changed:
            after = decided(case.principal, Resource(case.resource.kind, case.resource.id, attr), case.action)
            if STRICTNESS[word(after)] < STRICTNESS[case.word]:
                looser.append((attribute, repr(attr.get(attribute, "left out"))[:60], word(after)))
    assert looser == []


def said(result: ResourceDecision) -> Any:
    """All that a hook could tell apart in an answer."""
    (given,) = result.actions.values()
    outputs = sorted(json.dumps([output.src, output.val, output.error]) for output in result.outputs)
    return given.effect, given.matched_policy, outputs, result.absorbed


@pytest.mark.parametrize("kind", sorted({resource.kind for _, _, resource, _ in questions()}))
def test_the_order_of_a_principals_roles_changes_no_answer(kind):
    """The gateway sorts roles; a PDP asked by others must not depend on it either."""
    sets = [*itertools.combinations(ROLES, 2), ROLES[:3]]
    for name, principal, resource, action in questions():
        if resource.kind != kind:
            continue
        for roles in sets:
            answers = [
                said(decided(structs.replace(principal, roles=order), resource, action))
                for order in itertools.permutations(roles)
            ]
            assert all(answer == answers[0] for answer in answers), (name, roles)
