"""The conventions of shipped packs: names, roles, switches, texts, and a form that copies of them are made from."""

from __future__ import annotations

import re

import pytest
import yaml

from gateway.domain.attributes import ATTRIBUTE_VALUES, OPERATION_ATTRIBUTES
from gateway.domain.vocabulary import CANARY_KIND, FILE_GROUPS, HOST_GROUPS, OPERATION_ACTIONS
from gateway.policy_sets.packs import pack_files, shipped_packs
from gateway.policy_sets.switches import known_packs

FILES = {
    path: yaml.safe_load(text)["resourcePolicy"]
    for path, text in pack_files(shipped_packs()).items()
    if path.endswith(".yaml") and not path.endswith("_test.yaml")
}
RULES = [(path, rule) for path, policy in FILES.items() for rule in policy["rules"]]
IDS = [rule["name"] for _, rule in RULES]
LAST = {
    "file": "other_files",
    "host": "other_hosts",
    "mcp_tool": "other_mcp_tools",
    "subagent": "other_subagents",
    "command": "other_commands",
    "git": "other_git",
    "package": "other_packages",
    "credential": "environment",
}


def expression(rule: dict) -> str:
    return rule.get("condition", {}).get("match", {}).get("expr", "")


def text_of(rule: dict) -> str:
    """What an output says to the agent."""
    said = rule.get("output", {}).get("when", {}).get("ruleActivated", "")
    value = yaml.safe_load(said) if said else ""
    return value["reason"] if isinstance(value, dict) else str(value)


def test_there_is_one_policy_a_kind_in_the_root_scope_and_a_suite_beside_it():
    kinds = [policy["resource"] for policy in FILES.values()]
    assert len(set(kinds)) == len(kinds)
    assert {policy.get("scope", "") for policy in FILES.values()} == {""}
    for path in FILES:
        assert (shipped_packs() / path.replace(".yaml", "_test.yaml")).is_file()


@pytest.mark.parametrize(("path", "rule"), RULES, ids=IDS)
def test_a_rule_is_named_after_its_pack_and_holds_for_every_role(path, rule):
    pack, _, name = rule["name"].partition(".")
    assert path.startswith("baseline/")
    assert pack in {known.name for known in known_packs()}
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert rule["roles"] == ["*"]


def test_no_two_rules_have_one_name():
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize(("path", "rule"), RULES, ids=IDS)
def test_a_rule_first_asks_whether_it_is_off(path, rule):
    policy = FILES[path]
    first, last = policy["rules"][0], policy["rules"][-1]
    if policy["resource"] == CANARY_KIND or rule is last:
        assert expression(rule) == ""
    elif rule is first:
        # It proves that `rules_off` can be asked at all; it stops no call whose facts are whole.
        assert expression(rule).startswith("!(has(R.attr.rules_off) && type(R.attr.rules_off) == list")
    else:
        assert f"{expression(rule)} &&".startswith(f'!("{rule["name"]}" in R.attr.rules_off) &&')


@pytest.mark.parametrize("path", FILES)
def test_a_policy_ends_in_an_allow_and_reads_no_attribute_before_its_type_is_known(path):
    policy = FILES[path]
    if policy["resource"] == CANARY_KIND:
        assert [rule["effect"] for rule in policy["rules"]] == ["EFFECT_DENY"]
        return
    last = policy["rules"][-1]
    assert (last["name"], last["effect"], last["actions"]) == (
        f"baseline.{LAST[policy['resource']]}",
        "EFFECT_ALLOW",
        ["*"],
    )
    guarded = set(re.findall(r"type\(R\.attr\.(\w+)\) ==", expression(policy["rules"][0])))
    read = {name for rule in policy["rules"] for name in re.findall(r"R\.attr\.(\w+)", expression(rule))}
    # Asked with `has`, and the stricter case where missing (test_properties holds it to that).
    assert read - {"certain", "shape"} <= guarded
    assert guarded <= {*OPERATION_ATTRIBUTES[policy["resource"]], "rules_off"}


@pytest.mark.parametrize(("path", "rule"), RULES, ids=IDS)
def test_a_rule_names_groups_and_actions_that_exist(path, rule):
    kind = FILES[path]["resource"]
    known = {"file": FILE_GROUPS, "host": HOST_GROUPS}.get(kind, ATTRIBUTE_VALUES.get((kind, "groups"), ()))
    for group in re.findall(r'"([a-z_]+)" in R\.attr\.groups', expression(rule)):
        assert group in known
    for trait in re.findall(r'"([a-z_]+)" in R\.attr\.traits', expression(rule)):
        assert trait in ATTRIBUTE_VALUES["command", "traits"]
    # The actions of git are its subcommands, an open set.
    if kind not in (CANARY_KIND, "git"):
        assert set(rule["actions"]) <= {"*", *OPERATION_ACTIONS[kind]}


@pytest.mark.parametrize(("path", "rule"), [pair for pair in RULES if "output" in pair[1]], ids=lambda _: "")
def test_a_text_helps_the_agent_and_names_nobody_and_no_rule(path, rule):
    text = text_of(rule)
    assert 20 <= len(text) <= 140
    assert text.count("; ") == 1 or rule["name"] == "baseline.canary"
    assert "." not in text.replace(".env.example", "")
    assert "R.attr" not in rule["output"]["when"]["ruleActivated"]
    assert "P." not in rule["output"]["when"]["ruleActivated"]
    assert "baseline" not in text


def test_every_rule_that_stops_something_has_a_text():
    for _, rule in RULES:
        asks = "ask" in rule.get("output", {}).get("when", {}).get("ruleActivated", "")
        assert bool(text_of(rule)) == (rule["effect"] == "EFFECT_DENY" or asks), rule["name"]


def test_an_ask_rides_on_an_allow_only():
    for _, rule in RULES:
        said = rule.get("output", {}).get("when", {}).get("ruleActivated", "")
        if said.startswith("{"):
            assert rule["effect"] == "EFFECT_ALLOW"
            assert set(yaml.safe_load(said)) == {"decision", "reason"}
