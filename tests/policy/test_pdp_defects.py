"""Where the Cerbos PDP 0.55 is wrong we follow its documentation. Each defect with the smallest set that shows it.

The differential fuzz keeps off this ground: on it the real PDP and we differ, and must.
"""

from __future__ import annotations

import itertools

import pytest

from tests.policy.writing import CONSENT, ask, effect, effects, engine, policy, resource_policy, rule


def _members(kind):
    return {kind: {"of": [{"expr": "R.attr.public"}, {"expr": "R.attr.owner == P.id"}]}}


@pytest.mark.parametrize("order", list(itertools.permutations(["any", "all", "none"])))
def test_rules_that_differ_only_in_all_any_none_are_different_rules(order):
    """0.55 gives all three the condition of the one it loaded first."""
    policies = engine(*(resource_policy(f"doc_{kind}", rule("read", when=_members(kind))) for kind in order))
    public = {"public": True, "owner": "somebody"}
    decided = {kind: effect(policies, f"doc_{kind}", "read", attr=public) for kind in ("any", "all", "none")}
    assert decided == {"any": "ALLOW", "all": "DENY", "none": "DENY"}


@pytest.mark.parametrize(
    "order", [("ruleActivated", "conditionNotMet"), ("conditionNotMet", "ruleActivated")]
)
def test_rules_that_differ_only_in_when_they_speak_are_different_rules(order):
    """0.55 gives both the trigger of the one it loaded first: the same defect, in outputs."""
    policies = engine(
        *(resource_policy(f"doc_{when}", rule("read", output={"when": {when: "R.id"}})) for when in order)
    )
    spoken = {when: bool(ask(policies, f"doc_{when}", "read").outputs) for when in order}
    assert spoken == {"ruleActivated": True, "conditionNotMet": False}


@pytest.mark.parametrize("denied_first", [True, False])
def test_an_allow_that_needs_consent_is_not_taken_for_a_deny_of_its_condition(denied_first):
    """0.55 turns the ALLOW into a DENY unless its condition holds, which it then takes for a DENY if it holds."""
    denying = resource_policy("doc", rule("view", effect="EFFECT_DENY", when="R.attr.a"))
    allowing = (
        resource_policy("album", rule("view")),
        resource_policy("album", rule("view", when="R.attr.a"), scope="acme", scopePermissions=CONSENT),
    )
    policies = engine(*((denying, *allowing) if denied_first else (*allowing, denying)))
    decided = {
        given: effect(policies, "album", "view", scope="acme", attr={"a": given}) for given in (True, False)
    }
    assert decided == {True: "ALLOW", False: "DENY"}
    assert effect(policies, "doc", "view", attr={"a": True}) == "DENY"


def test_a_role_policy_denies_what_it_does_not_name_also_when_no_other_rule_is_about_it():
    """0.55 forgets the role policy when nothing else in its scope names the resource and role."""
    policies = engine(
        resource_policy("doc", rule("view")),
        resource_policy("doc", rule("edit", roles=["admin"]), scope="acme"),
        policy(
            "rolePolicy", role="intern", scope="acme", parentRoles=["user"],
            rules=[{"resource": "album", "allowActions": ["view"]}],
        ),
    )  # fmt: skip
    decided = ask(policies, "doc", "view", roles=["intern"], scope="acme")
    assert effects(decided) == {"view": "DENY"}
    assert decided.actions["view"].matched_policy == "role.intern.vdefault/acme"


@pytest.mark.parametrize("actions", [("view", "edit"), ("edit", "view"), ("edit",)])
def test_conditions_of_a_role_policy_are_told_apart_whatever_is_asked_first(actions):
    """0.55 (and 0.51) keeps a condition by its number within a resource: the first asked answers for both."""
    policies = engine(
        resource_policy("doc", rule("*")),
        policy(
            "rolePolicy", role="intern", parentRoles=["user"],
            rules=[
                {"resource": "doc", "allowActions": ["view"], "condition": {"match": {"expr": "R.attr.a"}}},
                {"resource": "*", "allowActions": ["edit"], "condition": {"match": {"expr": "R.attr.b"}}},
            ],
        ),
    )  # fmt: skip
    decided = effects(ask(policies, "doc", *actions, roles=["intern"], attr={"a": True, "b": False}))
    assert decided["edit"] == "DENY"
    assert decided.get("view", "ALLOW") == "ALLOW"


def test_a_role_has_the_parents_of_the_version_that_is_asked():
    """0.55 keeps the parents of one version, chosen by chance, for all of them."""
    policies = engine(
        *(
            policy("resourcePolicy", resource="doc", version=version, rules=[rule("view"), rule("edit", roles=["boss"])])
            for version in ("default", "two")
        ),
        *(
            policy(
                "rolePolicy", role="intern", version=version, parentRoles=[parent],
                rules=[{"resource": "doc", "allowActions": ["*"]}],
            )
            for version, parent in (("default", "user"), ("two", "boss"))
        ),
    )  # fmt: skip
    assert effects(ask(policies, "doc", "view", "edit", roles=["intern"])) == {
        "view": "ALLOW",
        "edit": "DENY",
    }
    assert effects(ask(policies, "doc", "view", "edit", roles=["intern"], version="two")) == {
        "view": "DENY",
        "edit": "ALLOW",
    }
