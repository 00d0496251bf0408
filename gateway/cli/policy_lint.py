"""`ostiary policy lint`: what compiles and is still a mistake in a policy for agents."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from gateway.cli.configured import config_of, config_options
from gateway.cli.policy_problems import print_problems
from gateway.config import DROPPED_ATTRIBUTES
from gateway.configuration.sources import Settings
from gateway.enforcement.obligations import ObligationError, parse_obligation
from gateway.facts.tool_data import tool_data
from gateway.policy.desk import compile_desk, lay_out
from gateway.policy.directory import read_roots
from gateway.policy.lint.findings import Finding
from gateway.policy.lint.run import kinds_of, lint, to_json
from gateway.policy.lint.words import Words
from gateway.policy.load import load_documents
from gateway.policy.problems import Complaints, PolicyProblem, PolicyProblems
from gateway.policy.settings import EngineSettings
from gateway.policy_sets.packs import shipped_packs

FOUND = 1
COMPILE_ERROR = 3


@click.command("lint")
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--format", "-o", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option(
    "--packs/--no-packs", "with_packs", default=None,
    help="Compile with the shipped packs below; by itself when a policy needs one of theirs.",
)  # fmt: skip
@click.option("--shipped", is_flag=True, help="Hold the policies to the rules of shipped packs.")
@click.option("--notes/--no-notes", default=False, help="Show notes as well.")
@config_options
def command(
    settings: Settings, directory: Path, form: str, with_packs: bool | None, shipped: bool, notes: bool
) -> None:
    """Look for mistakes in the policies of DIRECTORY that only a gateway for agents can know.

    Exit status: 0 nothing worse than warnings, 1 an error was found, 3 a policy does not compile.
    """
    dropped = config_of(settings).check.drop_attributes
    packs = shipped_packs()
    shipped = shipped or directory.resolve() == packs.resolve()
    desk = None
    try:
        desk = lay_out(directory, packs, with_packs=with_packs)
        compile_desk(desk, EngineSettings())
    except (PolicyProblem, PolicyProblems) as problem:
        print_problems(problem, desk, directory, form)
        sys.exit(COMPILE_ERROR)
    documents = load_documents(desk.files, Complaints())
    inside = {file.name for file in desk.files if not file.name.startswith(f"{packs}/")} or {
        file.name for file in desk.files
    }
    covered: frozenset[str] = frozenset()
    if not shipped and with_packs is not False:
        covered = kinds_of(load_documents(read_roots([packs]), Complaints()))
    found = lint(documents, words(dropped), frozenset(inside) if shipped else frozenset(), covered)
    found = tuple(finding for finding in found if _wanted(finding, inside, notes=notes))
    if form == "json":
        click.echo(json.dumps(to_json(found, desk.roots), indent=2))
    else:
        _print(found)
    if any(finding.severity == "error" for finding in found):
        sys.exit(FOUND)


def words(dropped: tuple[str, ...] = DROPPED_ATTRIBUTES) -> Words:
    """The words of this installation; `dropped` as configured."""
    return Words(tools=tool_data().known, dropped=dropped, problem_of_output=_problem_of_output)


def _problem_of_output(value: Any) -> str:
    try:
        parse_obligation(value)
    except ObligationError as error:
        return str(error)
    return ""


def _wanted(finding: Finding, inside: set[str], *, notes: bool) -> bool:
    if finding.severity == "note" and not notes:
        return False
    return not finding.place.file or finding.place.file in inside


def _print(found: tuple[Finding, ...]) -> None:
    for finding in found:
        click.echo(str(finding))
    count = {
        severity: sum(finding.severity == severity for finding in found)
        for severity in ("error", "warning", "note")
    }
    click.echo(", ".join(f"{number} {word}s" for word, number in count.items() if number) or "Nothing found.")
