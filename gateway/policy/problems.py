"""Every complaint about a policy file: its public number, Cerbos' name for it, and the stage that finds it.

Numbers are stable (`OST-POL-<nnn>`, docs/errors.md lists them from this table); a new complaint takes a new number.
Cerbos' names are those of `cerbos compile --output=json`, so that tools which read that output keep working.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Literal

from msgspec import Struct

from gateway.errors import PolicyError

Stage = Literal["load", "lint", "compile"]


class Place(Struct, frozen=True):
    """A place in a policy file. `line` and `column` are 1-based; 0 means the file as a whole."""

    file: str = ""
    line: int = 0
    column: int = 0


class Problem(Enum):
    """number, stage, Cerbos' error name."""

    UNREADABLE = (1, "load", "failed to read")
    NOT_UTF8 = (2, "load", "invalid document")
    TOO_LARGE = (3, "load", "invalid document")
    TOO_DEEP = (4, "load", "invalid document")
    TOO_MANY_NODES = (5, "load", "invalid document")
    SYNTAX = (6, "load", "invalid document")
    TAG = (7, "load", "invalid document")
    ALIAS = (8, "load", "invalid document")
    DUPLICATE_KEY = (9, "load", "duplicate key")
    UNKNOWN_FIELD = (10, "load", "unknown field")
    WRONG_TYPE = (11, "load", "unexpected value")
    MISSING_FIELD = (12, "load", "missing field")
    BAD_VALUE = (13, "load", "invalid value")
    NOT_ONE_BODY = (14, "load", "invalid policy type")
    API_VERSION = (15, "load", "invalid apiVersion")
    RULE_WITHOUT_ROLES = (16, "load", "rule without roles")
    ARCHIVE = (17, "load", "invalid archive")
    DUPLICATE_DEFINITION = (20, "lint", "duplicate definition")
    MISSING_SCOPE = (21, "lint", "missing scope")
    SCOPE_PERMISSIONS = (22, "lint", "scope permissions conflict")
    MISSING_IMPORT = (23, "lint", "missing import")
    AMBIGUOUS_DERIVED_ROLE = (30, "compile", "ambiguous derived role")
    UNKNOWN_DERIVED_ROLE = (32, "compile", "unknown derived role")
    INVALID_EXPRESSION = (34, "compile", "invalid expression")
    SCRIPT = (35, "compile", "scripts in conditions are no longer supported")
    EMPTY_OUTPUT = (36, "compile", "empty output")
    INVALID_SCHEMA = (37, "compile", "invalid schema")
    CONSTANT_REDEFINED = (38, "compile", "constant redefined")
    CONSTANT_UNDEFINED = (39, "compile", "undefined constant")
    CONSTANT_NAME = (40, "compile", "invalid constant name")
    VARIABLE_REDEFINED = (41, "compile", "variable redefined")
    VARIABLE_UNDEFINED = (42, "compile", "undefined variable")
    VARIABLE_CYCLE = (43, "compile", "cyclical variable definitions")
    VARIABLE_NAME = (44, "compile", "invalid variable name")
    SUITE = (50, "load", "invalid test suite")

    @property
    def number(self) -> int:
        """The `nnn` of `OST-POL-nnn`."""
        return self.value[0]

    @property
    def stage(self) -> Stage:
        """Which of Cerbos' three lists (`loadErrors`, `lintErrors`, `compileErrors`) it belongs to."""
        stage: Stage = self.value[1]
        return stage

    @property
    def cerbos_name(self) -> str:
        """Cerbos' name of the error."""
        return self.value[2]


FILE_WIDE = frozenset(
    {Problem.AMBIGUOUS_DERIVED_ROLE, Problem.CONSTANT_REDEFINED, Problem.VARIABLE_REDEFINED}
)
"""Problems for which Cerbos reports a file without a position; ours point at one of the places."""


class PolicyProblem(PolicyError):
    """One complaint about one place of a policy file."""

    def __init__(self, problem: Problem, place: Place, message: str, remedy: str = "") -> None:
        super().__init__(
            message,
            number=problem.number,
            remedy=remedy,
            file=place.file,
            line=place.line,
            column=place.column,
        )
        self.problem = problem
        self.place = place


class PolicyProblems(PolicyError):
    """Everything that is wrong with a policy set, in the order of the files. `problems` is never empty."""

    def __init__(self, problems: Iterable[PolicyProblem]) -> None:
        ordered = sorted(
            problems, key=lambda problem: (problem.file, problem.line, problem.column, problem.code)
        )
        first = ordered[0]
        super().__init__(
            first.message,
            number=first.problem.number,
            remedy=first.remedy,
            file=first.file,
            line=first.line,
            column=first.column,
        )
        self.problems = tuple(ordered)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class Complaints:
    """Collects complaints so that an author sees all of them at once; equal ones count once."""

    def __init__(self) -> None:
        self._problems: dict[tuple[str, Place, str], PolicyProblem] = {}

    def add(self, problem: Problem, place: Place, message: str, remedy: str = "") -> None:
        """Note a complaint."""
        self.keep(PolicyProblem(problem, place, message, remedy))

    def keep(self, problem: PolicyProblem) -> None:
        """Note a complaint that somebody raised."""
        self._problems.setdefault((problem.code, problem.place, problem.message), problem)

    @property
    def found(self) -> tuple[PolicyProblem, ...]:
        """The complaints so far."""
        return tuple(self._problems.values())

    def raise_if_any(self) -> None:
        """Raise PolicyProblems when there is a complaint."""
        if self._problems:
            raise PolicyProblems(self._problems.values())
