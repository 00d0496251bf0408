"""Everything that is wrong with a policy set, as `cerbos compile --output=json` prints it and as people read it.

Cerbos stops after the first of three stages that finds something (load, lint, compile); so does the JSON. People see all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gateway.policy.problems import FILE_WIDE, PolicyProblem, Stage

_STAGES: tuple[tuple[Stage, str], ...] = (
    ("load", "loadErrors"),
    ("lint", "lintErrors"),
    ("compile", "compileErrors"),
)


def to_json(problems: Iterable[PolicyProblem], roots: Sequence[str]) -> dict[str, Any]:
    """`{compileErrors|lintErrors|loadErrors: {errors: [{file, error, description, position}]}}`, {} for none.

    `roots` are the directories that were read: files are named from there.
    """
    found = list(problems)
    for stage, field in _STAGES:
        errors = [_error(problem, roots) for problem in found if problem.problem.stage == stage]
        if errors:
            return {field: {"errors": errors}}
    return {}


def _error(problem: PolicyProblem, roots: Sequence[str]) -> dict[str, Any]:
    error: dict[str, Any] = {
        "file": inside(problem.file, roots),
        "error": problem.problem.cerbos_name,
        "description": problem.message,
    }
    if problem.line and problem.problem not in FILE_WIDE:
        error["position"] = {"line": problem.line, "column": problem.column}
    error["code"] = problem.code
    if problem.remedy:
        error["remedy"] = problem.remedy
    return error


def inside(file: str, roots: Sequence[str]) -> str:
    """A file's name below the root that holds it."""
    for root in roots:
        prefix = root.rstrip("/") + "/"
        if file.startswith(prefix):
            return file.removeprefix(prefix)
    return file
