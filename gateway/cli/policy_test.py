"""`ostiary policy test`: compile a directory of policies and run its test suites, as `cerbos compile` does."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from gateway.cli.configured import config_of, config_options
from gateway.cli.policy_problems import print_problems
from gateway.cli.recorded import asked_with, recorded_call
from gateway.config import Config
from gateway.configuration.sources import Settings
from gateway.domain.record import short_id
from gateway.errors import ConfigError
from gateway.policy.desk import Desk, compile_desk, lay_out
from gateway.policy.directory import read_roots
from gateway.policy.engine import compile_policies
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
from gateway.policy_sets.packs import shipped_packs
from gateway.policy_sets.recorded_suite import suite_of

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
@click.argument("directory", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
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
@click.option(
    "--from", "identifier", metavar="ID",
    help="Make a test of a recorded call: below DIRECTORY, or printed when there is none.",
)  # fmt: skip
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Data directory of the gateway, for --from."
)
@click.option("--verbose", is_flag=True, help="Show what passed as well.")
@config_options
def command(
    settings: Settings,
    directory: Path | None,
    form: str,
    tests: Path | None,
    filters: tuple[str, ...],
    skip_tests: bool,
    strict_evaluation: bool,
    ignore_schemas: bool,
    with_packs: bool | None,
    identifier: str | None,
    data_dir: Path | None,
    verbose: bool,
) -> None:
    """Compile the policies of DIRECTORY and run its test suites (*_test.yaml).

    Exit status: 0 all passed, 3 a policy does not compile, 4 a test failed.
    """
    if identifier is not None:
        with_packs = _record_test(identifier, directory, config_of(settings, data_dir))
    if directory is None:
        if identifier is None:
            raise ConfigError("Name the directory of the policies.", number=202, remedy="See --help.")
        return
    chosen = parse_filter(filters)
    engine_settings = EngineSettings(strict_evaluation=strict_evaluation)
    desk: Desk | None = None
    try:
        desk = lay_out(directory, shipped_packs(), with_packs=with_packs, ignore_schemas=ignore_schemas)
        engine = compile_desk(desk, engine_settings)
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
                f"The tests cannot be read: {error}.", number=201, remedy="Give the files to yourself."
            ) from None
        suites = run_suites(files, EngineChecker(engine, engine_settings), chosen)
    click.echo(_rendered(suites, form, verbose=verbose))
    if not results.succeeded(suites):
        sys.exit(TEST_FAILURE)


def _record_test(identifier: str, directory: Path | None, config: Config) -> bool:
    """Write or print the test of a recorded call. True: it needs the shipped packs, as the call did."""
    record = recorded_call(identifier, config)
    roots = [shipped_packs(), *([directory] if directory is not None else map(Path, config.policies))]
    engine = compile_policies(read_roots(roots), EngineSettings())
    text = suite_of(record, engine, asked_with(config, engine))
    if directory is None:
        click.echo(text, nl=False)
        return True
    file = directory / "recorded" / f"{short_id(record.decision_id)}_test.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    click.echo(f"Wrote {file}.", err=True)
    return True


def _rendered(suites: tuple[SuiteResult, ...], form: str, *, verbose: bool) -> str:
    if form == "json":
        return json.dumps(results.to_json(suites), indent=2)
    if form == "junit":
        return junit(suites)
    return report(suites, tree=form == "tree", verbose=verbose, paint=_paint)


def _paint(text: str, result: Result) -> str:
    """Coloured; click takes the colours out again where the output is no terminal."""
    return click.style(text, fg=_COLOURS[result])
