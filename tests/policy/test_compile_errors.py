"""Everything between policies that does not fit, each with the place that must change."""

from __future__ import annotations

import pytest

from gateway.policy.problems import Problem
from tests.policy.writing import CONSENT, policy, problems, resource_policy, rule

_SET = policy("derivedRoles", name="one", definitions=[{"name": "owner", "parentRoles": ["user"]}])
_TWO = policy("derivedRoles", name="two", definitions=[{"name": "owner", "parentRoles": ["admin"]}])
_VARS = policy("exportVariables", name="shared", definitions={"big": "R.attr.n > 5"})


def _with(**fields):
    return resource_policy("doc", rule("view", when="V.x"), **fields)


CASES = {
    "duplicate policy": ((resource_policy("a"), resource_policy("a")), Problem.DUPLICATE_DEFINITION, "p1.yaml", 3),
    "old and plain name are one": (
        (resource_policy("a:b"), resource_policy("a_b")), Problem.DUPLICATE_DEFINITION, "p1.yaml", 3,
    ),
    "duplicate set": ((_SET, _SET), Problem.DUPLICATE_DEFINITION, "p1.yaml", 3),
    "missing scope": ((resource_policy("a"), resource_policy("a", scope="x.y")), Problem.MISSING_SCOPE, "p1.yaml", 3),
    "scope permissions": (
        (
            resource_policy("a"), resource_policy("b"),
            resource_policy("a", scope="x"), resource_policy("b", scope="x", scopePermissions=CONSENT),
        ),
        Problem.SCOPE_PERMISSIONS, "p3.yaml", 3,
    ),
    "missing derived roles": ((resource_policy("a", importDerivedRoles=["nope"]),), Problem.MISSING_IMPORT, "p0.yaml", 7),
    "missing variables": ((_with(variables={"import": ["nope"], "local": {"x": "true"}}),), Problem.MISSING_IMPORT, "p0.yaml", 16),
    "missing constants": ((_with(constants={"import": ["nope"]}, variables={"local": {"x": "true"}}),), Problem.MISSING_IMPORT, "p0.yaml", 16),
    "ambiguous derived role": (
        (_SET, _TWO, resource_policy("a", rule("x", roles=[], derivedRoles=["owner"]), importDerivedRoles=["one", "two"])),
        Problem.AMBIGUOUS_DERIVED_ROLE, "p2.yaml", 13,
    ),
    "unknown derived role": (
        (_SET, resource_policy("a", rule("x", roles=[], derivedRoles=["stranger"]), importDerivedRoles=["one"])),
        Problem.UNKNOWN_DERIVED_ROLE, "p1.yaml", 10,
    ),
    "undefined variable": ((resource_policy("a", rule("x", when="V.nope")),), Problem.VARIABLE_UNDEFINED, "p0.yaml", 13),
    "undefined constant": ((resource_policy("a", rule("x", when="C.nope == 1")),), Problem.CONSTANT_UNDEFINED, "p0.yaml", 13),
    "undefined in a variable": ((_with(variables={"local": {"x": "V.nope"}}),), Problem.VARIABLE_UNDEFINED, "p0.yaml", 16),
    "variable defined twice": (
        (_VARS, _with(variables={"import": ["shared"], "local": {"big": "true", "x": "true"}})),
        Problem.VARIABLE_REDEFINED, "p1.yaml", 18,
    ),
    "reserved name": ((_with(variables={"local": {"x": "true", "in": "true"}}),), Problem.VARIABLE_NAME, "p0.yaml", 17),
    "bad name": ((_with(constants={"local": {"a-b": 1}}, variables={"local": {"x": "true"}}),), Problem.CONSTANT_NAME, "p0.yaml", 16),
    "variable needs itself": ((_with(variables={"local": {"x": "V.x"}}),), Problem.VARIABLE_CYCLE, "p0.yaml", 16),
    "variables in a ring": ((_with(variables={"local": {"x": "V.y", "y": "V.z", "z": "V.y"}}),), Problem.VARIABLE_CYCLE, "p0.yaml", 17),
    "syntax of an expression": ((resource_policy("a", rule("x", when="1 +")),), Problem.INVALID_EXPRESSION, "p0.yaml", 13),
    "type of an expression": ((resource_policy("a", rule("x", when="1 == 'x'")),), Problem.INVALID_EXPRESSION, "p0.yaml", 13),
    "unknown name": ((resource_policy("a", rule("x", when="resource.id == 'x'")),), Problem.INVALID_EXPRESSION, "p0.yaml", 13),
    "output": ((resource_policy("a", rule("x", says="nope(1)")),), Problem.INVALID_EXPRESSION, "p0.yaml", 13),
    "missing schema": (
        (resource_policy("a", schemas={"resourceSchema": {"ref": "cerbos:///no.json"}}),), Problem.INVALID_SCHEMA, "p0.yaml", 8,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_problem_between_policies_is_told_at_the_place_to_change(name):
    texts, problem, file, line = CASES[name]
    found = [one for one in problems(*texts) if one.problem is problem]
    assert [(one.file, one.line) for one in found] == [(file, line)]
    assert found[0].remedy
    assert found[0].column


def test_the_column_of_an_error_is_inside_its_expression():
    (found,) = problems(resource_policy("a", rule("x", when="R.attr.ok && nope(1)")))
    text = resource_policy("a", rule("x", when="R.attr.ok && nope(1)")).splitlines()[found.line - 1]
    assert text[found.column - 1 :].startswith(("nope(1)", "(1)"))


def test_a_second_root_policy_is_sent_to_policy_new():
    (found,) = problems(resource_policy("file"), resource_policy("file"))
    assert "ostiary policy new" in found.remedy


def test_a_missing_import_lists_what_there_is():
    (found,) = problems(_SET, resource_policy("a", importDerivedRoles=["onne"]))
    assert found.remedy == "Known: one."


def test_every_wrong_expression_of_a_set_is_reported():
    texts = [
        resource_policy(f"k{number}", rule("x", when="1 +"), rule("y", when="nope")) for number in range(3)
    ]
    assert len(problems(*texts)) == 6
