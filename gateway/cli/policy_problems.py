"""What the subcommands of `ostiary policy` share: telling what is wrong with a directory."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gateway.policy.desk import Desk
from gateway.policy.problems import PolicyProblem, PolicyProblems
from gateway.policy.report import to_json


def print_problems(
    problem: PolicyProblem | PolicyProblems, desk: Desk | None, directory: Path, form: str
) -> None:
    """Everything that is wrong: as Cerbos' JSON on stdout, or as lines on stderr."""
    problems = problem.problems if isinstance(problem, PolicyProblems) else (problem,)
    if form == "json":
        roots = desk.roots if desk is not None else (str(directory),)
        click.echo(json.dumps(to_json(problems, roots), indent=2))
        return
    for one in problems:
        click.echo(str(one), err=True)
