"""Hostile expressions and requests end in a clear error, after bounded work and within bounded memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from gateway.policy.cel import (
    DEFAULT_LIMIT,
    Activation,
    Budget,
    CelCompileError,
    CelSyntaxError,
    EvaluationError,
    compile_expression,
    to_json,
)
from gateway.policy.cel.limits import MAX_DEPTH, MAX_NESTING, MAX_TEXT, MAX_TOKENS

MEBIBYTE = 1 << 20
PEAK = 96 * MEBIBYTE


def nested(form: str, depth: int, core: str) -> str:
    """`form` around itself; `#` stands for what is inside."""
    before, after = form.split("#")
    return before * depth + core + after * depth


def doubled(start: str, step: str, rounds: int, use: str) -> str:
    """Each variable holds the one before it twice, so that the last is 2^rounds large."""
    binds = [f"cel.bind(x0, {start}, "]
    binds += [f"cel.bind(x{at}, {step.replace('@', f'x{at - 1}')}, " for at in range(1, rounds)]
    return "".join(binds) + use.replace("@", f"x{rounds - 1}") + ")" * rounds


TOO_BIG = {
    "10 MB of a name": "a" * 10_000_000,
    "10 MB of a string": '"' + "x" * 10_000_000 + '"',
    "10 MB of digits": "1" * 10_000_000,
    "10 MB of brackets": "(" * 5_000_000 + ")" * 5_000_000,
    "10 MB without an end": '"' + "\\" * 10_000_000,
    "more tokens than allowed": "+".join(["1"] * MAX_TOKENS),
    "brackets": nested("(#)", 5000, "1"),
    "open brackets": "(" * 30_000,
    "lists": nested("[#]", 300, "1"),
    "maps": nested('{"a": #}', 300, "1"),
    "calls": nested("size(#)", 300, "1"),
    "negations": nested("!(#)", 300, "true"),
    "alternating signs": "!-" * 400 + "1",
    "indices": nested("[#][0]", 300, "1"),
    "additions": "1" + "+1" * 5000,
    "selections": "P.attr" + ".a" * 5000,
    "conditions": "".join(f"P.attr.n == {at}.0 ? {at} : " for at in range(MAX_DEPTH)) + "0",
    "macros": "".join(f"[1].all(x{at}, " for at in range(300)) + "true" + ")" * 300,
}


@pytest.mark.parametrize("text", TOO_BIG.values(), ids=list(TOO_BIG))
def test_an_expression_that_is_too_large_or_too_deep_is_refused(text):
    tracemalloc.start()
    try:
        with pytest.raises(CelSyntaxError, match=r"more than|nests|deep|recognition|invalid"):
            compile_expression(text)
        assert tracemalloc.get_traced_memory()[1] < PEAK
    finally:
        tracemalloc.stop()


LARGEST = {
    "brackets": nested("(#)", MAX_NESTING - 1, "1 == 1"),
    "lists": nested("[#]", MAX_NESTING - 1, "1") + ".size() == 1",
    "negations": nested("!(#)", MAX_NESTING - 1, "true"),
    "conditions": "".join(f"P.attr.n == {at}.0 ? {at} : " for at in range(MAX_DEPTH - 5)) + "0",
    "alternatives": " || ".join(["P.id == 'x'"] * 5000),
    "a long list": "P.id in [" + ",".join(f"'user{at}'" for at in range(7000)) + "]",
    "a long text": '"' + "x" * (MAX_TEXT - 20) + '" == P.id',
    "macros": "".join(f"[1].all(x{at}, " for at in range(60)) + "true" + ")" * 60,
}


@pytest.mark.parametrize("text", LARGEST.values(), ids=list(LARGEST))
def test_an_expression_just_within_the_limits_compiles_and_runs(text):
    program = compile_expression(text)
    asked = {"principal": {"id": "user6999", "attr": {"n": 3}}}
    value = program.evaluate(Activation(**asked))
    assert program.evaluate_exact(Activation(**asked)) == value


BOMBS = {
    "nested ranges": "lists.range(1000).map(a, lists.range(1000).map(b, lists.range(1000).map(c, c))).size()",
    "rounds without an end in sight": "lists.range(900000).all(a, lists.range(900000).all(b, a + b >= 0))",
    "a costly round": f"lists.range(1000).all(a, {' && '.join(['a >= 0'] * 1000)})",
    "replacements": "'abcdefgh'" + ".replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')" * 100,
    "empty replacements": "'abcdefgh'" + ".replace('', 'abcdefgh')" * 50,
    "doubled texts": doubled("'aaaaaaaaaaaaaaaa'", "@ + @", 60, "@.size()"),
    "doubled lists compared": doubled("'a'", "[@, @]", 40, "@ == dyn(@)"),
    "doubled lists added": doubled("['a']", "@ + @", 60, "@.size()"),
    "doubled lists flattened": doubled("['a']", "[@, @]", 40, "@.flatten(100).size()"),
    "doubled lists formatted": doubled("'a'", "[@, @]", 40, "'%s'.format([@])"),
    "doubled lists encoded": doubled("'a'", "[@, @]", 40, "json.encode(@)"),
    "doubled lists as output": doubled("'a'", "[@, @]", 40, "@"),
    "doubled maps as output": doubled("'a'", "{'a': @, 'b': @}", 40, "@"),
    "a format of a large list": "'%s'.format([lists.range(900000)])",
    "a large precision": "lists.range(200000).map(x, '%.100f'.format([1.5])).join()",
    "joins": "lists.range(900000).map(x, 'aaaaaaaa').join('bbbbbbbbbbbbbbbb').size()",
    "all pairs": "sets.contains(lists.range(9000), lists.range(9000).reverse())",
    "distinct numbers": "lists.range(90000).distinct().size()",
    "a set of numbers": "lists.range(9000).except(lists.range(9000)).size()",
    "a search from the right": (
        "cel.bind(t, lists.range(50000).map(x, 'ab').join(), t.lastIndexOf(lists.range(20000).map(x, 'ab').join() + 'b'))"
        " + lists.range(500).map(y, lists.range(50000).map(x, 'ab').join().lastIndexOf('ba' + 'ba')).size()"
    ),
    "a simulated automaton": "lists.range(90000).map(x, 'ab').join().matches('[ab]*a[ab]{500}c')",
    "a simulated automaton in a loop": (
        "cel.bind(t, lists.range(200).map(x, 'ab').join(), lists.range(9000).exists(x, t.matches('[ab]*a[ab]{90}c')))"
    ),
    "replacements by pattern": "regex.replace(lists.range(90000).map(x, 'ab').join(), '[ab]*a[ab]{100}c|a', 'x')",
    "matches by pattern": "regex.extractAll(lists.range(90000).map(x, 'ab').join(), '[ab]*c|a').size()",
    "patterns from data": "lists.range(90000).exists(x, 'a'.matches('\\\\pL{30}' + string(x)))",
    "globs": (
        "cel.bind(t, lists.range(9000).map(x, 'a').join(), "
        "lists.range(9000).exists(x, t.pathMatch(lists.range(50).map(y, '*a').join() + 'b')))"
    ),
    "hierarchies": "lists.range(90000).all(x, hierarchy(lists.range(9000).map(y, 'a').join('.')).size() > 0)",
    "paths": "lists.range(90000).all(x, joinPath(lists.range(9000).map(y, 'a')) != '')",
}


@pytest.mark.parametrize("exact", [False, True], ids=["generated", "exact"])
@pytest.mark.parametrize("text", BOMBS.values(), ids=list(BOMBS))
def test_a_bomb_ends_at_the_limit(text, exact):
    program = compile_expression(text)
    budget = Budget(expression_limit=150_000)
    given = Activation(budget=budget)
    tracemalloc.start()
    try:
        with pytest.raises(EvaluationError) as caught:
            to_json(program.evaluate_exact(given) if exact else program.evaluate(given), budget)
        assert caught.value.kind == "limit"
        assert tracemalloc.get_traced_memory()[1] < PEAK
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    [
        "R.attr.deep == R.attr.deep2",
        "'%s'.format([R.attr.deep])",
        "json.encode(R.attr.deep)",
        "R.attr.deep",
        "R.attr.deep in [R.attr.deep2]",
        "[R.attr.deep, R.attr.deep2].distinct()",
    ],
)
def test_data_that_nests_too_deeply_is_an_error(text):
    deep: list[object] = []
    deep2: list[object] = []
    for _ in range(5000):
        deep, deep2 = [deep], [deep2]
    program = compile_expression(text)
    given = Activation()
    given.resource_attr = {"deep": deep, "deep2": deep2}
    given._resource = {"attr": given.resource_attr}
    for evaluate in (program.evaluate, program.evaluate_exact):
        assert ending(lambda ctx, run=evaluate: to_json(run(ctx)), given) in ("limit", "no_such_overload")


def ending(evaluate: Callable[[Activation], object], given: Activation) -> str:
    """The kind of the error in which an evaluation ends, "value" for one that ends well."""
    try:
        evaluate(given)
    except EvaluationError as error:
        return error.kind
    return "value"


def test_after_the_check_is_out_of_budget_every_macro_fails():
    budget = Budget(limit=1000, expression_limit=600)
    spend = compile_expression("lists.range(1000).size() > 0")
    cheap = compile_expression("[1, 2, 3].map(x, x + 1).size() == 3")
    given = Activation(budget=budget)
    for _ in range(2):
        with pytest.raises(EvaluationError, match="limit"):
            spend.evaluate(given)
    with pytest.raises(EvaluationError, match="1000 units for one check"):
        cheap.evaluate(given)


def test_an_expression_that_is_out_of_budget_leaves_the_others_theirs():
    budget = Budget(limit=10_000, expression_limit=600)
    given = Activation(budget=budget)
    with pytest.raises(EvaluationError, match="600 units for one expression"):
        compile_expression("lists.range(1000).size() > 0").evaluate(given)
    assert compile_expression("[1, 2, 3].map(x, x + 1).size() == 3").evaluate(given) is True


@pytest.mark.parametrize(
    "text",
    [
        "lists.range(1000000).exists(x, x < 0) || true",
        "true || lists.range(1000000).exists(x, x < 0)",
        "lists.range(1000000).exists(x, x < 0) && false",
        "[1, 2].exists(y, lists.range(1000000).exists(x, x < 0) || y == 2)",
        "[1, 2].exists_one(y, lists.range(1000000).exists(x, x < 0))",
        "except([1], lists.range(1000000)) == []",
        "has({'a': lists.range(1000000)}.a)",
        "dyn(hierarchy('a')) in [lists.range(1000000)]",
    ],
)
def test_no_operator_absorbs_the_limit(text):
    program = compile_expression(text)
    wanted = "value" if text.startswith("true ||") else "limit"
    assert ending(program.evaluate, Activation()) == wanted
    assert ending(program.evaluate_exact, Activation()) == wanted


def test_an_ordinary_condition_costs_next_to_nothing():
    budget = Budget()
    text = "R.attr.owner == P.id && P.roles.exists(r, r == 'x') && R.attr.name.startsWith('a')"
    asked = {"principal": {"id": "a", "roles": ["x"]}, "resource": {"attr": {"owner": "a", "name": "abc"}}}
    compile_expression(text).evaluate(Activation(**asked, budget=budget))
    assert budget.spent * 1000 < DEFAULT_LIMIT


@pytest.mark.parametrize(
    "pattern",
    [
        "a{1000}{1000}",
        "(a{1000}){1000}",
        "[" * 4000,
        "\\pL{1000}",
        "x" * 5000,
    ],
)
def test_a_pattern_that_is_too_large_is_an_error(pattern):
    quoted = pattern.replace("\\", "\\\\")
    with pytest.raises(CelCompileError, match="invalid matches argument"):
        compile_expression(f"'a'.matches('{quoted}')")
    assert ending(compile_expression(f"'a'.matches(dyn('{quoted}'))").evaluate, Activation()) in (
        "value",
        "limit",
    )
