"""Constants that cannot be converted take away the whole condition that comes to them, as in the Cerbos PDP 0.55.

Recorded from it: `none` around such an expression does not hold, the rule neither decides nor speaks, and a variable that
has such a constant and is read by a rule keeps the PDP from starting.
"""

from __future__ import annotations

import json

import pytest

from gateway.policy.problems import Problem
from tests.policy.fuzz.oracle import OurPdp, RealPdp, start_pdp
from tests.policy.writing import (
    CONSENT,
    ask,
    effect,
    effects,
    engine,
    policy,
    problems,
    resource_policy,
    rule,
)

DEFECT = {"expr": "int('abc') == 1"}
HELD = {"expr": "R.attr.x == 'x'"}
UNMET = {"expr": "R.attr.x == 'y'"}
FAILING = {"expr": "R.attr.nope == 1"}
DENY, ALLOW = "EFFECT_DENY", "EFFECT_ALLOW"
SPEAKING = {"when": {"ruleActivated": "'met'", "conditionNotMet": "'not met'"}}


def group(kind, *members):
    return {kind: {"of": list(members)}}


# What a condition comes to: True, False, or None where a defect takes the rule away.
CONDITIONS = {
    "expr": (DEFECT, None),
    "not": ({"expr": "!(int('abc') == 1)"}, None),
    "or": ({"expr": "R.attr.x == 'x' || int('abc') == 1"}, None),
    "cut off by a constant": ({"expr": "true || int('abc') == 1"}, True),
    "key": ({"expr": "R.attr.m[null] == 1"}, None),
    "all": (group("all", HELD, DEFECT), None),
    "all behind false": (group("all", UNMET, DEFECT), False),
    "all behind an error": (group("all", FAILING, DEFECT), False),
    "any before true": (group("any", DEFECT, HELD), None),
    "any behind true": (group("any", HELD, DEFECT), True),
    "any behind an error": (group("any", FAILING, DEFECT), None),
    "none": (group("none", DEFECT), None),
    "none behind true": (group("none", HELD, DEFECT), False),
    "none behind false": (group("none", UNMET, DEFECT), None),
    "none of all behind false": (group("none", group("all", UNMET, DEFECT)), True),
    "none of none": (group("none", group("none", DEFECT)), None),
    "none of none behind true": (group("none", group("none", HELD, DEFECT)), True),
    "none of any behind true": (group("none", group("any", HELD, DEFECT)), False),
    "any of none": (group("any", group("none", DEFECT), HELD), None),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_rule_with_a_defective_condition_neither_allows_nor_speaks(name):
    when, comes_to = CONDITIONS[name]
    policies = engine(resource_policy("doc", rule("read", "edit", when=when, output=SPEAKING)))
    decided = ask(policies, "doc", "read", "edit", attr={"x": "x"})
    assert effects(decided) == dict.fromkeys(("read", "edit"), "ALLOW" if comes_to else "DENY")
    said = {True: ["met"] * 2, False: ["not met"] * 2, None: []}[comes_to]
    assert [output.val for output in decided.outputs] == said


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_denial_with_a_defective_condition_does_not_deny_and_its_failure_is_told(name):
    when, comes_to = CONDITIONS[name]
    policies = engine(resource_policy("doc", rule("read"), rule("read", effect=DENY, when=when)))
    decided = ask(policies, "doc", "read", attr={"x": "x"})
    assert effects(decided) == {"read": "DENY" if comes_to else "ALLOW"}
    if comes_to is None:
        assert {error.effect for error in decided.absorbed} == {DENY}


@pytest.mark.parametrize("name", [name for name, (_, comes_to) in CONDITIONS.items() if comes_to is None])
def test_strict_evaluation_denies_what_a_defect_leaves_open(name):
    policies = engine(
        resource_policy("doc", rule("read"), rule("read", effect=DENY, when=CONDITIONS[name][0])),
        strict_evaluation=True,
    )
    assert effect(policies, "doc", "read", attr={"x": "x"}) == "DENY"


@pytest.mark.parametrize("when", [DEFECT, group("none", DEFECT)], ids=["expr", "none"])
def test_a_derived_role_with_a_defect_is_not_given_and_its_rules_do_not_speak(when):
    roles = policy(
        "derivedRoles", name="set",
        definitions=[
            {"name": "owner", "parentRoles": ["user"], "condition": {"match": when}},
            {"name": "reader", "parentRoles": ["user"]},
        ],
    )  # fmt: skip
    policies = engine(
        roles,
        resource_policy(
            "doc",
            rule("read", "edit", roles=(), derivedRoles=["owner"], output=SPEAKING),
            rule("view", roles=(), derivedRoles=["reader"], says="runtime.effectiveDerivedRoles"),
            importDerivedRoles=["set"],
        ),
    )
    decided = ask(policies, "doc", "read", "edit", "view")
    assert effects(decided) == {"read": "DENY", "edit": "DENY", "view": "ALLOW"}
    assert [output.val for output in decided.outputs] == [["reader"]]
    assert decided.effective_derived_roles == ("reader",)


@pytest.mark.parametrize("when", [DEFECT, group("none", DEFECT)], ids=["expr", "none"])
def test_a_role_policy_does_not_narrow_by_a_defective_condition(when):
    policies = engine(
        resource_policy("doc", rule("read", "edit")),
        policy(
            "rolePolicy", role="intern", parentRoles=["user"],
            rules=[{"resource": "doc", "allowActions": ["read"], "condition": {"match": when}}],
        ),
    )  # fmt: skip
    assert effects(ask(policies, "doc", "read", "edit", roles=["intern"])) == {
        "read": "ALLOW",
        "edit": "DENY",
    }


@pytest.mark.parametrize("when", [DEFECT, group("none", DEFECT)], ids=["expr", "none"])
def test_consent_is_not_withheld_by_a_defective_condition(when):
    policies = engine(
        resource_policy("doc", rule("read")),
        resource_policy("doc", rule("read", when=when), scope="acme", scopePermissions=CONSENT),
    )
    assert effect(policies, "doc", "read", scope="acme") == "ALLOW"


@pytest.mark.parametrize("when", [DEFECT, group("none", DEFECT)], ids=["expr", "none"])
def test_a_principal_policy_with_a_defect_leaves_the_decision_to_the_resource(when):
    policies = engine(
        resource_policy("doc", rule("read")),
        policy(
            "principalPolicy", principal="ada", version="default",
            rules=[{"resource": "doc", "actions": [{"action": "*", "effect": DENY, "condition": {"match": when}}]}],
        ),
    )  # fmt: skip
    assert effect(policies, "doc", "read") == "ALLOW"


BAD = {"local": {"bad": "int('abc')", "behind": "V.bad == 1"}}
ROLES = policy(
    "derivedRoles", name="set", variables=BAD,
    definitions=[
        {"name": "owner", "parentRoles": ["user"], "condition": {"match": {"expr": "V.bad == 1"}}},
        {"name": "reader", "parentRoles": ["user"], "condition": {"match": {"expr": "R.id == 'x'"}}},
    ],
)  # fmt: skip


def bound(role):
    return resource_policy("doc", rule("read", roles=(), derivedRoles=[role]), importDerivedRoles=["set"])


REFUSED = {
    "read by a condition": [resource_policy("doc", rule("read", when="V.bad == 1"), variables=BAD)],
    "read by an output": [resource_policy("doc", rule("read", says="V.bad"), variables=BAD)],
    "read by a variable": [resource_policy("doc", rule("read", when="V.behind"), variables=BAD)],
    "read for a role nobody has": [
        resource_policy("doc", rule("read", roles=["nobody"], when="V.bad == 1"), variables=BAD)
    ],
    "read by a derived role in use": [bound("owner"), ROLES],
    "exported": [
        resource_policy("doc", rule("read", when="V.bad == 1"), variables={"import": ["all"]}),
        policy("exportVariables", name="all", definitions={"bad": "int('abc')"}),
    ],
    "of a role policy": [
        policy(
            "rolePolicy", role="intern", parentRoles=["user"], variables=BAD,
            rules=[{"resource": "d", "allowActions": ["a"], "condition": {"match": {"expr": "V.bad == 1"}}}],
        )
    ],
}  # fmt: skip
STARTED = {
    "read by nothing": [resource_policy("doc", rule("read"), variables=BAD)],
    "read by a derived role that no rule names": [bound("reader"), ROLES],
    "of derived roles that nobody imports": [resource_policy("doc", rule("read")), ROLES],
    "exported to nobody": [
        resource_policy("doc", rule("read")),
        policy("exportVariables", name="all", definitions={"bad": "int('abc')"}),
    ],
    "imported and read by nothing": [
        resource_policy("doc", rule("read"), variables={"import": ["all"]}),
        policy("exportVariables", name="all", definitions={"bad": "int('abc')"}),
    ],
    "of a disabled policy": [
        "disabled: true\n" + resource_policy("doc", rule("read", when="V.bad == 1"), variables=BAD)
    ],
    "an output": [resource_policy("doc", rule("read", says="int('abc')"))],
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_variable_with_a_defect_that_is_read_is_a_compile_error(name):
    found = problems(*REFUSED[name])
    assert [problem.problem for problem in found] == [Problem.INVALID_EXPRESSION]
    assert "'bad'" in found[0].message
    assert "type conversion error from 'string' to 'int'" in found[0].message


@pytest.mark.parametrize("name", STARTED)
def test_a_defect_that_no_rule_reads_is_none(name):
    assert problems(*STARTED[name]) == ()


@pytest.mark.pdp
def test_the_pdp_decides_the_same_of_every_condition(tmp_path):
    policies = tmp_path / "policies"
    policies.mkdir()
    for number, (when, _) in enumerate(CONDITIONS.values()):
        # Apart by a text of their own: 0.55 takes conditions of `all`, `any` and `none` for one another.
        whole = group("all", when, {"expr": f"'{number}' != R.kind"})
        for wanted in (ALLOW, DENY):
            kind = f"doc{number}{wanted}"
            text = resource_policy(
                kind,
                rule("read", "edit", effect=wanted, when=whole, output=SPEAKING),
                rule("edit"),
            )
            (policies / f"{kind}.yaml").write_text(text)
    kinds = [path.stem for path in sorted(policies.iterdir())]
    ours = OurPdp.over(policies, {})
    with start_pdp(tmp_path / "pdp", policies, {}) as process:
        real = RealPdp(process)
        for kind in kinds:
            body = json.dumps(
                {
                    "principal": {"id": "ada", "roles": ["user"]},
                    "resources": [
                        {
                            "actions": ["read", "edit"],
                            "resource": {"kind": kind, "id": "r", "attr": {"x": "x"}},
                        }
                    ],
                }
            ).encode()
            answers = [of.ask(body)[1]["results"] for of in (real, ours)]
            for results in answers:
                results[0].get("outputs", []).sort(key=json.dumps)
            assert answers[0] == answers[1], kind
        real.close()


@pytest.mark.pdp
@pytest.mark.parametrize("name", [*REFUSED, *STARTED])
def test_the_pdp_starts_over_the_same_sets(name, tmp_path):
    policies = tmp_path / "policies"
    policies.mkdir()
    for number, text in enumerate((REFUSED | STARTED)[name]):
        (policies / f"p{number}.yaml").write_text(text)
    if name in STARTED:
        with start_pdp(tmp_path / "pdp", policies, {}):
            return
    with pytest.raises(AssertionError, match="type conversion error"):
        start_pdp(tmp_path / "pdp", policies, {})
