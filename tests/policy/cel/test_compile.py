"""Compiling: what parses, what is refused and where."""

import pytest

from gateway.policy.cel import CelCheckError, CelSyntaxError, compile_expression


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


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "[" * 300 + "]" * 300,
        "-" * 20000 + "1",
        "!-" * 400 + "1",
        "1" + "+1" * 5000,
        "a." * 9000 + "b",
        "x" * 40_000,
    ],
)
def test_a_huge_or_deep_expression_is_refused_without_exhausting_the_stack(text):
    with pytest.raises((CelSyntaxError, CelCheckError)):
        compile_expression(text)


def test_a_long_chain_of_one_logical_operator_stays_shallow():
    assert compile_expression(" || ".join(["P.id == 'x'"] * 500)).result_type == "bool"
