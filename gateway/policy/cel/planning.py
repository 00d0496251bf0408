"""Defects of constants that fail a whole expression, wherever in it they stand.

cel-go plans an expression before it runs it: it converts constants and prepares the keys between brackets. What fails
then fails every evaluation: `true || int("x") == 1` is an error, though `true || 1 / 0 == 1` is true.
"""

from __future__ import annotations

from typing import Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.ast import Call, ListExpr, Literal, MapExpr, Node, children
from gateway.policy.cel.errors import EvaluationError
from gateway.policy.cel.evaluator import evaluate
from gateway.policy.cel.literals import CHECKED
from gateway.policy.cel.operators import require_key

_CONVERSIONS: Final = frozenset(
    {"bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"}
)
PLANNED: Final = _CONVERSIONS | {"_[_]", "_[?_]"}
"""The functions that have a say while an expression is planned."""


def is_suspect(call: Call) -> bool:
    """Whether a call of one of `PLANNED` could fail while its expression is planned."""
    constant = call.args[0] if call.function in _CONVERSIONS else call.args[1]
    if type(constant) is Literal:
        if call.function in _CONVERSIONS:
            return call.function not in CHECKED  # those do not compile
        return type(constant.value) is bytes or constant.value is None
    return _is_constant(constant)


def find_defect(node: Node) -> EvaluationError | None:
    """The error that a checked tree ends in whatever it is evaluated for, None if there is none.

    A branch that a literal condition cuts off is never planned.
    """
    if type(node) is Call:
        literals = [arg.value for arg in node.args if type(arg) is Literal and type(arg.value) is bool]
        if (node.function == "_||_" and True in literals) or (node.function == "_&&_" and False in literals):
            return None
        if node.function == "_?_:_" and type(node.args[0]) is Literal:
            return find_defect(node.args[1 if node.args[0].value else 2])
    for part in children(node):
        defect = find_defect(part)
        if defect is not None:
            return defect
    if type(node) is Call and node.function in PLANNED and node.target is None:
        return _defect_of(node)
    return None


def _defect_of(call: Call) -> EvaluationError | None:
    constant = call if call.function in _CONVERSIONS else call.args[1]
    if not is_suspect(call):
        return None
    try:
        value = evaluate(constant, Activation())
        if constant is not call:
            require_key(value)
    except EvaluationError as error:
        return error
    return None


def _is_constant(node: Node) -> bool:
    if type(node) is Literal:
        return True
    if type(node) is Call:
        return node.function in _CONVERSIONS and node.target is None and all(map(_is_constant, node.args))
    if type(node) is ListExpr:
        return not node.optional and all(map(_is_constant, node.elements))
    return type(node) is MapExpr and all(
        _is_constant(key) and _is_constant(value) and not optional for key, value, optional in node.entries
    )
