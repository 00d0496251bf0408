"""`ostiary policy init`: a commented start for rules of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gateway.policy_sets.pack_copies import site_start
from gateway.policy_sets.packs import pack_files, shipped_packs, write_new


@click.command("init")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def command(directory: Path, as_json: bool) -> None:
    """Copy the shipped rules and their tests to DIRECTORY as a commented start for your own.

    Your rules stand in scope `site` and are asked beside the shipped ones: they can tighten and never loosen. Nothing that
    is there is overwritten.
    """
    files = site_start(pack_files(shipped_packs()))
    write_new(directory, files)
    if as_json:
        click.echo(json.dumps({"directory": str(directory), "files": sorted(files)}))
        return
    click.echo(f"Wrote {len(files)} files to {directory}: {', '.join(sorted(files))}.")
    click.echo(f"Next:  ostiary policy test {directory}   then   ostiary serve --set policies=[{directory}]")
