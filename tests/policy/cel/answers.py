"""What an expression comes to: by the compiler under test and, in the same form, by the PDP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from msgspec import Struct

from gateway.policy.cel import (
    Activation,
    Budget,
    CelCompileError,
    EvaluationError,
    Program,
    compile_expression,
    to_json,
)

VARIABLES = {"v1": "eng-x"}
CONSTANTS = {"c1": {"x": [1, "s"]}}
GLOBALS = {"environment": "test"}
RESOURCE_KIND = "document"
NOW = 1_750_000_000 * 10**9

Kind = Literal["value", "error", "static"]


class Answer(Struct, frozen=True):
    """A JSON value, or an error while evaluating ("error") or compiling ("static") with its message."""

    kind: Kind
    value: Any = None
    message: str = ""

    def same(self, other: Answer) -> bool:
        """Whether both are errors of one kind, or equal values. 1 and 1.0 are equal, 1 and true are not."""
        return self.kind == other.kind and _typed(self.value) == _typed(other.value)


def _typed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _typed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return ("number", float(value))
    return (type(value).__name__, value)


def activation(request: Mapping[str, Any], *, version: str = "", budget: Budget | None = None) -> Activation:
    """What the PDP would evaluate an expression against for a request of the corpus."""
    return Activation(
        principal=request["principal"],
        resource={**request["resource"], "kind": RESOURCE_KIND, "policyVersion": version},
        aux_data=request.get("auxData", {}),
        variables=dict(VARIABLES),
        constants=CONSTANTS,
        globals=GLOBALS,
        runtime={"effectiveDerivedRoles": []},
        now=NOW,
        budget=budget,
    )


def outcome(evaluate: Callable[[Activation], Any], given: Activation) -> Answer:
    """The answer of one way to evaluate a program."""
    try:
        return Answer("value", to_json(evaluate(given)))
    except EvaluationError as error:
        return Answer("error", message=error.message)


def ours(text: str, request: Mapping[str, Any], *, version: str = "", exact: bool = False) -> Answer:
    """The compiler's answer, by generated code or by the exact evaluator."""
    try:
        program: Program = compile_expression(text)
    except CelCompileError as error:
        return Answer("static", message=error.message)
    evaluate = program.evaluate_exact if exact else program.evaluate
    return outcome(evaluate, activation(request, version=version))
