"""Literals that are wrong for certain: `duration("x")`, `timestamp("x")` and `matches("[")` do not compile."""

from __future__ import annotations

from typing import Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.ast import Call, Literal, Node
from gateway.policy.cel.dispatch import implementations
from gateway.policy.cel.errors import CelCheckError, EvaluationError
from gateway.policy.cel.functions_regex import compile_pattern
from gateway.policy.cel.lexer import place

CHECKED: Final = frozenset({"duration", "timestamp", "matches"})
"""The functions whose literal arguments are checked."""


def check_literals(text: str, calls: list[Call]) -> None:
    """Raise `CelCheckError` for the first literal argument of `calls` that can never be evaluated."""
    for call in calls:
        if not call.args:
            continue
        arg: Node = call.args[0]
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
