"""What an expression is said to read is all that it can depend on."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.cel import Activation, CelCompileError, Program, References, compile_expression
from tests.policy.cel.answers import outcome
from tests.policy.cel.generate import Generator, request

FORMS = [
    "R.attr.s == P.id",
    "R.attr['s'] == R.id",
    "R.attr[P.attr.s] == 'a'",
    "P.attr[R.kind] == 1.0",
    "'b' in R.attr",
    "R.attr.s in P.attr",
    "P.roles.exists(r, r in R.attr.words)",
    "R.attr.exists(k, k == 'n')",
    "size(P.attr) > 5",
    "has(R.attr.map) && R.attr.map.a == 1.0",
    "has(P.attr.map.b.c)",
    "request.resource.attr.n > 1.0",
    "request.principal.attr['m'] < 1.0",
    "request.auxData.jwt.sub == P.id",
    "'sub' in request.auxData.jwt",
    "dyn(R).attr.b == true",
    "dyn(request).principal.id == 'ada'",
    "cel.bind(r, R, r.attr.b == true)",
    "cel.bind(a, P.attr, a.b == true)",
    "[R, R].map(r, r.attr.s).size() == 2",
    "(R.attr.b == true ? R.attr : P.attr).s == 'a'",
    "R.attr == P.attr",
    "R == R",
    "V.v1 == 'x' || V.v2",
    "C.c1 == 1.0",
    "C.c2.x[0] == 'y'",
    "dyn(C).c1 == 1.0",
    "G.g1 == 'y'",
    "globals.g1 == G.?g2.orValue('x')",
    "runtime.effectiveDerivedRoles.size() > 0",
    "now() > timestamp('2024-01-01T00:00:00Z')",
    "timestamp('2024-01-01T00:00:00Z').timeSince() > duration('1h')",
    "R.scope == P.scope",
    "R.policyVersion == P.policyVersion",
    "R.attr.?s.orValue('x') == 'a'",
    "R.attr[?P.attr.s].hasValue()",
    "P.attr.?map.?b.?c[?0].hasValue()",
    "[1].map(R, R)[0] == 1",
    "P.attr.words.exists(P, P == 'a')",
    "{'a': R.attr.s}.a == 'a'",
    "[R.attr.n, P.attr.n].exists(n, n > 1.0)",
    "'%s'.format([R.attr]) == ''",
    "json.encode(R.attr.map) == '{}'",
    "R.attr.words.transformMapEntry(i, w, {w: P.attr.b}).a",
]
CHANGES = ["x", 5, True, None, ["a"], {"a": "b"}]


def whole_request(random: Random) -> dict[str, Any]:
    asked = request(random)
    return {
        "principal": {**asked["principal"], "scope": "one", "policyVersion": "1"},
        "resource": {**asked["resource"], "kind": "document", "scope": "one", "policyVersion": "1"},
        "aux_data": {"jwt": {"sub": "ada", "aud": "x"}},
        "variables": {"v1": "x", "v2": True},
        "constants": {"c1": 1, "c2": {"x": ["y"]}},
        "globals": {"g1": "y", "g2": 1},
        "runtime": {"effectiveDerivedRoles": ["one"]},
        "now": 1_750_000_000 * 10**9,
    }


def mutations(given: References) -> list[tuple[str, ...]]:
    """The paths into a request that an expression is said not to read."""
    found: list[tuple[str, ...]] = []
    for record, letter, names, whole in (
        ("principal", "P", given.principal_attributes, given.whole_principal),
        ("resource", "R", given.resource_attributes, given.whole_resource),
    ):
        if whole:
            continue
        attributes = (
            "s",
            "t",
            "n",
            "m",
            "b",
            "z",
            "words",
            "numbers",
            "mixed",
            "nested",
            "map",
            "one",
            "new",
        )
        found += [(record, "attr", name) for name in attributes if name not in names]
        fields = ("id", "scope", "policyVersion", *(("roles",) if letter == "P" else ("kind",)))
        found += [(record, field) for field in fields if f"{letter}.{field}" not in given.reads]
    for table, names, whole, known in (
        ("variables", given.variables, given.whole_variables, ("v1", "v2", "new")),
        ("constants", given.constants, given.whole_constants, ("c1", "c2", "new")),
        ("globals", given.globals, given.whole_globals, ("g1", "g2", "new")),
    ):
        found += [] if whole else [(table, name) for name in known if name not in names]
    found += [] if given.uses_aux_data else [("aux_data", "jwt", "sub"), ("aux_data", "jwt", "aud")]
    found += [] if given.uses_runtime else [("runtime", "effectiveDerivedRoles")]
    found += [] if given.uses_now else [("now",)]
    return found


def changed(asked: dict[str, Any], path: tuple[str, ...], random: Random) -> dict[str, Any]:
    other = deepcopy(asked)
    if path == ("now",):
        return {**other, "now": random.randrange(10**18)}
    if path[-1] in ("roles", "effectiveDerivedRoles"):
        other[path[0]][path[-1]] = ["another"]
        return other
    holder = other
    for name in path[:-1]:
        holder = holder[name]
    if path[-1] in ("id", "kind", "scope", "policyVersion"):
        holder[path[-1]] = "another"
    elif random.random() < 0.3:
        holder.pop(path[-1], None)
    else:
        holder[path[-1]] = random.choice(CHANGES)
    return other


def check(program: Program, random: Random) -> None:
    asked = whole_request(random)
    before = repr(outcome(program.evaluate_exact, Activation(**asked)))
    for path in mutations(program.references):
        other = changed(asked, path, random)
        assert repr(outcome(program.evaluate, Activation(**other))) == before, (program.text, path)


@given(
    st.lists(st.sampled_from(FORMS), min_size=1, max_size=3),
    st.sampled_from([" && ", " || "]),
    st.integers(0, 2**40),
)
@settings(max_examples=250, deadline=None)
def test_what_is_not_read_never_changes_a_value(forms, operator, seed):
    check(compile_expression(operator.join(f"({form})" for form in forms)), Random(seed))


@given(st.integers(0, 2**40))
@settings(max_examples=250, deadline=None)
def test_what_is_not_read_never_changes_the_value_of_a_random_expression(seed):
    random = Random(seed)
    try:
        program = compile_expression(Generator(random).expression())
    except CelCompileError:
        return
    check(program, random)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("R.attr.a.b == P.attr['c'].d", {"resource_attributes": {"a"}, "principal_attributes": {"c"}}),
        ("has(R.attr.a)", {"resource_attributes": {"a"}}),
        ("'a' in R.attr", {"resource_attributes": {"a"}}),
        ("R.attr[P.attr.k]", {"principal_attributes": {"k"}, "whole_resource": True}),
        ("P.attr.map(k, k)", {"whole_principal": True}),
        (
            "request.resource.attr.a == request.principal.id",
            {"resource_attributes": {"a"}, "reads": {"P.id"}},
        ),
        ("V.x && C.y && G.z", {"variables": {"x"}, "constants": {"y"}, "globals": {"z"}}),
        ("now() == now()", {"uses_now": True}),
        ("timestamp(R.attr.t).timeSince()", {"resource_attributes": {"t"}, "uses_now": True}),
        ("request.auxData.jwt.iss", {"uses_aux_data": True}),
        ("'x' in runtime.effectiveDerivedRoles", {"uses_runtime": True}),
        ("request", {"whole_resource": True, "whole_principal": True, "uses_aux_data": True}),
        ("[1].map(R, R)", {}),
        ("1 + 1", {}),
    ],
)
def test_the_names_are_exact(text, wanted):
    full = {name: frozenset(value) if isinstance(value, set) else value for name, value in wanted.items()}
    assert compile_expression(text).references == References(**full)
