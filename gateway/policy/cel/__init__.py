"""CEL as Cerbos PDP 0.55 has it: compile an expression, run it many times.

`compile_expression(text)` parses and checks and gives a `Program`; `Program.evaluate(Activation(...))` gives a value;
`to_json` turns a value into the JSON of an output.
"""

from __future__ import annotations

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.budget import DEFAULT_LIMIT, Budget
from gateway.policy.cel.errors import CelCheckError, CelCompileError, CelSyntaxError, EvaluationError
from gateway.policy.cel.json_output import to_json
from gateway.policy.cel.program import Program, compile_expression
from gateway.policy.cel.references import References
from gateway.policy.cel.values import doubles

__all__ = [
    "DEFAULT_LIMIT",
    "Activation",
    "Budget",
    "CelCheckError",
    "CelCompileError",
    "CelSyntaxError",
    "EvaluationError",
    "Program",
    "References",
    "compile_expression",
    "doubles",
    "to_json",
]
