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

from gateway.cli.banner import Called, Started, banner
from gateway.cli.invocation import invocation
from gateway.cli.live import LiveView
from gateway.cli.output import console
from gateway.configuration.sources import load
from gateway.processes.logs import configure_logging
from gateway.web.hooks import RecordObserver
from gateway.wiring import GateBuilder


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
    config_file = file.absolute() if file else None
    observers: list[RecordObserver] = []
    builder = GateBuilder(config, dict(os.environ), config_file=config_file, observers=observers)
    view = LiveView(Console(highlight=False), pulse=builder.pulse, clock=time.monotonic)
    live = on_terminal and not quiet
    if live:
        observers.append(view.show)
    built = builder.build()

    def ready() -> None:
        status = builder.status()
        started = Started(
            mode=config.mode,
            hooks=built.listen,
            admin=built.admin_listen,
            data_dir=built.data_dir,
            posture=built.posture.posture,
            status=status,
            notes=tuple(status["readiness"]["degraded"].values()),
        )
        banner(console(), started, _called(data_dir, file))
        if live:
            configure_logging(view.log_stream(), config.telemetry.log_level, as_json=as_json)
            view.start(asyncio.get_running_loop())

    try:
        uvloop.run(built.gate.run(ready))
    finally:
        view.stop()


def _called(data_dir: Path | None, file: Path | None) -> Called:
    """How other commands are called so that they find this gateway."""
    options: list[str] = []
    if data_dir is not None:
        options += ["--data-dir", str(data_dir)]
    if file is not None:
        options += ["--config", str(file)]
    return Called(
        program=invocation(sys.argv[0], os.environ, Path.cwd()),
        options=tuple(options),
        by_make="MAKELEVEL" in os.environ,
    )
