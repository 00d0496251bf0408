"""Variables and constants of a policy: imports resolved, cycles found, programs in the order in which they need each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.policy.cel import CelCompileError, Program, compile_expression
from gateway.policy.conditions import NO_PARAMETERS, Parameters
from gateway.policy.model import Definitions, ExportConstants, ExportVariables, ExpressionText
from gateway.policy.problems import Complaints, Place, Problem

_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*\Z")


class Names:
    """The names one policy's expressions may use."""

    def __init__(self, parameters: Parameters, variables: frozenset[str], constants: frozenset[str]) -> None:
        self.parameters = parameters
        self.variables = variables
        self.constants = constants


class NameResolver:
    """Resolves the definitions of policies against the exports of the set."""

    def __init__(
        self,
        variables: Mapping[str, ExportVariables],
        constants: Mapping[str, ExportConstants],
        complaints: Complaints,
    ) -> None:
        self._variables = variables
        self._constants = constants
        self._complaints = complaints

    def resolve(self, definitions: Definitions) -> Names:
        """All variables and constants of a policy."""
        constants = self._all_constants(definitions)
        texts = self._all_variables(definitions)
        if not constants and not texts:
            return Names(NO_PARAMETERS, frozenset(), frozenset())
        programs: dict[str, Program] = {}
        for name, text in texts.items():
            program = self.compile(text, frozenset(texts), frozenset(constants))
            if program is not None:
                programs[name] = program
        ordered = self._ordered(programs, texts)
        return Names(Parameters(ordered, constants), frozenset(texts), frozenset(constants))

    def compile(
        self, text: ExpressionText, variables: frozenset[str], constants: frozenset[str]
    ) -> Program | None:
        """The program of an expression; None beside a complaint when it is wrong or uses a name that is not defined."""
        try:
            program = compile_expression(text.text)
        except CelCompileError as error:
            place = _inside(text, error.line, error.column)
            self._complaints.add(
                Problem.INVALID_EXPRESSION,
                place,
                f"Invalid expression `{text.text.strip()[:120]}`: {error.message}.",
                "",
            )
            return None
        for problem, what, used, known in (
            (Problem.VARIABLE_UNDEFINED, "variable", program.references.variables, variables),
            (Problem.CONSTANT_UNDEFINED, "constant", program.references.constants, constants),
        ):
            for name in sorted(used - known):
                self._complaints.add(
                    problem, text.place, f"Undefined {what} {name!r}.", f"Define or import {name!r}."
                )
                return None
        return program

    def _all_constants(self, definitions: Definitions) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, place in definitions.constant_imports:
            export = self._constants.get(name)
            if export is None:
                self._missing("constants", name, place)
                continue
            for key, (value, at) in export.definitions.constants.items():
                self._define(found, key, value, at, "constant")
        for key, (value, at) in definitions.constants.items():
            self._define(found, key, value, at, "constant")
        return found

    def _all_variables(self, definitions: Definitions) -> dict[str, ExpressionText]:
        found: dict[str, ExpressionText] = {}
        for name, place in definitions.variable_imports:
            export = self._variables.get(name)
            if export is None:
                self._missing("variables", name, place)
                continue
            for key, text in export.definitions.variables.items():
                self._define(found, key, text, text.place, "variable")
        for key, text in definitions.variables.items():
            self._define(found, key, text, text.place, "variable")
        return found

    def _define(self, found: dict[str, Any], key: str, value: Any, place: Place, what: str) -> None:
        named, redefined = (
            (Problem.VARIABLE_NAME, Problem.VARIABLE_REDEFINED)
            if what == "variable"
            else (Problem.CONSTANT_NAME, Problem.CONSTANT_REDEFINED)
        )
        if not _IDENTIFIER.match(key):
            self._complaints.add(
                named, place, f"Invalid {what} name {key!r}.", "Use letters, digits and `_`."
            )
        elif key in found:
            self._complaints.add(
                redefined, place, f"The {what} {key!r} is defined twice.", "Rename one of them."
            )
        else:
            found[key] = value

    def _missing(self, what: str, name: str, place: Place) -> None:
        self._complaints.add(
            Problem.IMPORT_NOT_FOUND,
            place,
            f"No {what} are exported under the name {name!r}.",
            "Check the name.",
        )

    def _ordered(
        self, programs: Mapping[str, Program], texts: Mapping[str, ExpressionText]
    ) -> list[tuple[str, Program]]:
        """Needed variables first; a cycle is a complaint."""
        ordered: list[tuple[str, Program]] = []
        state: dict[str, str] = {}

        def visit(start: str) -> None:
            stack = [(start, iter(sorted(programs[start].references.variables)))]
            state[start] = "open"
            while stack:
                name, needed = stack[-1]
                for need in needed:
                    if need not in programs or state.get(need) == "done":
                        continue
                    if state.get(need) == "open":
                        self._complaints.add(
                            Problem.VARIABLE_CYCLE,
                            texts[name].place,
                            f"The variable {name!r} needs itself.",
                            "Break the cycle.",
                        )
                        continue
                    state[need] = "open"
                    stack.append((need, iter(sorted(programs[need].references.variables))))
                    break
                else:
                    state[name] = "done"
                    ordered.append((name, programs[name]))
                    stack.pop()

        for name in programs:
            if name not in state:
                visit(name)
        return ordered


def _inside(text: ExpressionText, line: int, column: int) -> Place:
    """The place of an error inside an expression: exact for one on the first line of plain text."""
    place = text.place
    return Place(place.file, place.line + line - 1, place.column + column - 1 if line == 1 else column)
