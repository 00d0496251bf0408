"""A compiled expression: checked once, run often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.ast import Node
from gateway.policy.cel.checker import Checked, check
from gateway.policy.cel.codegen import generate
from gateway.policy.cel.errors import CelCheckError, EvaluationError
from gateway.policy.cel.evaluator import evaluate
from gateway.policy.cel.parser import parse
from gateway.policy.cel.references import References, references


class Program:
    """One expression, ready to run.

    `text` is its source, `result_type` CEL's name of its static type ("dyn" where it cannot be told). Python code
    for it is generated at the first `evaluate`, so that loading thousands of policies costs only their check.
    """

    __slots__ = ("_defect", "_fast", "_node", "_references", "result_type", "text")

    def __init__(self, text: str, node: Node, checked: Checked) -> None:
        self.text = text
        self.result_type = str(checked.kind)
        self._node = node
        self._defect = checked.defect
        self._references: References | None = None
        self._fast: Callable[[Activation], Any] | None = None

    @property
    def defect(self) -> EvaluationError | None:
        """The error of a constant that every evaluation ends in, None if there is none."""
        return self._defect

    @property
    def references(self) -> References:
        """What the expression reads."""
        if self._references is None:
            self._references = references(self._node)
        return self._references

    def evaluate(self, activation: Activation) -> Any:
        """The value for `activation`. Raises `EvaluationError`.

        The generated code assumes that nothing goes wrong; when anything does, the exact evaluator starts over and
        decides whether it is an error. CEL is pure, so starting over changes nothing.
        """
        fast = self._fast
        if fast is None:
            fast = self._fast = generate(self._node) if self._defect is None else self.evaluate_exact
        budget = activation.budget
        budget.begin()
        spent = budget.spent
        try:
            return fast(activation)
        except Exception:  # noqa: BLE001  # whatever it was, the exact evaluator has the last word
            budget.spent = spent
            return self.evaluate_exact(activation)

    def evaluate_exact(self, activation: Activation) -> Any:
        """As `evaluate`, without generated code."""
        if self._defect is not None:
            raise EvaluationError(self._defect.message, self._defect.kind)
        activation.budget.begin()
        return evaluate(self._node, activation)

    def __repr__(self) -> str:
        return f"Program({self.text!r})"


def compile_expression(text: str) -> Program:
    """Parse and check `text`. Raises `CelCompileError` (`CelSyntaxError` or `CelCheckError`) and nothing else."""
    node = parse(text)
    try:
        checked = check(text, node)
    except RecursionError:
        raise CelCheckError("expression nests too deeply") from None
    return Program(text, node, checked)


__all__ = ["EvaluationError", "Program", "compile_expression"]
