"""Packs and rules are switched by name: one alone, as they ship, on the embedded engine and on the real PDP."""

from __future__ import annotations

import pytest

from adapters.pdp.local import LocalPdp
from gateway.errors import ConfigError
from gateway.policy_sets.switches import known_packs, pack_of, rules_switched_off
from tests.packs.cases import stopped
from tests.packs.test_same_as_pdp import remote, told
from tests.support.enforcement import Pep, packs_off, shipped_engine

RULES = tuple(rule.name for rule in shipped_engine().rules())
PACKS = known_packs()
NAMES = [pack.name for pack in PACKS]
STRICT = tuple(rule for rule in RULES if pack_of(rule) == "strict")


def one_a_rule():
    """A stopped call for each rule, the first of the corpus."""
    found = {}
    for _, rule, word, call, who in stopped():
        # What the enforcement point says by itself is no rule of a pack.
        if not rule.startswith("ostiary."):
            found.setdefault(rule, (word, call, who))
    return found


ONE_A_RULE = one_a_rule()


def test_every_rule_belongs_to_a_pack_and_every_pack_has_rules():
    assert {pack_of(rule) for rule in RULES} == set(NAMES)
    assert len(set(NAMES)) == len(NAMES)


def test_only_the_strict_pack_ships_switched_off():
    assert [pack.name for pack in PACKS if not pack.enabled] == ["strict"]
    assert packs_off({}) == tuple(sorted(STRICT))
    assert packs_off({"strict": True}) == ()


def test_a_rules_own_switch_comes_before_its_packs():
    off = packs_off({"git_safety": False, "git_safety.protected_push": True, "strict.public_host": True})
    assert "git_safety.protected_push" not in off
    assert "git_safety.protected_history" in off
    assert set(STRICT) - set(off) == {"strict.public_host"}


def test_a_hyphen_and_an_underscore_are_one():
    assert packs_off({"git-safety": False}) == packs_off({"git_safety": False})
    assert packs_off({"git-safety.protected-push": False}) == packs_off({"git_safety.protected_push": False})
    with pytest.raises(ConfigError, match="given twice"):
        packs_off({"git-safety": False, "git_safety": True})


def test_a_sites_own_rules_are_switched_by_name_too():
    rules = ("site.no-fridays", "site.other", "baseline.canary")
    assert rules_switched_off({"site.no_fridays": False}, rules, PACKS) == ("site.no-fridays",)
    assert rules_switched_off({}, rules, PACKS) == ()


@pytest.mark.parametrize("name", ["nope", "baseline.nope", "base", "strict."])
def test_a_switch_that_no_rule_has_is_refused(name):
    with pytest.raises(ConfigError, match=r"packs\..*no rule has this name"):
        packs_off({name: False})


@pytest.mark.parametrize("pack", [name for name in NAMES if name != "strict"])
def test_a_pack_switched_off_alone_takes_its_own_rules_away_and_changes_no_other(pack):
    without = Pep(packs={pack: False})
    for rule, (word, call, who) in ONE_A_RULE.items():
        answered = without.ask(call, who)
        rules = {reason.rule for reason in answered.record.reasons}
        if pack_of(rule) == pack and not rule.startswith("baseline.complete"):
            assert rule not in rules
        elif pack_of(rule) != "strict":
            assert (answered.answer.word, rule in rules) == (word, True), rule


@pytest.mark.parametrize("pack", NAMES)
def test_a_pack_alone_stops_what_its_rules_stop(pack):
    only = Pep(packs={**dict.fromkeys(NAMES, False), pack: True})
    for rule, (word, call, who) in ONE_A_RULE.items():
        answered = only.ask(call, who)
        rules = {reason.rule for reason in answered.record.reasons}
        if pack_of(rule) == pack:
            assert (answered.answer.word, rule in rules) == (word, True), rule
        else:
            assert {pack_of(name) for name in rules if name} <= {pack, "baseline", "ostiary"}


@pytest.mark.pdp
@pytest.mark.parametrize("pack", NAMES)
def test_a_switch_does_the_same_on_the_real_pdp(cerbos, pack):
    local = LocalPdp(shipped_engine(), lambda: 1_700_000_000_000_000_000)
    for switches in ({pack: False}, {**dict.fromkeys(NAMES, False), pack: True}):
        pep = Pep(packs=switches)
        for _, call, who in ONE_A_RULE.values():
            question = pep.question(call, who).request
            assert told(local.decide_now(question)) == told(remote(cerbos, question))
