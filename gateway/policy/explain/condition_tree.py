"""Conditions as trees of tests with the values they saw, worked out again by the exact evaluator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.policy.cel import Activation, EvaluationError, to_json
from gateway.policy.cel.ast import Call, Node, Select
from gateway.policy.cel.evaluator import evaluate
from gateway.policy.conditions import Condition
from gateway.policy.explain.explanation import Operator, Seen, Test
from gateway.policy.expressions import AND, NOT, OR, Path, checked_tree, path_of, paths_in, unparse

_JOINS: dict[str, Operator] = {AND: "all", OR: "any"}
_MOST_SEEN = 12


class Tester:
    """Works conditions out for one activation. `variables` are the policy's definitions by name."""

    def __init__(self, activation: Activation, variables: Mapping[str, str]) -> None:
        self._activation = activation
        self._variables = variables
        self._open: set[str] = set()

    def condition(self, condition: Condition) -> Test:
        """A condition of a rule."""
        return self._condition(condition)[0]

    def _condition(self, condition: Condition) -> tuple[Test, bool]:
        """A condition, and whether a defect of a constant decided it: then no group around it holds."""
        program = condition.program
        if program is not None and program.defect is not None:
            return Test(text=program.text, held=False, error=program.defect.message), True
        if program is not None:
            return self.tree(checked_tree(program.text)), False
        members, defective = [], False
        decided = False
        for member in condition.members:
            test, defect = self._condition(member)
            members.append(test)
            defective = defective or (defect and not decided)
            decided = decided or test.held is (condition.kind != "all")
        held = not defective and decided is (condition.kind == "any")
        operator: Operator = condition.kind  # type: ignore[assignment]  # one of the three
        return Test(
            text=f"{condition.kind} of", held=held, operator=operator, members=tuple(members)
        ), defective

    def tree(self, node: Node) -> Test:
        """An expression: taken apart where it is made up of others."""
        value, error = self._value(node)
        text = unparse(node)
        held = value is True
        if (
            isinstance(node, Call)
            and node.target is None
            and (node.function in _JOINS or node.function == NOT)
        ):
            operator: Operator = _JOINS.get(node.function, "not")
            members = tuple(map(self.tree, node.args))
            return Test(text=text, held=held, operator=operator, error=error, members=members)
        name = self._variable(node)
        if name:
            self._open.add(name)
            members = (self.tree(checked_tree(self._variables[name])),)
            self._open.discard(name)
            return Test(text=text, held=held, operator="variable", error=error, members=members)
        shown = None if isinstance(value, bool) or error else _json(value)
        return Test(text=text, held=held, value=shown, error=error, seen=self._seen(node))

    def _variable(self, node: Node) -> str:
        path = path_of(node)
        if path is not None and len(path) == 2 and path[0] == "V":
            return path[1] if path[1] in self._variables and path[1] not in self._open else ""
        return ""

    def _value(self, node: Node) -> tuple[Any, str]:
        try:
            return evaluate(node, self._activation), ""
        except EvaluationError as error:
            return None, error.message

    def _seen(self, node: Node) -> tuple[Seen, ...]:
        found: dict[Path, Seen] = {}
        for path, part in paths_in(node):
            if path in found or len(found) >= _MOST_SEEN:
                continue
            read = _untested(part)
            value, error = self._value(read)
            text = unparse(read)
            found[path] = Seen(text, missing=True) if error else Seen(text, _json(value))
        return tuple(found.values())


def _untested(node: Node) -> Node:
    """What is read: of `has(x)` the person wants to know x."""
    if isinstance(node, Select) and node.test:
        return Select(node.operand, node.field, node.offset)
    return node


def _json(value: Any) -> Any:
    """A value of CEL as JSON; what has no JSON form is told by its text."""
    try:
        return to_json(value)
    except EvaluationError:
        return str(value)
