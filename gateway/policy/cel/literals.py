"""Literals that are wrong for certain: `duration("x")`, `timestamp("x")` and `matches("[")` do not compile."""

from __future__ import annotations

from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.ast import Call, ListExpr, Literal, Node
from gateway.policy.cel.dispatch import implementations
from gateway.policy.cel.errors import CelCheckError, EvaluationError
from gateway.policy.cel.format import check_format
from gateway.policy.cel.kinds import Kind
from gateway.policy.cel.lexer import place
from gateway.policy.cel.regex import compile_pattern
from gateway.policy.cel.unify import Bindings

CHECKED: Final = frozenset({"duration", "timestamp", "matches", "format", "ip", "cidr"})
_EXPLAINED: Final = frozenset({"ip", "cidr"})
"""The functions whose literal arguments are checked."""
_RUNTIME_NAMES: Final = {
    "null": "null_type",
    "timestamp": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration",
}


def check_literals(text: str, calls: list[Call], bindings: Bindings) -> None:
    """Raise `CelCheckError` for the first literal argument of `calls` that can never be evaluated."""
    for call in calls:
        if not call.args:
            continue
        arg: Node = call.args[0]
        if call.function == "format":
            _check_format(text, call, bindings)
            continue
        problem = _problem(call.function, arg.value) if type(arg) is Literal else ""
        if problem:
            line, column = place(text, arg.offset)
            raise CelCheckError(problem, line=line, column=column, offset=arg.offset)


def decided_membership(item: Node, container: Node) -> bool | None:
    """`item in container` where the text alone tells, else None.

    Cerbos folds constants before it runs an expression: nothing is in `[]`, and a literal is in a list that shows it,
    whatever errors the rest would end in.
    """
    if type(container) is not ListExpr:
        return None
    if not container.elements:
        return False
    if type(item) is not Literal:
        return None
    shown = (element for element in container.elements if type(element) is Literal)
    return any(type(item.value) is type(other.value) and item.value == other.value for other in shown) or None


def _problem(function: str, value: Any) -> str:
    """What is wrong with the literal argument of a function, "" if nothing is."""
    message = f"invalid {function} argument"
    if value is None:
        return message
    try:
        if function == "matches":
            compile_pattern(value)
        else:
            implementations()[function](Activation(), value)
    except EvaluationError as error:
        return f"{message}: {error.message}" if function in _EXPLAINED else message
    return ""


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
        raise CelCheckError(problem, line=line, column=column, offset=call.offset)


def _runtime_name(kind: Kind) -> str:
    return _RUNTIME_NAMES.get(kind.name) or str(kind).partition("(")[0]
