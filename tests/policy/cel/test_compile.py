"""Compiling: what parses, what is refused and where; what kinds of errors there are."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.cel import (
    Activation,
    CelCheckError,
    CelCompileError,
    CelSyntaxError,
    EvaluationError,
    compile_expression,
)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("1 +", 1, 4), ("P.attr.x ==\n  )", 2, 3), ("'open", 1, 1), ("a b", 1, 3), ("if", 1, 1), ("", 1, 1)],
)
def test_a_syntax_error_names_its_place(text, line, column):
    with pytest.raises(CelSyntaxError) as caught:
        compile_expression(text)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 == 1.0", "found no matching overload for '_==_' applied to '(int, double)'"),
        ("P.nosuchfield", "undefined field 'nosuchfield'"),
        ("nosuch", "undeclared reference to 'nosuch' (in container '')"),
        ("'x'.matches('[')", "invalid matches argument"),
        ("timestamp('nope')", "invalid timestamp argument"),
        ("'a'.startsWith(1)", "found no matching overload for 'startsWith' applied to 'string.(int)'"),
    ],
)
def test_a_type_error_says_what_does_not_fit(text, message):
    with pytest.raises(CelCheckError) as caught:
        compile_expression(text)
    assert caught.value.message == message


def test_a_long_chain_of_one_logical_operator_stays_shallow():
    assert compile_expression(" || ".join(["P.id == 'x'"] * 500)).result_type == "bool"


def test_a_chain_of_conditions_may_be_long():
    text = "".join(f"P.attr.n == {at}.0 ? {at} : " for at in range(150)) + "-1"
    assert compile_expression(text).evaluate(Activation(principal={"attr": {"n": 149}})) == 149


@given(st.text(max_size=60))
@settings(max_examples=400)
def test_any_text_compiles_or_is_refused_with_a_place_inside_it(text):
    error = refusal(text)
    if error is None:
        return
    lines = text.split("\n")
    assert 0 <= error.offset <= len(text)
    assert 1 <= error.line <= len(lines)
    assert error.column == error.offset - sum(len(line) + 1 for line in lines[: error.line - 1]) + 1


def refusal(text: str) -> CelCompileError | None:
    """The error of a text that does not compile."""
    try:
        compile_expression(text)
    except CelCompileError as error:
        return error
    return None


_PIECES = st.sampled_from(
    [
        *(
            "P",
            "R",
            ".attr",
            ".x",
            "[",
            "]",
            "(",
            ")",
            "{",
            "}",
            ",",
            ":",
            "?",
            ".?",
            "[?",
            "+",
            "-",
            "*",
            "/",
            "%",
            "!",
        ),
        *(
            "&&",
            "||",
            "==",
            "!=",
            "<",
            ">=",
            " in ",
            "1",
            "2u",
            "1.5",
            "'a'",
            "b'b'",
            "true",
            "null",
            "x",
            ".map(",
            ".all(",
        ),
        *(
            "has(",
            "cel.bind(",
            ".size()",
            "size(",
            "optional.of(",
            ".exists(",
            "duration('1s')",
            "`q`",
            '"""',
            "//",
            "\n",
        ),
    ]
)


@given(st.lists(_PIECES, max_size=25).map("".join))
@settings(max_examples=600)
def test_any_tokens_compile_or_are_refused(text):
    try:
        program = compile_expression(text)
    except CelCompileError:
        return
    with suppress(EvaluationError):
        program.evaluate(Activation())


def test_the_place_of_an_error_in_a_later_line():
    with pytest.raises(CelCheckError) as caught:
        compile_expression("P.attr.x == 1 &&\n  R.nope")
    assert (caught.value.line, caught.value.column, caught.value.offset) == (2, 4, 20)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("R.attr.missing", "no_such_key"),
        ("R.attr.n.x", "no_such_key"),
        ("R.attr.n + 1", "no_such_overload"),
        ("R.attr.s.startsWith(1.0 == 1.0 ? dyn(1) : dyn(2))", "no_such_overload"),
        ("!R.attr.s", "no_such_overload"),
        ("R.attr.s ? 1 : 2", "no_such_overload"),
        ("R.attr.n.exists(x, true)", "type"),
        ("int(R.attr.s)", "type"),
        ("timestamp(R.attr.s)", "type"),
        ("R.attr.l[R.attr.s]", "type"),
        ("R.attr.l[5]", "value"),
        ("R.attr.s.matches(R.attr.bad)", "value"),
        ("ip(R.attr.s)", "value"),
        ("1 / int(R.attr.zero)", "division"),
        ("9223372036854775807 + int(R.attr.n)", "overflow"),
        ("lists.range(1000000).size()", "limit"),
    ],
)
def test_an_evaluation_error_says_of_which_kind_it_is(text, kind):
    given = Activation(resource={"attr": {"n": 5, "s": "abc", "l": [1], "bad": "[", "zero": 0}})
    with pytest.raises(EvaluationError) as caught:
        compile_expression(text).evaluate(given)
    assert caught.value.kind == kind
