"""The exact evaluation of macros: what cel-go's folds compute, element by element, with the errors they keep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.ast import Macro, MapExpr, Node
from gateway.policy.cel.errors import EvaluationError, no_such_overload
from gateway.policy.cel.functions_collections import sort_by_keys
from gateway.policy.cel.values import (
    CelMap,
    Optional,
    go_name,
    identity,
    kind_of,
    make_map,
    sorted_items,
    sorted_keys,
)

if TYPE_CHECKING:
    from gateway.policy.cel.evaluator import Evaluator, Scope


class MacroEvaluator:
    """Evaluates `Macro` nodes with the help of the evaluator of everything else."""

    __slots__ = ("_ctx", "_evaluator")

    def __init__(self, evaluator: Evaluator, ctx: Activation) -> None:
        self._evaluator = evaluator
        self._ctx = ctx

    def value(self, node: Macro, scope: Scope | None) -> Any:
        """The value of a macro."""
        name = node.name
        if name == "bind":
            return self._evaluator.value(
                node.body, self._evaluator.bind_later(node.names[0], node.operand, scope)
            )
        operand = self._evaluator.value(node.operand, scope)
        if name in ("optMap", "optFlatMap"):
            return self._optional(node, operand, scope)
        rounds = self._rounds(node, operand, scope)
        if name in ("all", "exists"):
            terms = ((lambda inner=inner: self._evaluator.value(node.body, inner)) for inner in rounds)
            return self._evaluator.junction(terms, name == "exists")
        if name == "exists_one":
            return self._count(node, rounds) == 1
        if name in ("map", "filter", "transformList"):
            return self._collect(node, rounds)
        if name == "sortBy":
            if type(operand) is not list:
                raise no_such_overload("@sortByAssociatedKeys")
            return sort_by_keys(self._ctx, operand, self._collect(node, rounds))
        return self._map(node, rounds)

    def _rounds(self, node: Macro, operand: Any, scope: Scope | None) -> Iterable[Scope]:
        """One scope for every element, charged before the element's turn."""
        pairs = len(node.names) == 2  # one variable or two
        bind = self._evaluator.bind
        budget, weight = self._ctx.budget, node.weight
        items: Any
        if type(operand) is list:
            items = enumerate(operand) if pairs else operand
        elif type(operand) is dict or type(operand) is CelMap:
            items = sorted_items(operand) if pairs else sorted_keys(operand)
        elif pairs:
            raise EvaluationError(f"unsupported comprehension range type: {go_name(operand)}", "type")
        else:
            raise EvaluationError(f"got '{go_name(operand)}', expected iterable type", "type")

        def run() -> Iterable[Scope]:
            for item in items:
                budget.charge(weight)
                if pairs:
                    yield bind(node.names[1], item[1], bind(node.names[0], item[0], scope))
                else:
                    yield bind(node.names[0], item, scope)

        return run()

    def _chosen(self, condition: Node | None, inner: Scope) -> bool:
        if condition is None:
            return True
        value = self._evaluator.value(condition, inner)
        if type(value) is not bool:
            raise no_such_overload()
        return value

    def _count(self, node: Macro, rounds: Iterable[Scope]) -> int:
        count = 0
        problem: EvaluationError | None = None
        for inner in rounds:
            try:
                count += self._chosen(node.body, inner)
            except EvaluationError as error:
                if error.kind == "limit":
                    raise
                problem = error
        if problem is not None:
            raise problem
        return count

    def _collect(self, node: Macro, rounds: Iterable[Scope]) -> list[Any]:
        result: list[Any] = []
        problem: EvaluationError | None = None
        for inner in rounds:
            try:
                if self._chosen(node.condition, inner) and problem is None:
                    result.append(self._evaluator.value(node.body, inner))
            except EvaluationError as error:
                if error.kind == "limit":
                    raise
                problem = error
        if problem is not None:
            raise problem
        return result

    def _map(self, node: Macro, rounds: Iterable[Scope]) -> Any:
        pairs: list[tuple[Any, Any]] = []
        seen = CelMap(())
        for inner in rounds:
            if not self._chosen(node.condition, inner):
                continue
            for key, value in self._entries(node, inner):
                if seen.find(key) is not None:
                    raise EvaluationError(f"insert failed: key {key} already exists", "value")
                seen.entries[identity(key)] = (key, None)
                pairs.append((key, value))
        return make_map(pairs)

    def _entries(self, node: Macro, inner: Scope) -> Iterable[tuple[Any, Any]]:
        if node.name == "transformMap":
            key = inner.outer.value if inner.outer is not None else None
            return [(key, self._evaluator.value(node.body, inner))]
        if type(node.body) is MapExpr:
            entries = self._evaluator.make_map(node.body, inner)
        else:
            entries = self._evaluator.value(node.body, inner)
            if type(entries) not in (dict, CelMap):
                raise no_such_overload(f"cel.@mapInsert(map, {kind_of(entries)})")
        pairs: list[tuple[Any, Any]] = list(sorted_items(entries))
        self._ctx.budget.charge(len(pairs))
        return pairs

    def _optional(self, node: Macro, operand: Any, scope: Scope | None) -> Any:
        if type(operand) is not Optional:
            raise no_such_overload(f"hasValue({kind_of(operand)})")
        if not operand.present:
            return operand
        value = self._evaluator.value(node.body, self._evaluator.bind(node.names[0], operand.value, scope))
        return Optional(value, present=True) if node.name == "optMap" else value
