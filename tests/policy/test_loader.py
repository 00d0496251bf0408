"""Files to policies: what is read as what, and where a complaint points."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.json_source import parse_json
from gateway.policy.problems import PolicyProblem, Problem
from gateway.policy.source import parse
from tests.policy.writing import API, ask, effects, engine, problems, resource_policy, rule


def test_scalars_keep_their_source_text():
    (node,) = parse("[on, yes, 20210210, 1_000, 0x10, 1.50, null, '5', Off]", "f.yaml")
    assert [item.text for item in node.items] == [
        "on", "yes", "20210210", "1_000", "0x10", "1.50", "null", "5", "Off",
    ]  # fmt: skip


def test_words_that_yaml_1_1_takes_for_booleans_stay_actions():
    policies = engine(
        API + "resourcePolicy:\n  resource: doc\n  version: 20210210\n  rules:\n"
        "    - {actions: [on, yes], effect: EFFECT_ALLOW, roles: [no]}\n"
    )
    decided = ask(policies, "doc", "on", "yes", "true", roles=["no"], version="20210210")
    assert effects(decided) == {"on": "ALLOW", "yes": "ALLOW", "true": "DENY"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0), ("0x10", 16.0), ("1_000", 1000.0), ("-5", -5.0), ("1.5", 1.5), ("1e3", 1000.0), ("true", True),
        ("False", False), ("yes", "yes"), ("'1'", "1"), ("~", None), ("null", None), ("2021-01-01", "2021-01-01"),
        ("!!str 1", "1"), ("!!int '3'", 3.0), (".inf", float("inf")), ("012", 12.0),
    ],
)  # fmt: skip
def test_a_value_has_the_type_that_json_would_give_it(text, value):
    (node,) = parse(f"a: {text}", "f.yaml")
    assert node.plain() == {"a": value}
    assert type(node.plain()["a"]) is type(value)


def test_several_documents_and_empty_ones_are_one_file():
    text = (
        "---\n"
        + resource_policy("a", rule("x"))
        + "---\n---\n# nothing\n---\n"
        + resource_policy("b", rule("y"))
    )
    assert effects(ask(engine(text), "b", "y")) == {"y": "ALLOW"}


def test_json_and_yaml_of_one_policy_are_one_policy():
    text = resource_policy("doc", rule("view", when="R.attr.a == 'ü\\n'"))
    document = json.dumps(yaml.safe_load(text), ensure_ascii=True)
    assert problems(document, names=["p.json"]) == ()


def test_field_names_may_be_written_as_protobuf_has_them():
    text = API + (
        "resource_policy:\n  resource: doc\n  version: default\n"
        "  scope_permissions: SCOPE_PERMISSIONS_OVERRIDE_PARENT\n"
        "  rules: [{actions: [a], effect: 1, roles: [user]}]\n"
    )
    assert effects(ask(engine(text), "doc", "a")) == {"a": "ALLOW"}


def test_a_disabled_policy_is_not_there():
    text = "disabled: true\n" + resource_policy("doc", rule("view"))
    assert effects(ask(engine(text), "doc", "view")) == {"view": "DENY"}


def test_merge_keys_give_defaults_that_own_fields_override():
    (node,) = parse("base: &b {a: 1, b: 2}\nmore: {<<: *b, b: 3}\nlist: {<<: [*b, {c: 4}]}", "f.yaml")
    assert node.plain()["more"] == {"a": 1.0, "b": 3.0}
    assert node.plain()["list"] == {"a": 1.0, "b": 2.0, "c": 4.0}


COMPLAINTS = [
    ("apiVersion: v1\nresourcePolicy: {resource: a, version: v}\n", Problem.API_VERSION, 1, 1),
    (API, Problem.NOT_ONE_BODY, 1, 1),
    (API + "resourcePolicy: {resource: a, version: v}\nderivedRoles: {}\n", Problem.NOT_ONE_BODY, 3, 1),
    (API + "resourcePolicy: {resource: a, version: v, resource: b}\n", Problem.DUPLICATE_KEY, 2, 43),
    (API + "resourcePolicy:\n  resource: a\n  version: v\n  roles: x\n", Problem.UNKNOWN_FIELD, 5, 3),
    (API + "resourcePolicy:\n  resource: a*\n  version: v\n", Problem.BAD_VALUE, 3, 3),
    (API + "resourcePolicy:\n  resource: a\n  version: 1.0\n", Problem.BAD_VALUE, 4, 3),
    (API + "resourcePolicy:\n  resource: a\n", Problem.MISSING_FIELD, 3, 3),
    (API + "resourcePolicy:\n  resource: a\n  version: v\n  scope: a..b\n", Problem.BAD_VALUE, 5, 3),
    (API + "resourcePolicy:\n  resource: a\n  version: v\n  rules: x\n", Problem.WRONG_TYPE, 5, 10),
    (API + "resourcePolicy:\n  resource: a\n  version: v\n  rules:\n", Problem.WRONG_TYPE, 5, 9),
    ("- a\n", Problem.WRONG_TYPE, 1, 1),
    ("hello\n", Problem.WRONG_TYPE, 1, 1),
    (API + "resourcePolicy:\n\tresource: a\n", Problem.SYNTAX, 3, 1),
    (API + "resourcePolicy: {resource: *x, version: v}\n", Problem.ALIAS, 2, 28),
    (API + "resourcePolicy: {resource: !secret x, version: v}\n", Problem.TAG, 2, 28),
    (API + "resourcePolicy: {[a]: x, version: v}\n", Problem.WRONG_TYPE, 2, 18),
]  # fmt: skip


@pytest.mark.parametrize(("text", "problem", "line", "column"), COMPLAINTS)
def test_a_complaint_names_its_place_and_what_to_write_instead(text, problem, line, column):
    found = problems(text)
    assert (problem, line, column) in [(one.problem, one.line, one.column) for one in found]
    assert all(one.remedy for one in found)
    assert all(str(one).startswith(f"p0.yaml:{one.line}:{one.column}: OST-POL-") for one in found)


RULES = [
    ("actions: [], effect: EFFECT_ALLOW, roles: [u]", Problem.BAD_VALUE),
    ("effect: EFFECT_ALLOW, roles: [u]", Problem.MISSING_FIELD),
    ("actions: [a, a], effect: EFFECT_ALLOW, roles: [u]", Problem.BAD_VALUE),
    ("actions: [''], effect: EFFECT_ALLOW, roles: [u]", Problem.BAD_VALUE),
    ("actions: [a], effect: ALLOW, roles: [u]", Problem.BAD_VALUE),
    ("actions: [a], effect: EFFECT_ALLOW", Problem.RULE_WITHOUT_ROLES),
    ("actions: [a], effect: EFFECT_ALLOW, roles: [u], name: 1x", Problem.BAD_VALUE),
    ("actions: [a], effect: EFFECT_ALLOW, roles: [u], condition: null", Problem.WRONG_TYPE),
    ("actions: [a], effect: EFFECT_ALLOW, roles: [u], condition: {}", Problem.BAD_VALUE),
    ("actions: [a], effect: EFFECT_ALLOW, roles: [u], condition: {match: {}}", Problem.BAD_VALUE),
    ("actions: [a], effect: EFFECT_ALLOW, roles: [u], condition: {match: {all: {of: []}}}", Problem.BAD_VALUE),
    ("actions: [a], effect: EFFECT_ALLOW, roles: [u], condition: {match: {expr: x, any: {}}}", Problem.BAD_VALUE),
    ("actions: [a], effect: EFFECT_ALLOW, roles: [u], condition: {script: x}", Problem.SCRIPT),
    ("actions: [a], effect: EFFECT_ALLOW, roles: [u], output: {when: {}}", Problem.EMPTY_OUTPUT),
    ("actions: [a], effect: EFFECT_ALLOW, roles: [u], derivedRoles: ['a b']", Problem.BAD_VALUE),
]  # fmt: skip


@pytest.mark.parametrize(("text", "problem"), RULES)
def test_a_rule_that_lost_a_part_never_loads_without_it(text, problem):
    found = problems(API + f"resourcePolicy:\n  resource: a\n  version: v\n  rules:\n    - {{{text}}}\n")
    assert problem in {one.problem for one in found}


def test_rules_of_one_name_are_refused_since_they_would_share_a_condition():
    (found,) = problems(resource_policy("a", rule("x", name="n"), rule("y", name="n")))
    assert (found.problem, found.line) == (Problem.BAD_VALUE, 12)


def test_everything_wrong_is_reported_at_once_in_order_of_place():
    text = API + "resourcePolicy:\n  resource: a*\n  version: a-b\n  scope: '!'\n  wrong: 1\n"
    assert [(one.line, one.problem) for one in problems(text)] == [
        (3, Problem.BAD_VALUE),
        (3, Problem.MISSING_SCOPE), (4, Problem.BAD_VALUE), (5, Problem.BAD_VALUE), (6, Problem.UNKNOWN_FIELD),
    ]  # fmt: skip


def test_a_misspelt_field_is_met_with_the_right_one():
    (found,) = problems(API + "resourcePolicy: {resource: a, version: v, rulez: []}\n")
    assert found.remedy == "Did you mean 'rules'?"


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(blacklist_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(values)
@settings(max_examples=150)
def test_json_means_what_the_standard_library_reads(value):
    text = json.dumps(value, indent=1)
    (node,) = parse_json(text, "f.json")
    assert node.plain() == json.loads(text)


@given(st.text(max_size=60), st.sampled_from([("f.yaml", parse), ("f.json", parse_json)]))
@settings(max_examples=400)
def test_any_text_is_read_or_refused_at_a_place_inside_it(text, how):
    name, read = how
    problem = _problem(lambda: read(text, name))
    if problem is not None:
        assert 1 <= problem.line <= len(text.splitlines()) + 2
        assert problem.column >= 1
        assert problem.remedy


def _problem(act):
    try:
        act()
    except PolicyProblem as problem:
        return problem
    return None
