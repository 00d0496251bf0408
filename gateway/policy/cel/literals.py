"""Literals that are wrong for certain: `duration("x")`, `timestamp("x")` and `matches("[")` do not compile."""

from __future__ import annotations

from typing import Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.ast import Call, ListExpr, Literal, Node
from gateway.policy.cel.dispatch import implementations
from gateway.policy.cel.errors import CelCheckError, EvaluationError
from gateway.policy.cel.format import check_format
from gateway.policy.cel.functions_regex import compile_pattern
from gateway.policy.cel.kinds import Kind
from gateway.policy.cel.lexer import place
from gateway.policy.cel.unify import Bindings

CHECKED: Final = frozenset({"duration", "timestamp", "matches", "format"})
"""The functions whose literal arguments are checked."""


def check_literals(text: str, calls: list[Call], bindings: Bindings) -> None:
    """Raise `CelCheckError` for the first literal argument of `calls` that can never be evaluated."""
    for call in calls:
        if not call.args:
            continue
        arg: Node = call.args[0]
        if call.function == "format":
            _check_format(text, call, bindings)
            continue
        if type(arg) is not Literal:
            continue
        try:
            if call.function == "matches":
                compile_pattern(arg.value)
            else:
                implementations()[call.function](Activation(), arg.value)
        except EvaluationError:
            line, column = place(text, arg.offset)
            message = f"invalid {call.function} argument"
            raise CelCheckError(message, line=line, column=column) from None


def _check_format(text: str, call: Call, bindings: Bindings) -> None:
    """A literal template and a list literal must fit each other."""
    template, args = call.target, call.args[0]
    if type(template) is not Literal or type(args) is not ListExpr:
        return
    problem = check_format(
        template.value, [_runtime_name(bindings.resolve(arg.type)) for arg in args.elements]
    )
    if problem:
        line, column = place(text, call.offset)
        raise CelCheckError(problem, line=line, column=column)


def _runtime_name(kind: Kind) -> str:
    if kind.name == "null":
        return "null_type"
    return str(kind).partition("(")[0]
