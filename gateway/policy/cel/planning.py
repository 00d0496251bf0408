"""Defects of constants that fail a whole expression, wherever in it they stand.

Cerbos folds constants and plans an expression before it runs it: it converts constants and prepares the keys between
brackets. What fails then fails every evaluation: `x || int("one") == 1` is an error for every x, though
`x || 1 / 0 == 1` is true where x is.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.ast import Call, Ident, ListExpr, Literal, MapExpr, Node, children
from gateway.policy.cel.budget import Budget
from gateway.policy.cel.declarations import TYPE_NAMES
from gateway.policy.cel.errors import EvaluationError
from gateway.policy.cel.evaluator import evaluate
from gateway.policy.cel.literals import CHECKED
from gateway.policy.cel.operators import require_key
from gateway.policy.cel.values import Address, Hierarchy, Network, Optional

_TIMES: Final = frozenset({"duration", "timestamp"})
_CONVERSIONS: Final = frozenset({"bool", "bytes", "double", "dyn", "int", "string", "type", "uint"}) | _TIMES
_CLOCK: Final = frozenset({"now", "timeSince"})
# Values that have no literal, so that folding leaves the call that makes them.
_NOT_FOLDED: Final = frozenset({Optional, Hierarchy, Address, Network})
_UNITS: Final = 10_000
"""What the constants of one expression may cost while it is compiled."""
_CONSTANTS: Final = 64
"""How many constants of one expression are computed while it is compiled; the rest wait until it runs."""
PLANNED: Final = _CONVERSIONS | {"_[_]", "_[?_]"}
"""The functions that have a say while an expression is planned."""


def is_suspect(call: Call) -> bool:
    """Whether a checked call of one of `PLANNED` could fail while its expression is planned."""
    if call.function not in _CONVERSIONS:
        key = call.args[1]
        if type(key) is Literal:
            return type(key.value) is bytes or key.value is None
        return _is_constant(key)
    if type(call.args[0]) is Literal:
        return call.function not in CHECKED  # those do not compile
    return _is_constant(call.args[0])


def find_defect(node: Node) -> EvaluationError | None:
    """The error that a checked tree ends in whatever it is evaluated for, None if there is none."""
    return _Planner(node).defect(node)


class _Planner:
    """Plans one expression. Every node is looked at once, and the number of constants computed is bounded."""

    __slots__ = ("_budget", "_defects", "_folding", "_left", "_root")

    def __init__(self, root: Node) -> None:
        self._root = root
        self._folding: bool | None = None
        self._defects: dict[int, EvaluationError | None] = {}
        self._budget = Budget(_UNITS)
        self._left = _CONSTANTS

    def defect(self, node: Node) -> EvaluationError | None:
        """`find_defect` of a node. A branch that a constant condition cuts off is never planned."""
        if id(node) not in self._defects:
            self._defects[id(node)] = self._find(node)
        return self._defects[id(node)]

    def _find(self, node: Node) -> EvaluationError | None:
        if self._is_folded(node):
            return None
        if type(node) is Call:
            if node.function in ("_||_", "_&&_"):
                decisive = node.function == "_||_"
                if any(self._bool(arg) is decisive for arg in node.args):
                    return None
            elif node.function == "_?_:_":
                chosen = self._bool(node.args[0])
                if chosen is not None:
                    return self.defect(node.args[1 if chosen else 2])
        for part in children(node):
            defect = self.defect(part)
            if defect is not None:
                return defect
        if type(node) is Call and node.function in PLANNED and node.target is None and is_suspect(node):
            return self._of_call(node)
        return None

    def _is_folded(self, node: Node) -> bool:
        """Whether a constant has a value, so that nothing of how it came about is planned."""
        if type(node) is Literal or type(node) is Ident or not _is_constant(node) or not self._folds():
            return False
        try:
            return type(self._value(node)) not in _NOT_FOLDED
        except EvaluationError:
            return False

    def _of_call(self, call: Call) -> EvaluationError | None:
        constant = call.args[0 if call.function in _CONVERSIONS else 1]
        if not _is_prepared(constant) and not self._folds():
            return None
        try:
            value = self._value(constant)
        except EvaluationError:
            return None
        try:
            if call.function in _CONVERSIONS:
                self._value(call)
            elif type(value) not in _NOT_FOLDED:
                require_key(value)
        except EvaluationError as error:
            return None if error.kind == "limit" else error
        return None

    def _folds(self) -> bool:
        """Whether folding succeeds: it is given up where a constant remains that has no literal, as an address."""
        if self._folding is None:
            self._folding = self._foldable(self._root)
        return self._folding

    def _foldable(self, node: Node) -> bool:
        if type(node) is Literal or type(node) is Ident:
            return True
        if _is_constant(node):
            try:
                return type(self._value(node)) not in _NOT_FOLDED
            except EvaluationError:
                if type(node) is Call and node.function in _TIMES:
                    return False
        return all(map(self._foldable, children(node)))

    def _value(self, node: Node) -> Any:
        self._left -= 1
        if self._left < 0:
            raise EvaluationError("too many constants", "limit")
        return evaluate(node, Activation(budget=self._budget))

    def _bool(self, node: Node) -> bool | None:
        """The value of a condition that needs no request, None for any other and for one that fails."""
        if not _is_constant(node) or self.defect(node) is not None:
            return None
        try:
            value = self._value(node)
        except EvaluationError:
            return None
        return value if value is True or value is False else None


def _is_constant(node: Node) -> bool:
    """Whether an expression has one value whatever is asked and whenever."""
    stack = [node]
    while stack:
        part = stack.pop()
        if type(part) is Ident and part.global_name and part.global_name not in TYPE_NAMES:
            return False
        if type(part) is Call and part.function in _CLOCK:
            return False
        stack += children(part)
    return True


def _is_prepared(node: Node) -> bool:
    """Whether an expression is a literal, perhaps converted, or a list or map of such: the plan knows it without folding."""
    if type(node) is Call:
        return node.function in _CONVERSIONS and node.target is None and _is_prepared(node.args[0])
    if type(node) is ListExpr or type(node) is MapExpr:
        return all(map(_is_prepared, children(node)))
    return type(node) is Literal or type(node) is Ident
