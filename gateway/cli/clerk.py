"""`ostiary clerk`: the process beside the gate that indexes the record. Started by the gate, not by people."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import uvloop

from gateway.processes.hardening import forbid_inspection
from gateway.processes.logs import configure_logging
from gateway.wiring_record import build_clerk


@click.command("clerk", hidden=True)
@click.option("--data-dir", type=click.Path(path_type=Path), required=True)
@click.option("--held", is_flag=True, help="Keep debuggers of the same user out.")
def command(data_dir: Path, *, held: bool) -> None:
    """Index the record and answer searches, until the gate is gone."""
    if held:
        forbid_inspection()
    configure_logging(sys.stderr, "info", as_json=not sys.stderr.isatty())

    async def run() -> None:
        await build_clerk(data_dir).run()

    uvloop.run(run())
