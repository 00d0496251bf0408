"""The exact evaluator: walks the tree and follows cel-go to the letter, errors included.

CEL has no side effects, so this can run after the fast code gave up and start from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.ast import Call, Ident, ListExpr, Literal, Macro, MapExpr, Node, Select
from gateway.policy.cel.declarations import TYPE_NAMES
from gateway.policy.cel.dispatch import dispatcher
from gateway.policy.cel.errors import EvaluationError, no_such_key, no_such_overload
from gateway.policy.cel.fields import global_value
from gateway.policy.cel.literals import decided_membership
from gateway.policy.cel.macro_evaluator import MacroEvaluator
from gateway.policy.cel.operators import has_field, index, lookup, select, shown
from gateway.policy.cel.values import CelMap, Optional, TypeValue, make_map

# Cerbos hands errors to these functions as values.
_NON_STRICT: Final = frozenset(
    {"except", "intersect", "hasIntersection", "has_intersection", "isSubset", "is_subset"}
)


class Scope:
    """Bound variables, innermost first; a variable of `cel.bind` is computed when it is first read."""

    __slots__ = ("name", "node", "outer", "value")

    def __init__(self, name: str, value: Any, outer: Scope | None, node: Node | None = None) -> None:
        self.name = name
        self.value = value
        self.outer = outer
        self.node = node


def evaluate(node: Node, ctx: Activation) -> Any:
    """The value of a checked tree. Raises `EvaluationError` and nothing else."""
    try:
        return Evaluator(ctx).value(node, None)
    except RecursionError:
        raise EvaluationError("expression or data nests too deeply", "limit") from None


class Evaluator:
    """Evaluates nodes for one activation."""

    __slots__ = ("_macros", "ctx")

    def __init__(self, ctx: Activation) -> None:
        self.ctx = ctx
        self._macros = MacroEvaluator(self, ctx)

    def value(self, node: Node, scope: Scope | None) -> Any:
        """The value of `node` with the variables of `scope`."""
        if type(node) is Literal:
            return node.value
        if type(node) is Ident:
            return self._ident(node, scope)
        if type(node) is Select:
            return self._select(node, scope)
        if type(node) is Call:
            return self._call(node, scope)
        if type(node) is ListExpr:
            return self._list(node, scope)
        if type(node) is MapExpr:
            return self.make_map(node, scope)
        assert type(node) is Macro
        return self._macros.value(node, scope)

    def bind(self, name: str, value: Any, outer: Scope | None) -> Scope:
        """A scope with one more variable."""
        return Scope(name, value, outer)

    def bind_later(self, name: str, node: Node, outer: Scope | None) -> Scope:
        """A scope with a variable that is computed at its first use."""
        return Scope(name, None, outer, node)

    def _ident(self, node: Ident, scope: Scope | None) -> Any:
        if node.global_name:
            if node.name in TYPE_NAMES:
                return TypeValue(node.name)
            return global_value(self.ctx, node.name)
        while scope is not None:
            if scope.name == node.name:
                if scope.node is not None:
                    scope.value = self.value(scope.node, scope.outer)
                    scope.node = None
                return scope.value
            scope = scope.outer
        raise no_such_key(node.name)

    def _select(self, node: Select, scope: Scope | None) -> Any:
        if node.type is not None and node.type.name == "type" and type(node.operand) is not Call:
            return TypeValue(_dotted(node))
        operand = self.value(node.operand, scope)
        if node.test:
            return has_field(operand, node.field)
        if node.optional:
            if type(operand) is Optional:
                if not operand.present:
                    return operand
                operand = operand.value
            found = lookup(operand, node.field)
            return Optional(present=False) if found is None else Optional(found[0], present=True)
        if type(operand) is Optional:
            return index(self.ctx, operand, node.field)
        if (
            type(node.operand) is Ident
            and node.operand.global_name in ("V", "variables", "C", "constants", "G", "globals")
            and node.field not in operand
        ):
            raise EvaluationError(f"undefined field '{node.field}'", "no_such_key")
        return select(self.ctx, operand, node.field)

    def _call(self, node: Call, scope: Scope | None) -> Any:
        name = node.function
        if name in ("_&&_", "_||_"):
            return self.junction([partial(self.value, arg, scope) for arg in node.args], name == "_||_")
        if name == "_?_:_":
            chosen = self.value(node.args[0], scope)
            if type(chosen) is not bool:
                raise no_such_overload()
            return self.value(node.args[1 if chosen else 2], scope)
        if name == "!_":
            operand = self.value(node.args[0], scope)
            if type(operand) is not bool:
                raise no_such_overload()
            return not operand
        if name in ("or", "orValue") and node.target is not None:
            return self._alternative(node, node.target, scope)
        if name in ("_[_]", "_[?_]"):
            return self._index(node, scope)
        if name == "@in":
            decided = decided_membership(node.args[0], node.args[1])
            if decided is not None:
                return decided
        nodes = node.args if node.target is None else [node.target, *node.args]
        if name in _NON_STRICT and node.target is None:
            args = self._lists(nodes, scope)
        else:
            args = [self.value(arg, scope) for arg in nodes]
        return dispatcher(name, len(args), node.overload)(self.ctx, *args)

    def _alternative(self, node: Call, target: Node, scope: Scope | None) -> Any:
        """`target.or(…)` and `target.orValue(…)`, which compute their argument only if it is needed."""
        optional = self.value(target, scope)
        if type(optional) is not Optional:
            raise no_such_overload()
        if optional.present:
            return optional if node.function == "or" else optional.value
        return self.value(node.args[0], scope)

    def _index(self, node: Call, scope: Scope | None) -> Any:
        """`container[key]` and `container[?key]`; the key of what is not there is not computed."""
        container = self.value(node.args[0], scope)
        if type(container) is Optional and not container.present:
            return container
        return dispatcher(node.function, 2)(self.ctx, container, self.value(node.args[1], scope))

    def _lists(self, nodes: list[Node], scope: Scope | None) -> list[Any]:
        """The arguments of a function that takes errors as values: an error beside lists is no list, beside others itself."""
        values: list[Any] = []
        problems: list[EvaluationError] = []
        for node in nodes:
            try:
                values.append(self.value(node, scope))
            except EvaluationError as error:
                if error.kind == "limit":
                    raise
                problems.append(error)
        if problems:
            raise no_such_overload() if all(type(value) is list for value in values) else problems[0]
        return values

    def junction(self, terms: Iterable[Callable[[], Any]], decisive: bool) -> bool:
        """`&&` (decisive false) or `||` (decisive true) of thunks: the decisive value wins over errors."""
        problem: EvaluationError | None = None
        for term in terms:
            try:
                value = term()
            except EvaluationError as error:
                if error.kind == "limit":
                    raise
                problem = problem or error
                continue
            if value is decisive:
                return bool(decisive)
            if type(value) is not bool:
                problem = problem or no_such_overload()
        if problem is not None:
            raise problem
        return not decisive

    def _list(self, node: ListExpr, scope: Scope | None) -> list[Any]:
        items: list[Any] = []
        self.ctx.budget.charge(len(node.elements))
        for position, element in enumerate(node.elements):
            value = self.value(element, scope)
            if position in node.optional:
                if type(value) is not Optional:
                    raise EvaluationError(
                        f"cannot initialize optional list element from non-optional value {shown(value)}",
                        "type",
                    )
                if value.present:
                    items.append(value.value)
            else:
                items.append(value)
        return items

    def make_map(self, node: MapExpr, scope: Scope | None) -> dict[str, Any] | CelMap:
        """The value of a map literal. Raises for keys of other types than bool, int, uint and string."""
        pairs: list[tuple[Any, Any]] = []
        self.ctx.budget.charge(len(node.entries))
        for key_node, value_node, optional in node.entries:
            key = self.value(key_node, scope)
            value = self.value(value_node, scope)
            if optional:
                if type(value) is not Optional:
                    raise EvaluationError(
                        f"cannot initialize optional entry '{key}' from non-optional value {shown(value)}",
                        "type",
                    )
                if not value.present:
                    continue
                value = value.value
            pairs.append((key, value))
        return make_map(pairs)


def _dotted(node: Node) -> str:
    return node.name if type(node) is Ident else f"{_dotted(node.operand)}.{node.field}"  # type: ignore[union-attr]  # a chain of selections
