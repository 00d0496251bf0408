"""Conditions and outputs as programs. A failing expression is false where it stands, and is kept for the record.

Cerbos counts an error as false also inside `any` and `none`: `none: [failing]` holds, `expr: "!(failing)"` does not.
A constant that cannot be converted fails more: the whole condition, with all that it decides (`cel/planning.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from gateway.policy.cel import Activation, EvaluationError, Program, to_json


class Failure(Struct, frozen=True):
    """An expression that ended in an error."""

    expression: str
    message: str
    kind: str


class DefectiveConditionError(Exception):
    """A condition came to an expression that one of its constants fails, whatever is asked."""


class Parameters:
    """The variables and constants of one policy, in the order in which variables need each other."""

    __slots__ = ("constants", "variables")

    def __init__(self, variables: Sequence[tuple[str, Program]], constants: dict[str, Any]) -> None:
        self.variables = tuple(variables)
        self.constants = constants


class NamesUsed(Struct, frozen=True):
    """What expressions need of a policy's names. `variables` are those they read, and what these read in turn."""

    any: bool = False
    variables: tuple[str, ...] = ()


NO_NAMES = NamesUsed()


class Scratch:
    """One resource's evaluation: the activation, and what each policy's variables came to."""

    def __init__(self, activation: Activation) -> None:
        self.activation = activation
        self._known: dict[int, tuple[dict[str, Any], dict[str, Failure]]] = {}
        self._with_nulls: dict[int, dict[str, Any]] = {}

    def use(self, parameters: Parameters) -> Mapping[str, Failure]:
        """Make a policy's names visible; the failures of its variables. A failed one is unset, so that uses of it fail."""
        activation = self.activation
        activation.constants = parameters.constants
        known = self._known.get(id(parameters))
        if known is not None:
            activation.variables = known[0]
            return known[1]
        failures: dict[str, Failure] = {}
        self._known[id(parameters)] = (self._take(parameters, failures), failures)
        return failures

    def use_apart(self, parameters: Parameters) -> Mapping[str, Failure]:
        """As `use`, of this moment and kept for nothing else."""
        self.activation.constants = parameters.constants
        failures: dict[str, Failure] = {}
        self._take(parameters, failures)
        return failures

    def _take(self, parameters: Parameters, failures: dict[str, Failure]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        self.activation.variables = values
        for name, program in parameters.variables:
            try:
                values[name] = program.evaluate(self.activation)
            except EvaluationError as error:
                failures[name] = Failure(program.text, error.message, error.kind)
        return values

    def use_with_nulls(self, parameters: Parameters) -> None:
        """As `use`, but a variable that fails is null, also to the variables that read it."""
        activation = self.activation
        activation.constants = parameters.constants
        known = self._with_nulls.get(id(parameters))
        if known is not None:
            activation.variables = known
            return
        values: dict[str, Any] = {}
        activation.variables = self._with_nulls[id(parameters)] = values
        for name, program in parameters.variables:
            try:
                values[name] = program.evaluate(activation)
            except EvaluationError:
                values[name] = None


class Condition:
    """A compiled condition."""

    __slots__ = ("kind", "members", "program")

    def __init__(self, kind: str, program: Program | None, members: Sequence[Condition]) -> None:
        self.kind = kind
        self.program = program
        self.members = tuple(members)

    def holds(self, activation: Activation, failures: list[Failure]) -> bool:
        """Whether the condition is met; anything but true is not. Raises DefectiveConditionError.

        Members are asked in their order, and none after one that decides: a defect behind it does no harm.
        """
        if self.program is not None:
            return self._value(self.program, activation, failures) is True
        if self.kind == "all":
            return all(member.holds(activation, failures) for member in self.members)
        met = any(member.holds(activation, failures) for member in self.members)
        return met if self.kind == "any" else not met

    def programs(self) -> list[Program]:
        """Every program of the condition."""
        found = [self.program] if self.program is not None else []
        for member in self.members:
            found += member.programs()
        return found

    @staticmethod
    def _value(program: Program, activation: Activation, failures: list[Failure]) -> Any:
        try:
            return program.evaluate(activation)
        except EvaluationError as error:
            failures.append(Failure(program.text, error.message, error.kind))
            if program.defect is not None:
                raise DefectiveConditionError from error
            return None


def output_value(program: Program, activation: Activation) -> tuple[Any, str]:
    """The JSON value of an output and the error that it ended in, "" when it did not."""
    try:
        return to_json(program.evaluate(activation), activation.budget), ""
    except EvaluationError as error:
        return None, error.message
