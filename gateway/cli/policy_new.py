"""`ostiary policy new`: a sentence to a policy file and its test, ready to run."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from gateway.errors import ConfigError
from gateway.policy.authoring.plan import Plan, plan_rule
from gateway.policy.authoring.sentence import FORMS
from gateway.policy.desk import compile_desk, lay_out
from gateway.policy.directory import read_roots
from gateway.policy.load import load_documents
from gateway.policy.model import ResourcePolicy
from gateway.policy.problems import Complaints
from gateway.policy.settings import EngineSettings
from gateway.policy.suites.checker import EngineChecker
from gateway.policy.suites.discover import find_suites
from gateway.policy.suites.filters import Filter
from gateway.policy.suites.results import succeeded
from gateway.policy.suites.run import run_suites
from gateway.policy.suites.text import report
from gateway.policy_sets.packs import shipped_packs

DEFAULT_DIRECTORY = "site-policies"


class _Help(click.Command):
    """Shows the forms of sentences below the options."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        with formatter.section("Sentences"):
            for form in FORMS:
                formatter.write(f"{'':{formatter.current_indent}}{form}\n")


@click.command("new", cls=_Help)
@click.argument("sentence", nargs=-1, required=True)
@click.option(
    "--dir", "directory", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_DIRECTORY,
    show_default=True, help="Where your own policies are; made when it is missing.",
)  # fmt: skip
@click.option(
    "--scope", default="site", show_default=True, metavar="site[.TEAM]",
    help="The layer the rule belongs to.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Print the files instead of writing them.")
def command(sentence: tuple[str, ...], directory: Path, scope: str, dry_run: bool) -> None:
    """Write a rule from SENTENCE, with its text and a test, and run that test.

    The rule goes into a layer of its own, so that it tightens the shipped rules and never loosens them.
    """
    packs = shipped_packs()
    if directory.resolve() == packs.resolve():
        raise ConfigError(
            "The shipped policies are replaced by the next version.",
            number=203,
            remedy="Name a directory of your own.",
        )
    _check_scope(scope)
    own = read_roots([directory]) if directory.is_dir() else ()
    plan = plan_rule(
        " ".join(sentence), scope=scope, own=own, root=str(directory), shipped_kinds=_kinds(packs)
    )
    plan = _tried(plan, directory, packs)
    if dry_run:
        for name, text in plan.files.items():
            click.echo(f"# {directory / name}\n{text}")
        return
    _write(plan, directory)
    for name in plan.files:
        click.echo(f"{'changed' if name in plan.changed else 'wrote'}  {directory / name}")
    click.echo(f"The rule {plan.rule} compiles with the shipped packs, and its test passes.")
    click.echo(
        f"Next: `ostiary policy test {directory}`; the gateway loads it with `policies: [{directory.absolute()}]`"
        " in its configuration."
    )


def _check_scope(scope: str) -> None:
    parts = scope.split(".")
    if not all(part.replace("_", "a").replace("-", "a").isalnum() for part in parts) or not scope.isascii():
        raise ConfigError(f"{scope!r} is no scope.", number=204, remedy="Write site, or site.<team>.")


def _kinds(packs: Path) -> frozenset[str]:
    documents = load_documents(read_roots([packs]), Complaints())
    return frozenset(
        document.name for document in documents if isinstance(document, ResourcePolicy) and not document.scope
    )


def _tried(plan: Plan, directory: Path, packs: Path) -> Plan:
    """The plan with its test, compiled and run in a copy of the directory: what does not work is not written.

    Raises PolicyProblems, MootError, or ConfigError with the report of the test.
    """
    with tempfile.TemporaryDirectory(prefix="ostiary-policy-") as scratch:
        copy = Path(scratch) / "policies"
        copy.mkdir()
        if directory.is_dir():
            for file in sorted(directory.rglob("*")):
                if file.is_file() and file.suffix in {".yaml", ".yml", ".json"}:
                    _put(copy / file.relative_to(directory), file.read_text(encoding="utf-8"))
        _write(plan, copy)
        settings = EngineSettings()
        engine = compile_desk(lay_out(copy, packs, with_packs=True), settings)
        plan = plan.with_suite(engine)
        _write(plan, copy)
        results = run_suites(find_suites(copy), EngineChecker(engine, settings), Filter())
        own = [suite for suite in results if suite.file == plan.suite]
        if not succeeded(own):
            raise ConfigError(
                f"The test of the rule fails:\n{report(own, tree=True)}",
                number=205,
                remedy="Nothing was written; report the sentence.",
            )
        _warn([suite.file for suite in results if suite.file != plan.suite and not succeeded([suite])])
    return plan


def _warn(broken: Sequence[str]) -> None:
    """Say which other tests of the directory no longer hold: a rule may well change what an earlier one left open."""
    if broken:
        click.echo(
            f"These tests expect what the new rule changes, or failed before: {', '.join(broken)}.", err=True
        )


def _write(plan: Plan, directory: Path) -> None:
    for name, text in plan.files.items():
        _put(directory / name, text)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
