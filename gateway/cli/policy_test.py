"""`ostiary policy test`: compile a directory of policies and run its test suites, as `cerbos compile` does."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from gateway.cli.policy_problems import print_problems
from gateway.errors import ConfigError
from gateway.packs import shipped_packs
from gateway.policy.problems import PolicyProblem, PolicyProblems
from gateway.policy.settings import EngineSettings
from gateway.policy.suites import results
from gateway.policy.suites.checker import EngineChecker
from gateway.policy.suites.discover import find_suites
from gateway.policy.suites.filters import parse_filter
from gateway.policy.suites.junit import junit
from gateway.policy.suites.model import Result
from gateway.policy.suites.results import SuiteResult
from gateway.policy.suites.run import run_suites
from gateway.policy.suites.text import report
from gateway.policy.trial import Desk, compile_desk, lay_out

COMPILE_ERROR = 3
TEST_FAILURE = 4
FORMATS = ("tree", "list", "json", "junit")
_COLOURS: dict[Result, str] = {
    "RESULT_SKIPPED": "yellow",
    "RESULT_PASSED": "green",
    "RESULT_FAILED": "red",
    "RESULT_ERRORED": "red",
}


@click.command("test")
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--format", "-o", "--output", "form", type=click.Choice(FORMATS), default="tree", show_default=True,
    help="How to print errors and results; json is what `cerbos compile` prints.",
)  # fmt: skip
@click.option(
    "--tests", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where the suites are, if not with the policies.",
)  # fmt: skip
@click.option(
    "--test-filter", "filters", multiple=True, metavar="DIMENSION=GLOB,…;…",
    help="Run a part: dimensions suite, test, principal, resource, action.",
)  # fmt: skip
@click.option("--skip-tests", is_flag=True, help="Compile only.")
@click.option("--strict-evaluation", is_flag=True, help="An expression that fails denies the action.")
@click.option("--ignore-schemas", is_flag=True, help="Do not look at schemas.")
@click.option(
    "--packs/--no-packs", "with_packs", default=None,
    help="Compile with the shipped packs below; by itself when a policy needs one of theirs.",
)  # fmt: skip
@click.option("--verbose", is_flag=True, help="Show what passed as well.")
def command(
    directory: Path,
    form: str,
    tests: Path | None,
    filters: tuple[str, ...],
    skip_tests: bool,
    strict_evaluation: bool,
    ignore_schemas: bool,
    with_packs: bool | None,
    verbose: bool,
) -> None:
    """Compile the policies of DIRECTORY and run its test suites (*_test.yaml).

    Exit status: 0 all passed, 3 a policy does not compile, 4 a test failed.
    """
    chosen = parse_filter(filters)
    settings = EngineSettings(strict_evaluation=strict_evaluation)
    desk: Desk | None = None
    try:
        desk = lay_out(directory, shipped_packs(), with_packs=with_packs, ignore_schemas=ignore_schemas)
        engine = compile_desk(desk, settings)
    except (PolicyProblem, PolicyProblems) as problem:
        print_problems(problem, desk, directory, form)
        sys.exit(COMPILE_ERROR)
    if desk.with_packs and form in {"tree", "list"}:
        click.echo("Compiled with the shipped packs, as the gateway loads it (--no-packs: alone).", err=True)
    suites: tuple[SuiteResult, ...] = ()
    if not skip_tests:
        try:
            files = find_suites(tests or directory)
        except OSError as error:
            raise ConfigError(
                f"The tests cannot be read: {error}.", number=52, remedy="Give the files to yourself."
            ) from None
        suites = run_suites(files, EngineChecker(engine, settings), chosen)
    click.echo(_rendered(suites, form, verbose=verbose))
    if not results.succeeded(suites):
        sys.exit(TEST_FAILURE)


def _rendered(suites: tuple[SuiteResult, ...], form: str, *, verbose: bool) -> str:
    if form == "json":
        return json.dumps(results.to_json(suites), indent=2, ensure_ascii=False)
    if form == "junit":
        return junit(suites)
    return report(suites, tree=form == "tree", verbose=verbose, paint=_paint)


def _paint(text: str, result: Result) -> str:
    """Coloured; click takes the colours out again where the output is no terminal."""
    return click.style(text, fg=_COLOURS[result])
