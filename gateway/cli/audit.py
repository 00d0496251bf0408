"""`ostiary audit`: search the record, and verify that nobody changed it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from gateway.cli.audit_table import lines_of, table_of
from gateway.cli.record_source import data_dir_from, open_source, source_options
from gateway.cli.times import parse_time
from gateway.clock import now
from gateway.domain.query import Page
from gateway.domain.vocabulary import ANSWERS, DECISIONS
from gateway.errors import StoreError

_TYPES = ("call", "repeat", "check", "gate", "tombstone", "all")
_SHORTHANDS: dict[str, dict[str, str]] = {
    "denied": {"answer": "deny"},
    "would_deny": {"decision": "deny", "answer": "pass"},
    "ungoverned": {"decision": "no_policy"},
}


@click.group("audit")
def command() -> None:
    """Search and verify the record."""


@command.command("search")
@click.argument("words", nargs=-1)
@click.option("--since", metavar="TIME", help="From this time on: 2h, 3d, 2026-05-01, 2026-05-01T12:00.")
@click.option("--until", metavar="TIME", help="Up to this time.")
@click.option("--user", "principal", metavar="ID", help="Whose agent it was.")
@click.option("--session", "session_id", metavar="ID", help="The agent's session.")
@click.option("--tool", metavar="NAME", help="The tool, e.g. Bash.")
@click.option("--event", metavar="NAME", help="The hook event, e.g. PreToolUse.")
@click.option("--agent", metavar="NAME", help="The agent, e.g. claude-code.")
@click.option("--decision", multiple=True, type=click.Choice(DECISIONS), help="What policy said.")
@click.option("--answer", multiple=True, type=click.Choice(ANSWERS), help="What the agent got.")
@click.option("--rule", metavar="PACK.RULE", help="The rule that spoke.")
@click.option("--flag", metavar="NAME", help="A suspicion, e.g. call_id_reuse.")
@click.option("--id", "identifier", metavar="ID", help="A decision id, its short form, or a call id.")
@click.option(
    "--type",
    "kind",
    type=click.Choice(_TYPES),
    default="call",
    show_default=True,
    help="Records of this type.",
)
@click.option("--denied", is_flag=True, help="Calls that were stopped.")
@click.option("--would-deny", is_flag=True, help="Calls that were observed and would have been stopped.")
@click.option("--ungoverned", is_flag=True, help="Calls no policy spoke about.")
@click.option("--synthetic", is_flag=True, help="Also what demo, doctor and canaries made.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Rows a page.")
@click.option("--cursor", help="Go on where a page ended.")
@click.option("--oldest-first", is_flag=True, help="In order of time.")
@click.option("--json", "as_json", is_flag=True, help="The page as one JSON document.")
@source_options
def search(
    words: tuple[str, ...],
    since: str | None,
    until: str | None,
    decision: tuple[str, ...],
    answer: tuple[str, ...],
    identifier: str | None,
    kind: str,
    synthetic: bool,
    limit: int,
    oldest_first: bool,
    as_json: bool,
    data_dir: Path | None,
    config: Path | None,
    url: str | None,
    token_file: Path | None,
    **given: Any,
) -> None:
    """Search the record. WORDS are looked for in commands, paths, hosts and reasons; all of them must occur."""
    filters: dict[str, str] = {
        **_times(since, until),
        "decision": ",".join(decision),
        "answer": ",".join(answer),
        "text": " ".join(words),
        "id": identifier or "",
        "type": "" if kind == "all" else kind,
        "synthetic": "true" if synthetic else "",
        "limit": str(limit),
        "newest_first": "false" if oldest_first else "",
    }
    for name, value in given.items():
        if name in _SHORTHANDS:
            filters.update(_SHORTHANDS[name] if value else {})
        else:
            filters[name] = value or ""
    filters = {name: value for name, value in filters.items() if value}
    source = open_source(data_dir, config, url, token_file)
    try:
        page = source.search(filters)
    finally:
        source.close()
    _show(page, as_json=as_json)


def _times(since: str | None, until: str | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, text in (("since", since), ("until", until)):
        if text is not None:
            try:
                found[name] = str(max(0, parse_time(text, now())))
            except ValueError as wrong:
                raise click.BadParameter(str(wrong), param_hint=f"--{name}") from None
    return found


def _show(page: Page, *, as_json: bool) -> None:
    if as_json:
        click.echo(as_ascii({"schema": "ostiary.audit_search/1", **msgspec.to_builtins(page)}))
        return
    if sys.stdout.isatty():
        on = Console(highlight=False, markup=False)
        for row in table_of(page.rows, on.width):
            on.print(row, no_wrap=True)
    else:
        for line in lines_of(page.rows):
            click.echo(line)
    if page.lag_bytes:
        click.echo(f"{page.lag_bytes} bytes of the journal are not indexed yet; ask again.", err=True)
    if page.cursor:
        click.echo(f"More: add --cursor {page.cursor}", err=True)
    elif not page.rows:
        click.echo("No record fits.", err=True)


def as_ascii(value: Any) -> str:
    """A value as JSON in ASCII: what a client wrote reaches a terminal as escapes only."""
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=True)


@command.command("verify")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Data directory of the gateway.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file that names it.")
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON document.")
def verify(data_dir: Path | None, config: Path | None, as_json: bool) -> None:
    """Read every byte of the record and say whether it is whole; exit 1 when it is not."""
    from gateway.audit.verify import verify as verify_journal  # noqa: PLC0415 - searching needs none of it

    place = data_dir_from(data_dir, config, os.environ) / "audit"
    try:
        report = verify_journal(place)
    except OSError as error:
        raise StoreError(
            f"{place} cannot be read: {error.strerror}.",
            number=16,
            remedy="Name the data directory, and read it as the user it belongs to.",
        ) from None
    if as_json:
        click.echo(
            as_ascii(
                {"schema": "ostiary.audit_verify/1", **msgspec.to_builtins(report), "intact": report.intact}
            )
        )
    else:
        _tell(report, place)
    sys.exit(0 if report.intact else 1)


def _tell(report: Any, place: Path) -> None:
    for finding in report.findings:
        where = os.path.relpath(finding.file, place) + (f":{finding.line}" if finding.line else "")
        record = f" (record {finding.seq})" if finding.seq else ""
        click.echo(f"{finding.severity}: {where}{record}: {finding.message}")
    records = sum(chain.records for chain in report.chains)
    commits = sum(chain.commits for chain in report.chains)
    counted = f"{len(report.chains)} chains, {records} records, {commits} commits"
    click.echo(f"{'Intact' if report.intact else 'NOT INTACT'}: {counted} under {place}.")
    click.echo(report.trust)
