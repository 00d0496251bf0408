"""`ostiary status`: how this machine's agents are governed, and what was stopped last. No special right is needed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from gateway import clock
from gateway.cli.configured import config_of, config_options, reachable
from gateway.cli.invocation import invocation
from gateway.cli.output import columns, console, print_json, show
from gateway.cli.record_source import ListenerSource, RecordSource, SocketSource
from gateway.cli.record_words import DECISION_STYLES, decided, rule_of, tool_of, user_of, would_do_of
from gateway.cli.running import status_of
from gateway.config import Config
from gateway.configuration.sources import Settings, data_dir_of
from gateway.domain.query import Row
from gateway.domain.record import short_id
from gateway.errors import OstiaryError

SCHEMA = "ostiary.status/1"
_CLERK_SECONDS = 10.0
_MODE_STYLES = {"enforce": "bold", "observe": "bold", "disabled": "bold red"}
_DOES = {
    "observe": "what policy would stop is recorded and passes",
    "enforce": "what policy denies is stopped",
    "disabled": "nothing is looked at",
}


@click.command("status")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Data directory of the gateway.")
@click.option(
    "--url", default="", help="Admin listener to ask instead, with the credential of OSTIARY_TOKEN."
)
@click.option(
    "--stops", type=click.IntRange(0, 100), default=5, show_default=True, help="How many of the last stops."
)
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@config_options
def command(*, settings: Settings, data_dir: Path | None, url: str, stops: int, as_json: bool) -> None:
    """Mode, policy and posture of the running gateway, and the last calls it stopped or would have stopped."""
    config = config_of(settings, data_dir)
    place = data_dir_of(config, os.environ)
    status = status_of(config, place, url=url)
    rows, problem = _stops(_source(config, place, url), stops, _patience(status["started"]))
    if as_json:
        print_json(SCHEMA, body_of(status, rows))
        return
    program = invocation(sys.argv[0], os.environ, Path.cwd())
    show_status(console(), status, rows, problem, program)


def body_of(status: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    """The status as the JSON output holds it."""
    names = (
        "version",
        "instance",
        "started",
        "mode",
        "modes",
        "posture",
        "posture_reasons",
        "backend",
        "revision",
        "policies",
        "rules_off",
        "listeners",
        "data_dir",
        "readiness",
    )
    return {
        **{name: status[name] for name in names},
        "stops": [
            {
                "id": short_id(row.record.decision_id),
                "ts": row.record.ts,
                "user": user_of(row.record),
                "tool": tool_of(row.record),
                "would": would_do_of(row.record),
                "decided": decided(row.record),
                "rule": rule_of(row.record),
            }
            for row in rows
        ],
    }


def show_status(
    on: Console, status: Mapping[str, Any], rows: Sequence[Row], problem: str, program: str
) -> None:
    """The status for people."""
    table = columns("bold", "")
    mode = status["mode"]
    table.add_row("mode", f"[{_MODE_STYLES[mode]}]{mode}[/]: {_DOES[mode]}")
    for rule in status["modes"]:
        narrowed = ", ".join(
            f"{name} {rule[name]}" for name in ("role", "agent", "event") if rule[name] != "*"
        )
        table.add_row("", f"{rule['mode']} for {narrowed or 'everything'}")
    table.add_row(
        "policy", f"{status['policies']} rules, revision {status['revision']}, decided by {status['backend']}"
    )
    if status["rules_off"]:
        table.add_row("", f"[yellow]off: {', '.join(status['rules_off'])}[/yellow]")
    reason = (
        f": {status['posture_reasons'][0]}"
        if status["posture"] != "held" and status["posture_reasons"]
        else ""
    )
    table.add_row("posture", f"{status['posture']}{reason}")
    readiness = status["readiness"]
    wrong = [f"{name}: {text}" for name, text in readiness["checks"].items() if text != "ok"]
    table.add_row(
        "health", "[green]ready[/green]" if not wrong else f"[bold red]{'; '.join(wrong)}[/bold red]"
    )
    for text in readiness["degraded"].values():
        table.add_row("", f"[yellow]{text}[/yellow]")
    table.add_row("record", f"{status['data_dir']}/audit")
    show(on, table)
    on.print()
    if problem:
        on.print(f"[yellow]{problem}[/yellow]")
    elif not rows:
        on.print("Nothing was stopped, and nothing would have been.")
    else:
        on.print("[bold]last stops[/bold]")
        show(on, _stops_table(rows))
        on.print(f"\n{program} why ID  explains one.")


def _stops_table(rows: Sequence[Row]) -> Any:
    table = columns("dim", "", "", "", "", "")
    for row in rows:
        record = row.record
        words = decided(record)
        when = datetime.fromtimestamp(record.ts / 1e9).astimezone()
        table.add_row(
            f"{when:%m-%d %H:%M}",
            short_id(record.decision_id),
            user_of(record),
            Text(words, style=DECISION_STYLES.get(words, "")),
            Text(would_do_of(record) or tool_of(record)),
            Text(rule_of(record), style="dim"),
        )
    return table


def _source(config: Config, data_dir: Path, url: str) -> RecordSource:
    token = os.environ.get("OSTIARY_TOKEN", "")
    if url or (token and not os.access(data_dir, os.X_OK)):
        base = url or f"http://{reachable(config.server.admin_listen, 'server.admin_listen')}"
        return ListenerSource(base, token)
    return SocketSource(data_dir)


def _stops(source: RecordSource, count: int, patience: float) -> tuple[tuple[Row, ...], str]:
    """The newest calls that were or would have been stopped, or why they cannot be told.

    The clerk, which answers searches, starts after the gate: for `patience` seconds it is asked again.
    """
    if not count:
        return (), ""
    filters = {"type": "call", "decision": "deny,ask,error", "limit": str(count)}
    end = time.monotonic() + patience
    while True:
        try:
            return source.search(filters).rows, ""
        except OstiaryError as error:
            if time.monotonic() >= end:
                return (), str(error)
        time.sleep(0.1)


def _patience(started: int) -> float:
    """Seconds to wait for the clerk of a gateway that started at `started` (nanoseconds since the epoch)."""
    return max(0.0, min(_CLERK_SECONDS, _CLERK_SECONDS - (clock.now() - started) / 1e9))
