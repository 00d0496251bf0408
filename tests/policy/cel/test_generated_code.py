"""Generated code and the exact evaluator are one language: they agree on every value and every error."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.cel import Activation, Budget, CelCompileError, compile_expression
from gateway.policy.cel.fastpath import timestamp_at
from gateway.policy.cel.gotext import parse_timestamp
from gateway.policy.cel.values import Undecided
from tests.policy.cel.answers import activation, outcome
from tests.policy.cel.generate import Generator, request

SEEDS = st.integers(0, 2**63)


def compare(seed: int) -> None:
    random = Random(seed)
    asked = [request(random) for _ in range(3)]
    text = Generator(random).expression()
    try:
        program = compile_expression(text)
    except CelCompileError:
        return
    for one in asked:
        generated = outcome(program.evaluate, activation(one))
        exact = outcome(program.evaluate_exact, activation(one))
        assert repr(generated) == repr(exact), text


@settings(max_examples=600, deadline=None)
@given(SEEDS)
def test_random_expressions(seed):
    compare(seed)


@pytest.mark.soak
@settings(max_examples=200_000, deadline=None)
@given(SEEDS)
def test_random_expressions_for_long(seed):
    compare(seed)


CLOCKS = [
    "now() > timestamp(R.attr.t)",
    "timestamp(R.attr.t) <= now()",
    "timestamp(R.attr.t) == timestamp('2024-02-29T12:30:00Z')",
    "timestamp(R.attr.t) != now()",
    "timestamp(R.attr.t).timeSince() > duration('24h')",
    "timeSince(timestamp(R.attr.t)) >= duration(R.attr.d)",
    "duration(R.attr.d) == duration('90s') || duration(R.attr.d) < duration('-1h')",
    "timestamp(R.attr.t) + duration(R.attr.d) < now()",
    "now() - timestamp(R.attr.t) > duration(R.attr.d)",
    "timestamp(R.attr.n) < now()",
    "[timestamp(R.attr.t), now()].exists(t, t > timestamp('2020-01-01T00:00:00Z'))",
]


@given(
    st.sampled_from(CLOCKS),
    st.one_of(st.datetimes().map(lambda at: at.isoformat(timespec="seconds") + "Z"), st.text(max_size=25)),
    st.sampled_from(["90s", "-1h30m", "x", "", "0", "2562047h"]),
    st.integers(-(2**62), 2**62),
)
@settings(max_examples=300)
def test_times(text, at, span, now):
    program = compile_expression(text)
    resource = {"attr": {"t": at, "d": span, "n": 5}}
    found = [
        repr(outcome(evaluate, Activation(resource=resource, now=now)))
        for evaluate in (program.evaluate, program.evaluate_exact)
    ]
    assert found[0] == found[1]


_MUTATIONS = st.tuples(st.integers(0, 24), st.sampled_from("0123456789-:.TZWtz +٣"))


@given(st.datetimes(), st.lists(_MUTATIONS, max_size=2), st.integers(0, 3))
@settings(max_examples=500)
def test_the_short_way_reads_a_timestamp_as_the_long_way_does(at, mutations, cut):
    text = list((at - timedelta(microseconds=at.microsecond)).isoformat() + "Z")
    for place, character in mutations:
        text[place % len(text)] = character
    written = "".join(text[: len(text) - cut])
    try:
        short = timestamp_at(written)
    except (Undecided, ValueError):
        return
    parsed = parse_timestamp(written)
    assert parsed is not None
    assert short == parsed[0]


def test_the_short_way_reads_ordinary_timestamps():
    assert timestamp_at("2024-02-29T12:30:00Z") == 1_709_209_800 * 10**9


MACROS = [
    "R.attr.l.exists(x, x == R.attr.s)",
    "R.attr.l.all(x, x != R.attr.s)",
    "R.attr.l.exists(x, R.attr.s == x)",
    "R.attr.l.exists(x, x == 'a') && R.attr.l.all(y, y != 'zz')",
    "R.attr.l.exists(x, x == x)",
    "R.attr.l.exists(x, R.attr.l.exists(x, x == 'a'))",
    "R.attr.l.exists(x, x == R.attr.l[0])",
    "R.attr.l.exists(R, R == 'a')",
    "R.attr.l.filter(x, x == R.attr.s).size() == 1",
]
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.sampled_from(["a", "b", ""])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=6,
)


@given(st.sampled_from(MACROS), _JSON, _JSON)
@settings(max_examples=400)
def test_lookups_that_stand_for_macros(text, items, wanted):
    program = compile_expression(text)
    resource = {"attr": {"l": items, "s": wanted}}
    found = [
        repr(outcome(evaluate, Activation(resource=resource)))
        for evaluate in (program.evaluate, program.evaluate_exact)
    ]
    assert found[0] == found[1]


_TYPES = [
    *("list", "map", "string", "double", "bool", "null_type", "int", "bytes", "type"),
    *("google.protobuf.Timestamp", "optional_type", "type(R.attr.s)"),
]
_TYPED = [
    *("R.attr.l", "R.attr.s", "R.attr.missing", "R.attr.l[0]", "P.roles", "P.attr", "R", "[1, 2]", "{1: 2}"),
    *("1", "1u", "1.5", "b'x'", "now()", "type(R.attr.s)", "R.attr.?s", "R.attr.l.map(x, x)", "runtime"),
]


@pytest.mark.parametrize("value", _TYPED)
@given(_JSON, _JSON)
@settings(max_examples=12)
def test_tests_of_a_type(value, items, item):
    for name in _TYPES:
        for text in (f"type({value}) == {name}", f"{name} != type({value})"):
            program = compile_expression(text)
            asked = [
                Activation(
                    principal={"roles": ["user"], "attr": {}}, resource={"attr": {"l": items, "s": item}}
                )
                for _ in range(2)
            ]
            found = outcome(program.evaluate, asked[0])
            assert repr(found) == repr(outcome(program.evaluate_exact, asked[1])), text


@pytest.mark.parametrize(
    "text",
    ["null['a']", "true['a'] == 1", "1.0.a", "'abc'['a']", "-5 < R.attr.n", "R.attr.n > -5.5", "dyn(null).a"],
)
def test_literals_where_python_warns_or_reads_otherwise(text):
    try:
        program = compile_expression(text)
    except CelCompileError:
        return
    resource = {"attr": {"n": 3}}
    assert outcome(program.evaluate, Activation(resource=resource)) == outcome(
        program.evaluate_exact, Activation(resource=resource)
    )


def test_a_name_of_the_request_never_becomes_code():
    program = compile_expression("R.attr.`a-b/c d`.size() == 1 && R.attr['\\'] + open(\"x\") + [\\''] == 'v'")
    resource = {"attr": {"a-b/c d": "x", "'] + open(\"x\") + ['": "v"}}
    assert program.evaluate(Activation(resource=resource)) is True


def test_code_is_generated_at_the_first_evaluation_only():
    program = compile_expression("R.attr.n > 1")
    assert program._fast is None
    program.evaluate(Activation(resource={"attr": {"n": 2}}))
    first = program._fast
    program.evaluate(Activation(resource={"attr": {"n": 2}}))
    assert program._fast is first


def test_the_fallback_starts_with_the_budget_it_found():
    program = compile_expression("R.attr.l.map(x, x + 1.0).size() > R.attr.missing || true")
    spent = Budget(10_000)
    given_ = Activation(resource={"attr": {"l": [1.0] * 100}}, budget=spent)
    assert program.evaluate(given_) is True
    once = Budget(10_000)
    program.evaluate_exact(Activation(resource={"attr": {"l": [1.0] * 100}}, budget=once))
    assert spent.spent == once.spent
