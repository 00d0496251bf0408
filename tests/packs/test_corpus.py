"""An ordinary day passes, and what the packs are for is stopped, each by the rule that says why."""

from __future__ import annotations

import pytest

from tests.packs.cases import day, read, stopped, strict
from tests.packs.test_conventions import LAST
from tests.support.enforcement import Pep, shipped_engine
from tests.support.payloads import PROJECT, pre_tool_use

PEP = Pep()
DAY = day()
STOPPED = stopped()
STRICT = strict()
STRICT_PEP = Pep(packs={"strict": True})


@pytest.mark.parametrize("call", [payload for _, payload in DAY], ids=[name for name, _ in DAY])
def test_an_ordinary_call_passes(call):
    answered = PEP.ask(call)
    assert (answered.answer.word, answered.record.decision) in {("pass", "allow"), ("pass", "no_policy")}


def test_the_day_is_long_enough_to_mean_something():
    assert len(read("day.yaml")) >= 150


@pytest.mark.parametrize(
    ("rule", "word", "call", "who"), [row[1:] for row in STOPPED], ids=[row[0] for row in STOPPED]
)
def test_a_call_is_stopped_by_the_rule_that_says_why(rule, word, call, who):
    answered = PEP.ask(call, who)
    assert answered.answer.word == word
    assert rule in {reason.rule for reason in answered.record.reasons}


@pytest.mark.parametrize("call", [row[3] for row in STOPPED], ids=[row[0] for row in STOPPED])
def test_the_same_call_passes_while_only_watched(call):
    assert Pep(mode="observe").word(call) == "pass"


@pytest.mark.parametrize(
    ("rule", "word", "call"), [row[1:] for row in STRICT], ids=[row[0] for row in STRICT]
)
def test_the_strict_pack_stops_what_passes_without_it(rule, word, call):
    assert PEP.word(call) == "pass"
    answered = STRICT_PEP.ask({**call, "tool_use_id": f"{call['tool_use_id']}s"})
    assert answered.answer.word == word
    assert rule in {reason.rule for reason in answered.record.reasons}


def test_every_rule_that_stops_something_stops_a_call_of_the_corpus():
    shown = {row[1] for row in [*STOPPED, *STRICT]}
    rules = {rule.name for rule in shipped_engine().rules()}
    closing = {f"baseline.{name}" for name in LAST.values()}
    # The canary is no operation of a call, and this gateway has no listener to guard; their suites stop both.
    elsewhere = {"baseline.canary", "self_protection.gateway_host"}
    assert {rule for rule in rules - shown - closing if not rule.startswith("baseline.complete")} == elsewhere


@pytest.mark.parametrize("before", ["echo x\n" * 20_000, "if (\n"], ids=["too long", "no syntax"])
def test_a_secret_behind_what_is_not_read_is_refused_and_not_only_asked_about(before):
    assert PEP.word(pre_tool_use("Bash", {"command": f"{before}cat {PROJECT}/src/main.py"})) == "ask"
    assert PEP.word(pre_tool_use("Bash", {"command": f"{before}cat ~/.ssh/id_rsa"})) == "deny"
