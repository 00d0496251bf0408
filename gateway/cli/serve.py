"""`ostiary serve`: start the gateway, say in a few lines what it does, and show each call as it comes."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import click
import uvloop
from rich.console import Console

from gateway.cli.live import LiveView
from gateway.config import Config
from gateway.config_sources import load
from gateway.logs import configure_logging
from gateway.web.hooks import RecordObserver
from gateway.wiring import BuiltGate, GateBuilder


@click.command("serve")
@click.option("--config", "file", type=click.Path(path_type=Path), help="Configuration file (YAML).")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set one key, e.g. server.deadline_ms=3000.",
)
@click.option(
    "--mode", type=click.Choice(["disabled", "observe", "enforce"]), help="What to do with decisions."
)
@click.option("--listen", metavar="HOST:PORT", help="Where agents post their hooks.")
@click.option("--admin-listen", metavar="HOST:PORT", help="Where metrics and probes are.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where the record and the keys are kept.")
@click.option("--backend", type=click.Choice(["local", "cerbos"]), help="Who decides.")
@click.option("--quiet", is_flag=True, help="Do not show calls as they come.")
def command(
    file: Path | None,
    assignments: tuple[str, ...],
    mode: str | None,
    listen: str | None,
    admin_listen: str | None,
    data_dir: Path | None,
    backend: str | None,
    quiet: bool,
) -> None:
    """Run the gateway: agents post every tool call here, policy decides, the record is kept."""
    given: dict[str, Any] = {
        "mode": mode,
        "server.listen": listen,
        "server.admin_listen": admin_listen,
        "data_dir": str(data_dir.absolute()) if data_dir else None,
        "backend": backend,
    }
    flags = {path: value for path, value in given.items() if value is not None}
    config = load(file, os.environ, assignments, flags)
    on_terminal = sys.stdout.isatty()
    as_json = config.telemetry.log_format == "json" or (
        config.telemetry.log_format == "auto" and not on_terminal
    )
    configure_logging(sys.stderr, config.telemetry.log_level, as_json=as_json)
    console = Console(highlight=False, soft_wrap=True)
    config_file = file.absolute() if file else None
    observers: list[RecordObserver] = []
    builder = GateBuilder(config, dict(os.environ), config_file=config_file, observers=observers)
    view = LiveView(Console(highlight=False), pulse=builder.pulse, clock=time.monotonic)
    live = on_terminal and not quiet
    if live:
        observers.append(view.show)
    built = builder.build()

    def ready() -> None:
        banner(console, config, built)
        if live:
            configure_logging(view.log_stream(), config.telemetry.log_level, as_json=as_json)
            view.start(asyncio.get_running_loop())

    try:
        uvloop.run(built.gate.run(ready))
    finally:
        view.stop()


def banner(console: Console, config: Config, built: BuiltGate) -> None:
    """What the gateway is doing, and the next command to try."""
    status = built.status
    does = {
        "observe": "observes: every call is recorded, nothing is stopped",
        "enforce": "enforces: what policy denies is stopped",
        "disabled": "is disabled: calls pass unexamined",
    }[config.mode]
    console.print(f"[bold]Ostiary {status['version']}[/bold] {does}.")
    console.print(
        f"  hooks    http://{built.listen}/v1/hooks/claude-code    metrics  http://{built.admin_listen}/metrics"
    )
    console.print(
        f"  policy   {status['policies']} rules, revision {status['revision']}, backend {status['backend']}"
    )
    console.print(f"  record   {built.data_dir}/audit")
    if built.posture.posture == "advisory":
        console.print(f"  posture  advisory: {built.posture.reasons[0]}", markup=False)
    else:
        console.print("  posture  held")
    if config.mode == "observe":
        console.print(
            "Next, in another terminal:  [bold]ostiary demo[/bold]   or   [bold]ostiary try DIR[/bold]"
        )
