"""When variables are taken and derived roles are told: as the real PDP 0.55 does, since it changes decisions.

What is asked here was asked of the PDP; its answers are the expected ones.
"""

from __future__ import annotations

import pytest

from tests.policy.writing import ask, effects, engine, policy, resource_policy, rule

GIVEN = "runtime.effectiveDerivedRoles.size() > 0"
VARIABLES = {"local": {"given": GIVEN}}


def derived(*definitions, variables=None):
    return policy(
        "derivedRoles",
        name="set",
        definitions=list(definitions),
        **({"variables": variables} if variables else {}),
    )


def role(name, when=""):
    return {
        "name": name,
        "parentRoles": ["user"],
        **({"condition": {"match": {"expr": when}}} if when else {}),
    }


def allow(action, derived_role):
    return rule(action, roles=(), derivedRoles=[derived_role])


def allowing(*rules):
    return resource_policy("doc", *rules, importDerivedRoles=["set"])


STRICT = pytest.mark.parametrize("strict", [False, True], ids=["plain", "strict"])


@STRICT
@pytest.mark.parametrize(
    ("definitions", "variables", "expected", "told"),
    [
        # Told before any role is given; when the rule asks, the variable is taken anew and the role is there.
        ([role("one", "!V.given")], VARIABLES, {"a": "DENY"}, ("one",)),
        ([role("one", "V.given")], VARIABLES, {"a": "DENY"}, ()),
        ([role("one", "!V.given"), role("two")], VARIABLES, {"a": "DENY", "b": "ALLOW"}, ("one", "two")),
        ([role("one", "V.given"), role("two")], VARIABLES, {"a": "ALLOW", "b": "ALLOW"}, ("two",)),
        ([role("one", "R.id == 'r1'"), role("two", "!V.given")], VARIABLES, {"a": "ALLOW", "b": "DENY"}, ("one", "two")),
        ([role("one", f"!({GIVEN})"), role("two")], None, {"a": "DENY", "b": "ALLOW"}, ("one", "two")),
    ],
    ids=["not-given", "given", "not-given-of-two", "given-of-two", "unread", "without-variable"],
)  # fmt: skip
def test_derived_roles_that_read_derived_roles(definitions, variables, expected, told, strict):
    rules = [allow("a", "one"), *([allow("b", "two")] if len(definitions) > 1 else [])]
    policies = engine(derived(*definitions, variables=variables), allowing(*rules), strict_evaluation=strict)
    for actions in (list(expected), list(reversed(expected))):
        decided = ask(policies, "doc", *actions)
        assert effects(decided) == expected
        assert decided.effective_derived_roles == told


@STRICT
@pytest.mark.parametrize("first", ["", "R.id == 'r1'"], ids=["unconditional", "conditional"])
@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        # Taken with the first rule of the policy that could apply, whether or not it reads them.
        (("list", "edit", "approve"), "ALLOW"),
        (("edit", "list", "approve"), "DENY"),
        (("edit", "approve"), "DENY"),
        (("list", "approve"), "ALLOW"),
    ],
)
def test_variables_of_a_principal_policy_are_taken_once_with_its_first_rule(actions, expected, first, strict):
    refusals = [
        {"action": "list", "effect": "EFFECT_DENY", **({"condition": {"match": {"expr": first}}} if first else {})},
        {"action": "approve", "effect": "EFFECT_DENY", "condition": {"match": {"expr": "V.given"}}},
    ]  # fmt: skip
    policies = engine(
        derived(role("one")),
        allowing(allow("*", "one")),
        policy(
            "principalPolicy",
            principal="p1",
            version="default",
            variables=VARIABLES,
            rules=[{"resource": "doc", "actions": refusals}],
        ),
        strict_evaluation=strict,
    )
    assert effects(ask(policies, "doc", *actions))["approve"] == expected


def test_a_role_that_is_its_own_ancestor_has_its_role_policy_taken_twice():
    says = {"when": {"ruleActivated": "'here'"}}
    policies = engine(
        resource_policy("doc", rule("list", roles=["user", "guest"])),
        policy(
            "rolePolicy",
            role="user",
            parentRoles=["guest"],
            rules=[{"resource": "doc", "allowActions": ["*"], "output": says}],
        ),
        policy(
            "rolePolicy",
            role="guest",
            parentRoles=["user"],
            rules=[{"resource": "doc", "allowActions": ["*"]}],
        ),
    )
    assert {name: len(ask(policies, "doc", "list", roles=[name]).outputs) for name in ("user", "guest")} == {
        "user": 2,
        "guest": 1,
    }
