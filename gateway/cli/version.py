"""`ostiary version`: the version that runs, and the version of every contract it keeps."""

from __future__ import annotations

import click

from gateway.cli.output import columns, console, print_json, show
from gateway.wiring_commands import build_versions

SCHEMA = "ostiary.version/1"


@click.command("version")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
def command(*, as_json: bool) -> None:
    """The version, and the version of every contract."""
    versions = build_versions()
    if as_json:
        print_json(SCHEMA, versions)
        return
    table = columns("bold", "")
    for name, value in versions.items():
        if isinstance(value, dict):
            text = "\n".join(f"{key} {told(inner)}" for key, inner in value.items())
        else:
            text = told(value)
        table.add_row(name, text)
    show(console(), table)


def told(value: object) -> str:
    """A version, or several of them, in words."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {inner}" for key, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
