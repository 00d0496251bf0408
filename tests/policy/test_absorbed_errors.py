"""What Cerbos counts as false is kept for hooks: in a DENY rule an error is a failure, never a condition that did not hold."""

from __future__ import annotations

import pytest

from tests.policy.writing import ask, effects, engine, policy, resource_policy, rule


def absorbed(decision):
    """(kind, effect, rule) of every error."""
    return [(error.kind, error.effect, error.place.rule) for error in decision.absorbed]


def denies(when, **fields):
    """A policy whose DENY has a condition."""
    return engine(
        resource_policy(
            "doc", rule("view"), rule("view", effect="EFFECT_DENY", when=when, name="no"), **fields
        )
    )


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (5, "no_such_overload"),
        ([1], "no_such_overload"),
        (None, "no_such_overload"),
        (True, "no_such_overload"),
    ],
)
def test_a_wrong_type_in_a_denial_is_told(value, kind):
    decided = ask(denies("R.attr.s.startsWith('/etc')"), "doc", "view", attr={"s": value})
    assert effects(decided) == {"view": "ALLOW"}
    assert absorbed(decided) == [(kind, "EFFECT_DENY", "no")]


def test_a_wrong_type_inside_any_is_told_though_another_member_holds():
    when = {"any": {"of": [{"expr": "R.attr.s.startsWith('x')"}, {"expr": "false"}]}}
    assert absorbed(ask(denies(when), "doc", "view", attr={"s": 5})) == [
        ("no_such_overload", "EFFECT_DENY", "no")
    ]


def test_a_wrong_type_behind_a_variable_is_told_with_the_variable():
    decided = ask(
        denies("V.etc", variables={"local": {"etc": "V.path", "path": "R.attr.s.startsWith('x')"}}),
        "doc",
        "view",
        attr={"s": 5},
    )
    assert ("no_such_overload", "EFFECT_DENY", "no") in absorbed(decided)


def test_a_variable_that_the_denial_does_not_read_is_not_its_failure():
    decided = ask(
        denies("R.attr.b", variables={"local": {"etc": "R.attr.s.startsWith('x')"}}),
        "doc",
        "view",
        attr={"s": 5, "b": False},
    )
    assert absorbed(decided) == []


def test_a_wrong_type_in_a_derived_role_of_a_denial_is_told():
    policies = engine(
        policy("derivedRoles", name="set", definitions=[
            {"name": "outsider", "parentRoles": ["user"], "condition": {"match": {"expr": "R.attr.s.startsWith('x')"}}},
        ]),
        resource_policy(
            "doc", rule("view"),
            rule("view", effect="EFFECT_DENY", roles=[], derivedRoles=["outsider"], name="no"),
            importDerivedRoles=["set"],
        ),
    )  # fmt: skip
    decided = ask(policies, "doc", "view", attr={"s": 5})
    assert absorbed(decided) == [("no_such_overload", "EFFECT_DENY", "no")]


def test_an_error_in_an_allowance_is_told_as_one():
    decided = ask(
        engine(resource_policy("doc", rule("view", when="R.attr.s.startsWith('x')"))),
        "doc",
        "view",
        attr={"s": 5},
    )
    assert effects(decided) == {"view": "DENY"}
    assert absorbed(decided) == [("no_such_overload", "EFFECT_ALLOW", "rule-001")]


def test_a_budget_spent_by_one_rule_is_an_error_of_every_later_one():
    long = "R.attr.l.all(a, R.attr.l.all(b, a + b > -1.0))"
    policies = engine(
        resource_policy(
            "doc", rule("view", when=long), rule("view", effect="EFFECT_DENY", when="size(R.attr.l) > 5000")
        ),
        expression_budget=10_000,
    )
    decided = ask(policies, "doc", "view", attr={"l": [1] * 1000})
    assert {kind for kind, _, _ in absorbed(decided)} == {"limit"}
