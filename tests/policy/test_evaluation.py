"""How rules, roles, scopes and policies of every kind come to one decision."""

from __future__ import annotations

import pytest

from gateway.domain.check import NO_MATCH
from tests.policy.writing import CONSENT, ask, effect, effects, engine, policy, resource_policy, rule


def matched(decision, action):
    """Policy and scope that an action's decision names."""
    found = decision.actions[action]
    return found.matched_policy, found.matched_scope


def outputs(decision):
    """What rules said: (source, action, value or error)."""
    return [(output.src, output.action, output.error or output.val) for output in decision.outputs]


def test_what_no_rule_allows_is_denied():
    decided = ask(engine(resource_policy("doc", rule("view"))), "doc", "view", "edit")
    assert effects(decided) == {"view": "ALLOW", "edit": "DENY"}
    assert matched(decided, "edit") == ("resource.doc.vdefault", "")


def test_a_kind_without_a_policy_matches_none():
    assert matched(ask(engine(resource_policy("doc")), "other", "view"), "view") == (NO_MATCH, "")


def test_deny_wins_over_allow_wherever_it_stands():
    policies = engine(
        resource_policy("doc", rule("view"), rule("view", effect="EFFECT_DENY", when="R.attr.locked"))
    )
    assert effect(policies, "doc", "view", attr={"locked": True}) == "DENY"
    assert effect(policies, "doc", "view", attr={"locked": False}) == "ALLOW"


def test_roles_are_alternatives_and_the_first_that_allows_wins():
    policies = engine(
        resource_policy(
            "doc", rule("view", roles=["a"], effect="EFFECT_DENY"), rule("view", roles=["b"], says="'b'")
        )
    )
    decided = ask(policies, "doc", "view", roles=["a", "b"])
    assert effects(decided) == {"view": "ALLOW"}
    assert outputs(decided) == [("resource.doc.vdefault#rule-002", "view", "b")]


def test_a_rule_for_everybody_holds_under_every_role():
    policies = engine(
        resource_policy("doc", rule("view", roles=["b"]), rule("view", roles=["*"], effect="EFFECT_DENY"))
    )
    assert effect(policies, "doc", "view", roles=["a", "b"]) == "DENY"


def test_an_action_pattern_stays_within_a_segment_unless_it_is_deep():
    policies = engine(resource_policy("doc", rule("view:*"), rule("edit:**")))
    decided = ask(policies, "doc", "view:a", "view:a:b", "edit:a:b", "view")
    assert effects(decided) == {"view:a": "ALLOW", "view:a:b": "DENY", "edit:a:b": "ALLOW", "view": "DENY"}


def test_a_failing_condition_is_false_also_where_it_is_negated_around():
    policies = engine(
        resource_policy(
            "doc",
            rule("plain", when="R.attr.nope == 1"),
            rule("none", when={"none": {"of": [{"expr": "R.attr.nope == 1"}]}}),
            rule("any", when={"any": {"of": [{"expr": "R.attr.nope == 1"}, {"expr": "true"}]}}),
            rule("inside", when="!(R.attr.nope == 1)"),
        )
    )
    decided = ask(policies, "doc", "plain", "none", "any", "inside")
    assert effects(decided) == {"plain": "DENY", "none": "ALLOW", "any": "ALLOW", "inside": "DENY"}


class TestScopes:
    """Chains of scopes, most specific first."""

    def policies(self, permissions=None, **settings):
        fields = {"scopePermissions": permissions} if permissions else {}
        return engine(
            resource_policy("doc", rule("view", "edit", "own")),
            resource_policy(
                "doc",
                rule("view"),
                rule("edit", when="R.attr.ok"),
                rule("delete", effect="EFFECT_DENY"),
                rule("extra"),
                scope="acme",
                **fields,
            ),
            resource_policy("doc", scope="acme.hr", **fields),
            **settings,
        )

    def test_what_a_scope_does_not_say_its_parent_says(self):
        decided = ask(self.policies(), "doc", "own", "extra", "delete", scope="acme.hr")
        assert effects(decided) == {"own": "ALLOW", "extra": "ALLOW", "delete": "DENY"}
        assert matched(decided, "own") == ("resource.doc.vdefault/acme.hr", "")
        assert matched(decided, "extra") == ("resource.doc.vdefault/acme.hr", "acme")

    def test_with_consent_an_allow_needs_the_parent_and_a_condition_narrows(self):
        policies = self.policies(CONSENT)
        decided = ask(policies, "doc", "view", "edit", "extra", scope="acme", attr={"ok": True})
        assert effects(decided) == {"view": "ALLOW", "edit": "ALLOW", "extra": "DENY"}
        assert effect(policies, "doc", "edit", scope="acme", attr={"ok": False}) == "DENY"

    def test_a_scope_nobody_wrote_matches_none_unless_the_search_is_lenient(self):
        decided = ask(self.policies(), "doc", "view", scope="acme.sales")
        assert (effects(decided), matched(decided, "view")) == ({"view": "DENY"}, (NO_MATCH, ""))
        lenient = self.policies(lenient_scope_search=True)
        assert effect(lenient, "doc", "view", scope="acme.sales") == "ALLOW"

    def test_the_default_scope_counts_where_none_is_asked(self):
        assert matched(ask(self.policies(default_scope="acme"), "doc", "view"), "view")[1] == "acme"


class TestPrincipalPolicies:
    """What is written for one principal comes first."""

    def policies(self):
        return engine(
            resource_policy("doc", rule("view", "edit")),
            policy(
                "principalPolicy", principal="p1", version="default",
                rules=[
                    {"resource": "doc", "actions": [{"action": "view", "effect": "EFFECT_DENY", "name": "no"}]},
                    {"resource": "*", "actions": [{"action": "zap", "effect": "EFFECT_ALLOW"}]},
                ],
            ),
        )  # fmt: skip

    def test_its_decision_ends_the_matter(self):
        decided = ask(self.policies(), "doc", "view", "edit", "zap")
        assert effects(decided) == {"view": "DENY", "edit": "ALLOW", "zap": "ALLOW"}
        assert matched(decided, "view") == ("principal.p1.vdefault", "")
        assert decided.actions["view"].place.rule == "no"

    def test_others_do_not_feel_it(self):
        assert effect(self.policies(), "doc", "view", id="p2") == "ALLOW"


class TestRolePolicies:
    """They narrow what a role may do and never allow anything by themselves."""

    def policies(self):
        return engine(
            resource_policy("doc", rule("*", roles=["user"], says="'root'")),
            policy(
                "rolePolicy", role="intern", parentRoles=["user"],
                rules=[
                    {
                        "resource": "doc", "allowActions": ["view", "e*"],
                        "output": {"when": {"ruleActivated": "'allowed'"}},
                    },
                    {
                        "resource": "doc", "allowActions": ["sign"], "name": "signs",
                        "condition": {"match": {"expr": "R.attr.ok"}},
                        "output": {"when": {"ruleActivated": "'ok'", "conditionNotMet": "'not ok'"}},
                    },
                ],
            ),
            policy("rolePolicy", role="trainee", parentRoles=["intern"], rules=[{"resource": "*", "allowActions": ["view"]}]),
        )  # fmt: skip

    def test_what_it_names_goes_on_to_its_parents_and_the_rest_is_denied(self):
        decided = ask(self.policies(), "doc", "view", "edit", "delete", roles=["intern"])
        assert effects(decided) == {"view": "ALLOW", "edit": "ALLOW", "delete": "DENY"}
        assert matched(decided, "delete") == ("role.intern.vdefault", "")

    def test_parents_of_parents_narrow_as_well(self):
        decided = ask(self.policies(), "doc", "view", "edit", roles=["trainee"])
        assert effects(decided) == {"view": "ALLOW", "edit": "DENY"}

    @pytest.mark.parametrize(("ok", "said", "allowed"), [(True, "ok", "ALLOW"), (False, "not ok", "DENY")])
    def test_a_condition_must_hold_and_outputs_mean_what_they_say(self, ok, said, allowed):
        decided = ask(self.policies(), "doc", "sign", roles=["intern"], attr={"ok": ok})
        assert effects(decided) == {"sign": allowed}
        assert outputs(decided)[0] == ("role.intern.vdefault#signs", "sign", said)

    def test_another_role_of_the_principal_may_still_allow(self):
        assert effect(self.policies(), "doc", "delete", roles=["intern", "user"]) == "ALLOW"


class TestDerivedRoles:
    """Roles that conditions give."""

    def policies(self, **settings):
        return engine(
            policy(
                "derivedRoles", name="set",
                definitions=[
                    {"name": "owner", "parentRoles": ["user"], "condition": {"match": {"expr": "V.own"}}},
                    {"name": "anyone", "parentRoles": ["*"]},
                    {"name": "patterned", "parentRoles": ["us*"]},
                    {"name": "unused", "parentRoles": ["user"]},
                ],
                variables={"local": {"own": "R.attr.owner == P.id"}},
            ),
            resource_policy(
                "doc",
                rule("edit", roles=[], derivedRoles=["owner"]),
                rule("view", roles=[], derivedRoles=["anyone", "patterned"], says="runtime.effectiveDerivedRoles"),
                importDerivedRoles=["set"],
            ),
            **settings,
        )  # fmt: skip

    def test_a_role_is_given_by_its_condition_over_its_own_variables(self):
        assert effect(self.policies(), "doc", "edit", attr={"owner": "p1"}) == "ALLOW"
        assert effect(self.policies(), "doc", "edit", attr={"owner": "p2"}) == "DENY"

    def test_those_that_rules_name_are_effective_and_a_pattern_gives_none(self):
        decided = ask(self.policies(), "doc", "view", attr={"owner": "p1"})
        assert decided.effective_derived_roles == ("anyone", "owner")
        assert outputs(decided) == [("resource.doc.vdefault#rule-002", "view", ["anyone", "owner"])] * 2

    def test_where_errors_count_reading_them_fails_when_one_could_not_be_told(self):
        decided = ask(self.policies(strict_evaluation=True), "doc", "view")
        assert outputs(decided)[0][2] == "failed to compute effective derived roles [owner]"


class TestStrictEvaluation:
    """An expression that fails denies the action."""

    def policies(self):
        return engine(
            resource_policy(
                "doc",
                rule("view", when="R.attr.nope"),
                rule("view", roles=["user", "boss"]),
                rule("edit", when={"all": {"of": [{"expr": "false"}, {"expr": "R.attr.nope"}]}}),
                rule("edit"),
                rule("list", when="V.broken || true"),
                rule("say", says="R.attr.nope"),
                variables={"local": {"broken": "R.attr.nope"}},
            ),
            strict_evaluation=True,
        )

    def test_whatever_other_rules_or_roles_allow(self):
        assert effect(self.policies(), "doc", "view", roles=["user", "boss"]) == "DENY"
        assert effect(self.policies(), "doc", "view", roles=["boss", "user"]) == "ALLOW"

    def test_but_not_where_it_was_never_reached_or_made_no_difference(self):
        decided = ask(self.policies(), "doc", "edit", "list", "say")
        assert effects(decided) == {"edit": "ALLOW", "list": "ALLOW", "say": "ALLOW"}

    @pytest.mark.parametrize("actions", [("view", "list", "edit"), ("edit", "list", "view")])
    def test_and_is_tried_again_once_derived_roles_are_known(self, actions):
        """A principal policy is asked before any derived role is told, and for the next action after that."""
        members = [
            {"expr": "size(runtime.effectiveDerivedRoles) > 0"},
            {"expr": "R.attr.nope"},
            {"expr": "true"},
        ]
        policies = engine(
            policy("derivedRoles", name="set", definitions=[{"name": "known", "parentRoles": ["user"]}]),
            resource_policy(
                "doc", rule("list"), rule("never", roles=[], derivedRoles=["known"]), importDerivedRoles=["set"]
            ),
            policy(
                "principalPolicy", principal="p1", version="default",
                rules=[{
                    "resource": "doc",
                    "actions": [
                        {"action": action, "effect": "EFFECT_ALLOW", "condition": {"match": {"any": {"of": members}}}}
                        for action in ("view", "edit")
                    ],
                }],
            ),
            strict_evaluation=True,
        )  # fmt: skip
        decided = effects(ask(policies, "doc", *actions))
        assert [decided[action] for action in actions] == ["DENY", "ALLOW", "ALLOW"]

    def test_of_one_rule_for_several_actions_too(self):
        members = [{"expr": "size(runtime.effectiveDerivedRoles) > 0"}, {"expr": "R.attr.nope"}]
        policies = engine(
            policy("derivedRoles", name="set", definitions=[{"name": "known", "parentRoles": ["user"]}]),
            resource_policy("doc", rule("list", roles=[], derivedRoles=["known"]), importDerivedRoles=["set"]),
            policy(
                "principalPolicy", principal="p1", version="default",
                rules=[{
                    "resource": "doc",
                    "actions": [{"action": "e*", "effect": "EFFECT_ALLOW", "condition": {"match": {"any": {"of": members}}}}],
                }],
            ),
            strict_evaluation=True,
        )  # fmt: skip
        decided = effects(ask(policies, "doc", "edit", "list", "export"))
        assert decided == {"edit": "DENY", "list": "ALLOW", "export": "ALLOW"}


class TestOutputs:
    """What rules say beside their effect."""

    def test_both_triggers_and_repeats_for_every_pattern_that_matches(self):
        said = {"when": {"ruleActivated": "'yes'", "conditionNotMet": "'no'"}}
        policies = engine(
            resource_policy("doc", rule("view", "v*", roles=["user", "u*"], when="R.attr.ok", output=said))
        )
        assert [value for _, _, value in outputs(ask(policies, "doc", "view", attr={"ok": True}))] == [
            "yes"
        ] * 4
        assert [value for _, _, value in outputs(ask(policies, "doc", "view", attr={"ok": False}))] == [
            "no"
        ] * 4

    def test_a_denial_says_it_once_a_role(self):
        policies = engine(
            resource_policy("doc", rule("view", "v*", roles=["*"], effect="EFFECT_DENY", says="'no'"))
        )
        assert len(outputs(ask(policies, "doc", "view", roles=["a", "b"]))) == 2

    def test_an_output_that_fails_is_an_error_beside_the_decision(self):
        decided = ask(engine(resource_policy("doc", rule("view", says="R.attr.nope"))), "doc", "view")
        assert effects(decided) == {"view": "ALLOW"}
        assert outputs(decided) == [("resource.doc.vdefault#rule-001", "view", "no such key: nope")]

    def test_the_older_form_is_said_on_activation(self):
        policies = engine(resource_policy("doc", rule("view", output={"expr": "'old'"})))
        assert outputs(ask(policies, "doc", "view"))[0][2] == "old"


class TestNames:
    """Variables, constants, globals, imports."""

    def test_variables_read_variables_constants_and_imports(self):
        policies = engine(
            policy("exportVariables", name="shared", definitions={"big": "R.attr.n > C.limit"}),
            policy("exportConstants", name="limits", definitions={"limit": 5, "unused": [1]}),
            resource_policy(
                "doc",
                rule("view", when="V.fine"),
                variables={"import": ["shared"], "local": {"fine": "V.big && G.open"}},
                constants={"import": ["limits"], "local": {"other": "x"}},
            ),
            globals={"open": True},
        )
        assert effect(policies, "doc", "view", attr={"n": 6}) == "ALLOW"
        assert effect(policies, "doc", "view", attr={"n": 5}) == "DENY"

    def test_a_variable_that_fails_is_unset_for_those_that_read_it_only(self):
        policies = engine(
            resource_policy(
                "doc",
                rule("view"),
                rule("edit", when="V.a"),
                rule("list", when="V.a || true"),
                variables={"local": {"a": "R.attr.nope"}},
            )
        )
        assert effects(ask(policies, "doc", "view", "edit", "list")) == {
            "view": "ALLOW",
            "edit": "DENY",
            "list": "ALLOW",
        }

    def test_the_clock_stands_still_within_a_check(self):
        policies = engine(resource_policy("doc", rule("view", says="string(now())")))
        decided = ask(policies, "doc", "view", now=1_700_000_000_000_000_000)
        assert outputs(decided)[0][2] == "2023-11-14T22:13:20Z"

    def test_claims_of_a_token_are_read_under_both_names(self):
        when = "request.auxData.jwt.team == 'a' && request.aux_data.jwt.team == 'a'"
        policies = engine(resource_policy("doc", rule("view", when=when)))
        assert effect(policies, "doc", "view", jwt={"team": "a"}) == "ALLOW"
        assert effect(policies, "doc", "view") == "DENY"


def test_a_policy_set_with_other_settings_keeps_its_policies():
    policies = engine(resource_policy("doc", rule("view", when="G.open")))
    opened = policies.with_settings(engine("", globals={"open": True})._settings)
    assert (effect(policies, "doc", "view"), effect(opened, "doc", "view")) == ("DENY", "ALLOW")


def test_old_names_of_kinds_are_one_with_their_plain_form():
    policies = engine(resource_policy("album:object", rule("view")))
    assert effect(policies, "album_object", "view") == "ALLOW"
    assert policies.holds("album:object", "")


def test_a_decision_names_file_and_line_of_its_rule():
    place = (
        ask(engine(resource_policy("doc", rule("view", name="open"))), "doc", "view").actions["view"].place
    )
    assert (place.policy, place.rule, place.file, place.line) == (
        "resource.doc.vdefault",
        "open",
        "p0.yaml",
        6,
    )
