"""What every policy backend must do: a core, and one part for each capability a backend claims.

A backend's tests inherit these and give a `pdp` fixture over tests/pdp/policies; tests of a capability it does not claim
do not apply to it.
"""

from __future__ import annotations

import pytest

from gateway.domain.check import ALLOW, DENY, NO_MATCH, Check, CheckRequest, Resource
from gateway.domain.ports import Pdp
from gateway.domain.principal import Principal, sorted_roles

SECONDS = 20.0


def asked(
    action: str = "read", name: str = "n1", scope: str = "", kind: str = "note", **attr: object
) -> Check:
    return Check(Resource(kind, name, attr, scope=scope), (action,))


def request(*checks: Check, roles: tuple[str, ...] = ("engineer",), **attr: object) -> CheckRequest:
    return CheckRequest(
        principal=Principal(id="ada", roles=sorted_roles(roles), attr=attr), checks=checks, request_id="r1"
    )


async def effects(pdp: Pdp, *checks: Check, **principal: object) -> list[str]:
    """The effects of single-action checks, in the order asked."""
    answer = await pdp.decide(request(*checks, **principal), SECONDS)
    return [
        result.actions[check.actions[0]].effect for check, result in zip(checks, answer.results, strict=True)
    ]


class Core:
    """Every backend."""

    async def test_allows_and_denies(self, pdp):
        assert await effects(pdp, asked(), asked(secret=True)) == [ALLOW, DENY]

    async def test_a_role_that_nothing_is_given_to_is_denied(self, pdp):
        assert await effects(pdp, asked(), roles=("visitor",)) == [DENY]

    async def test_any_of_several_roles_is_enough(self, pdp):
        assert await effects(pdp, asked(), roles=("visitor", "marketing")) == [ALLOW]

    async def test_answers_join_their_question_by_position_also_for_equal_resources(self, pdp):
        checks = [asked(secret=number % 3 == 0) for number in range(12)]
        assert await effects(pdp, *checks) == [DENY if number % 3 == 0 else ALLOW for number in range(12)]

    async def test_more_resources_than_fit_a_request_are_all_answered_in_order(self, pdp):
        checks = [asked(name=f"n{number}", secret=number % 7 == 0) for number in range(173)]
        assert await effects(pdp, *checks) == [DENY if number % 7 == 0 else ALLOW for number in range(173)]

    async def test_principal_attributes_are_read(self, pdp):
        check = asked("write", team="blue", owner="ada")
        assert await effects(pdp, check, team="blue") == [ALLOW]
        assert await effects(pdp, check, team="red") == [DENY]

    @pytest.mark.parametrize("number", [3, 3.0, 2.6, 999_999_999_999])
    async def test_numbers_are_doubles(self, pdp, number):
        assert await effects(pdp, asked(length=number), roles=("visitor",)) == [ALLOW]

    @pytest.mark.parametrize("number", [2, 2.5, -1, 10**15])
    async def test_numbers_out_of_range_are_denied(self, pdp, number):
        assert await effects(pdp, asked(length=number), roles=("visitor",)) == [DENY]

    @pytest.mark.parametrize("name", ["a b", "/etc/**", "ä😀\u202e", '"quoted"\\', "x" * 3000, "a\nb\u0000c"])
    async def test_any_text_names_a_resource(self, pdp, name):
        check = Check(Resource("note", name, {"name": name}), ("find",))
        assert await effects(pdp, check) == [ALLOW]

    async def test_attributes_of_every_json_type_are_taken(self, pdp):
        attr = {"a": None, "b": [1, {"c": "d"}], "e": {"f": True}, "g": "", "h": -0.5}
        assert await effects(pdp, asked(**attr)) == [ALLOW]

    async def test_no_question_has_an_empty_answer(self, pdp):
        assert (await pdp.decide(request(), SECONDS)).results == ()

    async def test_the_revision_is_named(self, pdp):
        answer = await pdp.decide(request(asked()), SECONDS)
        assert answer.revision == pdp.revision != ""

    async def test_closing_twice_is_harmless(self, pdp):
        await pdp.close()
        await pdp.close()


class MatchedPolicy:
    """Backends that tell which policy decided (`capabilities.matched_policy`)."""

    async def decision(self, pdp, check: Check):
        answer = await pdp.decide(request(check), SECONDS)
        return answer.results[0].actions[check.actions[0]]

    async def test_the_capability_is_claimed(self, pdp):
        assert pdp.capabilities.matched_policy

    async def test_what_no_policy_speaks_about_is_unmatched(self, pdp):
        assert (await self.decision(pdp, asked(kind="nothing"))).matched_policy == NO_MATCH

    async def test_a_default_denial_of_a_policy_is_matched(self, pdp):
        found = await self.decision(pdp, asked("erase"))
        assert (found.effect, found.matched_policy != NO_MATCH) == (DENY, True)

    async def test_a_layer_answers_for_itself_and_inherits_nothing_it_has_no_rule_for(self, pdp):
        assert (await self.decision(pdp, asked(scope="site", draft=True))).effect == DENY
        assert (await self.decision(pdp, asked(draft=True))).effect == ALLOW

    async def test_a_layer_without_a_policy_of_the_kind_is_unmatched(self, pdp):
        assert (await self.decision(pdp, asked(kind="nothing", scope="site"))).matched_policy == NO_MATCH

    async def test_an_unknown_scope_is_unmatched(self, pdp):
        assert (await self.decision(pdp, asked(scope="nosuch"))).matched_policy == NO_MATCH


class Outputs:
    """Backends that give the outputs of rules (`capabilities.outputs`)."""

    async def outputs(self, pdp, check: Check):
        answer = await pdp.decide(request(check, roles=("visitor",)), SECONDS)
        return [(output.src.rpartition("#")[2], output.val) for output in answer.results[0].outputs]

    async def test_the_capability_is_claimed(self, pdp):
        assert pdp.capabilities.outputs

    async def test_the_output_of_the_rule_that_decided_names_the_rule(self, pdp):
        assert await self.outputs(pdp, asked(secret=True)) == [
            ("notes.no_secret", "notes with secrets stay closed")
        ]

    async def test_an_output_is_a_json_value(self, pdp):
        assert await self.outputs(pdp, asked(length=5)) == [
            ("notes.long", {"decision": "ask", "reason": "a long note is read by a person"})
        ]

    async def test_a_rule_that_does_not_apply_gives_none(self, pdp):
        assert await self.outputs(pdp, asked(length=1)) == []


class AbsorbedErrors:
    """Backends that tell which errors they counted as false (`capabilities.absorbed_errors`)."""

    async def test_a_value_of_the_wrong_type_in_a_denial_is_told(self, pdp):
        assert pdp.capabilities.absorbed_errors
        answer = await pdp.decide(request(asked(path=["/etc/passwd"])), SECONDS)
        (error,) = answer.results[0].absorbed
        assert (error.effect, error.place.rule) == (DENY, "notes.no_system")
        assert error.kind in {"type", "no_such_overload"}

    async def test_a_missing_key_is_no_error_to_tell(self, pdp):
        answer = await pdp.decide(request(asked()), SECONDS)
        assert answer.results[0].absorbed == ()


class Revision:
    """Backends that know the digest of what they decide by (`capabilities.revision`)."""

    async def test_the_revision_is_twelve_hex_digits(self, pdp):
        assert pdp.capabilities.revision
        assert len(pdp.revision) == 12
        int(pdp.revision, 16)
