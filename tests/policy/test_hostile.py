"""Input made to hurt ends in a clear error, in bounded time and memory."""

from __future__ import annotations

import json
import os
import time

import pytest

from gateway.policy.directory import SourceFile, read_roots
from gateway.policy.engine import compile_policies
from gateway.policy.problems import PolicyProblem, PolicyProblems, Problem
from gateway.policy.settings import EngineSettings
from tests.policy.writing import API, ask, effect, engine, problems, resource_policy, rule

PATIENCE_SECONDS = 20.0
"""Far more than any of these takes, far less than one that explodes."""

_LOLS = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10))
HOSTILE = {
    "ten megabytes": (API + "# " + "x" * 10_000_000, Problem.TOO_LARGE),
    "alias bomb": ("a0: &a0 [x, x, x]\n" + _LOLS, Problem.TOO_MANY_NODES),
    "self alias": ("a: &a [*a]\n", Problem.ALIAS),
    "deep lists": (API + "x: " + "[" * 100 + "]" * 100, Problem.TOO_DEEP),
    "bottomless lists": (API + "x: " + "[" * 100_000, Problem.SYNTAX),
    "deep mappings": (API + "x: " + "{a: " * 100 + "1" + "}" * 100, Problem.TOO_DEEP),
    "many nodes": (API + "x: [" + "a," * 300_000 + "]", Problem.TOO_MANY_NODES),
    "merge bomb": ("a: &a {k: 1}\n" + "\n".join(f"b{n}: &b{n} {{<<: *a, x{n}: *a}}" for n in range(50)), None),
    "duplicate keys": (API + "resourcePolicy: {resource: a, resource: b}\n", Problem.DUPLICATE_KEY),
    "not text": ("\x00\x01\x02", Problem.SYNTAX),
    "long key": (API + "x" * 100_000 + ": 1\n", None),
    "cyclic variables": (
        resource_policy("a", rule("x", when="V.a"), variables={"local": {"a": "V.b", "b": "V.c", "c": "V.a"}}),
        Problem.VARIABLE_CYCLE,
    ),
    "chain of variables": (
        resource_policy(
            "a", rule("x", when="V.v4999"),
            variables={"local": {"v0": "1 == 1", **{f"v{n}": f"V.v{n - 1}" for n in range(1, 5000)}}},
        ),
        None,
    ),
    "deep expression": (resource_policy("a", rule("x", when="(" * 5000 + "true" + ")" * 5000)), Problem.INVALID_EXPRESSION),
    "long expression": (resource_policy("a", rule("x", when="true" + " || true" * 20_000)), Problem.INVALID_EXPRESSION),
    "catastrophic regex": (resource_policy("a", rule("x", when="R.attr.s.matches('(a+)+$')")), None),
    "nested groups of a glob": (resource_policy("a", rule("{" * 2000 + "*" + "}" * 2000)), None),
    "stars of a glob": (resource_policy("a", rule("*a" * 500)), None),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_or_loaded_soon(name):
    text, problem = HOSTILE[name]
    begun = time.monotonic()
    found = problems(text)
    assert time.monotonic() - begun < PATIENCE_SECONDS
    if problem is not None:
        assert problem in {one.problem for one in found}


@pytest.mark.parametrize(
    ("number", "above_one"),
    [
        ("9" * 5000, True),
        ("-" + "9" * 5000, False),
        ("9" * 400, True),
        ("0x" + "f" * 400, True),
        ("-0x" + "f" * 400, False),
        ("0x" + "f" * 256, True),
        ("0b" + "1" * 5000, True),
        ("1e400", True),
        ("0x_", False),
        ("0o_", False),
        ("0b_", False),
        ("._", False),
        ("1_e_", False),
    ],
)
def test_a_number_of_any_length_is_a_double_or_text(number, above_one):
    policies = engine(
        resource_policy("a", rule("x", when="C.n > 1.0"), constants={"local": {"n": "NUMBER"}}).replace(
            "NUMBER", number
        )
    )
    assert effect(policies, "a", "x") == ("ALLOW" if above_one else "DENY")


def test_deep_json_is_refused():
    (found,) = problems("[" * 100_000, names=["p.json"])
    assert found.problem is Problem.TOO_DEEP


def test_a_catastrophic_regex_or_glob_costs_the_length_of_the_text():
    policies = engine(
        resource_policy("a", rule("x", when="R.attr.s.matches('(a+)+$')"), rule("*a" * 40 + "b"))
    )
    begun = time.monotonic()
    ask(policies, "a", "x", "a" * 2000, attr={"s": "a" * 100_000 + "!"})
    assert time.monotonic() - begun < PATIENCE_SECONDS


def test_a_comprehension_over_comprehensions_ends_at_its_budget_and_says_so():
    condition = "R.attr.l.all(a, R.attr.l.all(b, R.attr.l.all(c, a + b + c >= 0.0)))"
    policies = engine(resource_policy("a", rule("x", effect="EFFECT_DENY", when=condition)))
    begun = time.monotonic()
    decided = ask(policies, "a", "x", attr={"l": [1] * 2000})
    assert time.monotonic() - begun < PATIENCE_SECONDS
    assert [(error.kind, error.effect) for error in decided.absorbed] == [("limit", "EFFECT_DENY")]


def test_a_hostile_schema_is_refused_where_it_is_named():
    schema = json.dumps({"$ref": "http://169.254.169.254/latest"})
    with pytest.raises(PolicyProblems) as caught:
        engine(
            resource_policy("a", rule("x"), schemas={"resourceSchema": {"ref": "cerbos:///s.json"}}),
            schemas={"s.json": schema},
        )
    (found,) = caught.value.problems
    assert found.problem is Problem.INVALID_SCHEMA
    assert found.line


def test_a_pipe_among_the_policies_is_refused_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "p.yaml")
    with pytest.raises(PolicyProblem, match="no regular file"):
        read_roots([tmp_path])


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "p.yaml").open("wb") as file:
        file.truncate(50 * 1024**3)
    with pytest.raises(PolicyProblem) as caught:
        read_roots([tmp_path])
    assert caught.value.problem is Problem.TOO_LARGE


def test_names_with_control_characters_are_told_and_not_obeyed():
    (found, *_) = problems(API + 'resourcePolicy: {resource: "a\\e[2J*", version: v}\n')
    assert "\x1b" not in str(found)


def test_ten_thousand_rules_of_one_policy_load_and_are_asked_by_index():
    rules = "".join(
        f"    - {{actions: [a{number}], effect: EFFECT_ALLOW, roles: [user]}}\n" for number in range(10_000)
    )
    text = API + f"resourcePolicy:\n  resource: doc\n  version: default\n  rules:\n{rules}"
    policies = compile_policies([SourceFile("p.yaml", text.encode())], EngineSettings())
    begun = time.monotonic()
    for _ in range(500):
        ask(policies, "doc", "a9999")
    assert time.monotonic() - begun < PATIENCE_SECONDS
