"""`ostiary pdp`: answer the Cerbos check API from a Cerbos configuration file, with our own engine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
import uvloop

from gateway.processes.logs import configure_logging
from gateway.wiring_pdp import COMPATIBLE_VERSION, build_pdp


@click.command("pdp")
@click.option(
    "--cerbos-config",
    "config",
    type=click.Path(path_type=Path),
    required=True,
    help="A Cerbos configuration file.",
)
@click.option(
    "--policies", type=click.Path(path_type=Path), help="Policies, instead of storage.disk.directory."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port, instead of the one in server.httpListenAddr."
)
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info")
def command(config: Path, policies: Path | None, port: int | None, log_level: str) -> None:
    """Serve a Cerbos-compatible PDP: the check API, AuthZEN, health and server info."""
    configure_logging(sys.stderr, log_level, as_json=not sys.stderr.isatty())
    built = build_pdp(config, dict(os.environ), policies=policies, port=port)

    def ready() -> None:
        click.echo(f"Ostiary answers as a Cerbos PDP {COMPATIBLE_VERSION} on http://{built.listen}.")
        click.echo(f"  policies  {built.policies}: {built.rules} rules, revision {built.revision}")
        if built.ignored:
            click.echo(f"  ignored   {', '.join(built.ignored)} of {config}: they do not change decisions")

    uvloop.run(built.process.run(ready))
