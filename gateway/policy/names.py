"""Variables and constants of a policy: imports resolved, cycles found, programs in the order in which they need each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from gateway.policy.cel import CelCompileError, Program, compile_expression, doubles
from gateway.policy.conditions import NO_NAMES, NamesUsed, Parameters
from gateway.policy.model import Definitions, ExportConstants, ExportVariables, ExpressionText
from gateway.policy.problems import Complaints, Place, Problem

_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*\Z")
_RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "namespace",
        "null",
        "package",
        "return",
        "true",
        "var",
        "void",
        "while",
    ]
)


class Defect(Struct, frozen=True):
    """A variable's definition that one of its constants fails, whatever is asked."""

    text: ExpressionText
    message: str


class Names(Struct, frozen=True, eq=False):
    """The names one policy's expressions may use. `needs` has what each variable reads, directly or not."""

    parameters: Parameters
    variables: frozenset[str] = frozenset()
    constants: frozenset[str] = frozenset()
    needs: Mapping[str, frozenset[str]] = {}
    defects: Mapping[str, Defect] = {}

    def keep(self, programs: Iterable[Program]) -> None:
        """Forget the names that none of the policy's expressions has by name, directly or through variables.

        What is left is what `V` and `C` hold as a whole.
        """
        variables: set[str] = set()
        constants: set[str] = set()
        for program in programs:
            variables |= program.references.variables
            constants |= program.references.constants
        for name in tuple(variables):
            variables |= self.needs.get(name, frozenset())
        own = self.parameters
        own.variables = tuple(pair for pair in own.variables if pair[0] in variables)
        for _, program in own.variables:
            constants |= program.references.constants
        own.constants = {name: value for name, value in own.constants.items() if name in constants}

    def reads_runtime(self, programs: Iterable[Program]) -> bool:
        """Whether some expressions, or variables of the policy whoever reads them, read the runtime."""
        variables = (program for _, program in self.parameters.variables)
        return any(program.references.uses_runtime for program in (*programs, *variables))

    def used_by(self, programs: Iterable[Program | None]) -> NamesUsed:
        """What some expressions of the policy need of its names.

        Variables are taken once a check, with the first rule that could apply; where they read the runtime, which changes
        from one action to the next, every rule needs them, if only to take them.
        """
        found: set[str] = set()
        some = self.reads_runtime(())
        for program in programs:
            if program is None:
                continue
            reads = program.references
            some = some or bool(
                reads.variables or reads.constants or reads.whole_variables or reads.whole_constants
            )
            for name in self.variables if reads.whole_variables else reads.variables:
                found |= {name, *self.needs.get(name, ())}
        return NamesUsed(some, tuple(sorted(found))) if some else NO_NAMES


class _Defined(Struct, frozen=True):
    """One definition and where it comes from (`import 'x'`, `policy local variables`)."""

    value: Any
    place: Place
    origin: str


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
        self._refused: set[Place] = set()
        self._programs: dict[str, Program] = {}
        """By text: policies of one set say the same thing many times, and a program knows nothing of its policy."""
        for export in variables.values():
            self._check_names(export.definitions.variables, lambda text: text.key, "variable")
        for constant in constants.values():
            self._check_names(constant.definitions.constants, lambda pair: pair[1], "constant")

    def resolve(self, definitions: Definitions) -> Names:
        """All variables and constants of a policy."""
        self._check_names(definitions.variables, lambda text: text.key, "variable")
        self._check_names(definitions.constants, lambda pair: pair[1], "constant")
        constants = self._all_constants(definitions)
        texts = self._all_variables(definitions)
        programs: dict[str, Program] = {}
        for name, text in texts.items():
            program = self.compile(text, frozenset(texts), frozenset(constants), of=name)
            if program is not None:
                programs[name] = program
        ordered, needs = self._ordered(programs, texts)
        normal = {name: doubles(value) for name, value in constants.items()}
        defects = {
            name: Defect(texts[name], program.defect.message)
            for name, program in programs.items()
            if program.defect is not None
        }
        return Names(Parameters(ordered, normal), frozenset(texts), frozenset(constants), needs, defects)

    def refuse(self, names: Names, used: NamesUsed) -> None:
        """Complain of the used variables that have a defect: Cerbos does not start over a set that reads one."""
        for name in used.variables:
            defect = names.defects.get(name)
            if defect is None or defect.text.place in self._refused:
                continue
            self._refused.add(defect.text.place)
            self._complaints.add(
                Problem.INVALID_EXPRESSION,
                defect.text.place,
                f"The variable {name!r} can have no value, `{_shown(defect.text)}`: {defect.message}.",
                "Correct the constant in it.",
            )

    def compile(
        self, text: ExpressionText, variables: frozenset[str], constants: frozenset[str], *, of: str = ""
    ) -> Program | None:
        """The program of an expression; None beside a complaint when it is wrong or uses a name that is not defined.

        `of`: the variable whose definition it is.
        """
        try:
            program = self._programs.get(text.text) or compile_expression(text.text)
            self._programs[text.text] = program
        except CelCompileError as error:
            place, where = text.place, ""
            if error.line == 1:
                place = Place(place.file, place.line, place.column + error.column - 1)
            else:
                where = f" (line {error.line}, column {error.column} of it)"
            self._complaints.add(
                Problem.INVALID_EXPRESSION,
                place,
                f"Invalid expression `{_shown(text)}`{where}: {error.message}.",
                "Correct the expression.",
            )
            return None
        undefined = False
        for problem, what, used, known in (
            (Problem.VARIABLE_UNDEFINED, "variable", program.references.variables, variables),
            (Problem.CONSTANT_UNDEFINED, "constant", program.references.constants, constants),
        ):
            for name in sorted(used - known):
                undefined = True
                where = f" referenced in variable {of!r}" if of else ""
                self._complaints.add(
                    problem,
                    text.place,
                    f"Undefined {what} {name!r}{where}.",
                    f"Define {name!r} under `{what}s.local`, or import the export that has it.",
                )
        return None if undefined else program

    def _check_names(self, defined: Mapping[str, Any], place: Callable[[Any], Place], what: str) -> None:
        problem = Problem.VARIABLE_NAME if what == "variable" else Problem.CONSTANT_NAME
        for name, value in defined.items():
            if name in _RESERVED:
                message = f"{name!r} is a reserved word of CEL and no name of a {what}."
            elif not _IDENTIFIER.match(name):
                message = f"{name!r} is not a valid name of a {what}."
            else:
                continue
            self._complaints.add(
                problem, place(value), message, "Use letters, digits and `_`, not beginning with a digit."
            )

    def _all_constants(self, definitions: Definitions) -> dict[str, Any]:
        found: dict[str, list[_Defined]] = {}
        for name, place in definitions.constant_imports:
            export = self._constants.get(name)
            if export is None:
                self._missing("constants", name, place)
                continue
            for key, (value, at) in export.definitions.constants.items():
                found.setdefault(key, []).append(_Defined(value, at, f"import {name!r}"))
        for key, (value, at) in definitions.constants.items():
            found.setdefault(key, []).append(_Defined(value, at, "policy local constants"))
        return self._single(found, "constant", Problem.CONSTANT_REDEFINED)

    def _all_variables(self, definitions: Definitions) -> dict[str, ExpressionText]:
        found: dict[str, list[_Defined]] = {}
        for name, place in definitions.variable_imports:
            export = self._variables.get(name)
            if export is None:
                self._missing("variables", name, place)
                continue
            for key, text in export.definitions.variables.items():
                found.setdefault(key, []).append(_Defined(text, text.place, f"import {name!r}"))
        for key, text in definitions.old_variables.items():
            found.setdefault(key, []).append(_Defined(text, text.place, "top-level policy variables"))
        for key, text in definitions.variables.items():
            found.setdefault(key, []).append(_Defined(text, text.place, "policy local variables"))
        return self._single(found, "variable", Problem.VARIABLE_REDEFINED)

    def _single(self, found: Mapping[str, list[_Defined]], what: str, problem: Problem) -> dict[str, Any]:
        """The one definition of each name; several are a complaint at the policy's own, or else the last."""
        for name, defined in found.items():
            if len(defined) > 1:
                listed = " and ".join(
                    f"{item.origin} ({item.place.file}:{item.place.line}:{item.place.column})"
                    for item in defined
                )
                self._complaints.add(
                    problem,
                    defined[-1].place,
                    f"{what.capitalize()} {name!r} has multiple definitions in {listed}.",
                    "Rename one of them.",
                )
        return {name: defined[-1].value for name, defined in found.items()}

    def _missing(self, what: str, name: str, place: Place) -> None:
        known = sorted(self._variables if what == "variables" else self._constants)
        remedy = (
            f"Known: {', '.join(known[:8])}." if known else f"Write a policy `export{what.capitalize()}`."
        )
        self._complaints.add(
            Problem.MISSING_IMPORT, place, f"No {what} are exported under the name {name!r}.", remedy
        )

    def _ordered(
        self, programs: Mapping[str, Program], texts: Mapping[str, ExpressionText]
    ) -> tuple[list[tuple[str, Program]], dict[str, frozenset[str]]]:
        """Needed variables first, and what each needs; a cycle is a complaint."""
        edges = {
            name: sorted(
                (programs if program.references.whole_variables else program.references.variables)
                & programs.keys()
            )
            for name, program in programs.items()
        }
        ordered: list[tuple[str, Program]] = []
        needs: dict[str, frozenset[str]] = {}
        for group in _groups(edges):
            if len(group) > 1 or group[0] in edges[group[0]]:
                self._cycle(sorted(group, key=list(texts).index), texts)
                continue
            name = group[0]
            ordered.append((name, programs[name]))
            needs[name] = frozenset(edges[name]).union(*(needs.get(need, ()) for need in edges[name]))
        return ordered, needs

    def _cycle(self, names: list[str], texts: Mapping[str, ExpressionText]) -> None:
        first = texts[names[0]].place
        if len(names) == 1:
            message = f"Variable {names[0]!r} references itself."
        else:
            listed = [
                f"{name!r} ({texts[name].place.file}:{texts[name].place.line}:{texts[name].place.column})"
                for name in names
            ]
            message = f"Variables {', '.join(listed[:-1])} and {listed[-1]} form a cycle."
        self._complaints.add(Problem.VARIABLE_CYCLE, first, message, "Write one of them without the others.")


def _shown(text: ExpressionText) -> str:
    return text.text.strip()[:120]


def _groups(edges: Mapping[str, list[str]]) -> list[list[str]]:
    """Strongly connected groups of names, needed ones first (Tarjan's algorithm, without recursion)."""
    found: list[list[str]] = []
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for root in edges:
        if root in index:
            continue
        work = [(root, iter(edges[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            name, needed = work[-1]
            for need in needed:
                if need not in index:
                    index[need] = low[need] = len(index)
                    stack.append(need)
                    on_stack.add(need)
                    work.append((need, iter(edges[need])))
                    break
                if need in on_stack:
                    low[name] = min(low[name], index[need])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    at = stack.index(name)
                    found.append(stack[at:])
                    on_stack.difference_update(stack[at:])
                    del stack[at:]
    return found
