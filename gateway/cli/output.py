"""How commands print: aligned tables without trailing blanks, and JSON that names its own version."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table

PLAIN_WIDTH = 200
"""Columns where nobody looks through a terminal: wide enough that a row stays a line."""


def console(stream: Any = None) -> Console:
    """A console on stdout, or on `stream`, that leaves what it prints as it is."""
    stream = stream or sys.stdout
    return Console(file=stream, highlight=False, width=None if stream.isatty() else PLAIN_WIDTH)


def columns(*styles: str) -> Table:
    """A table of aligned columns without lines; the first never breaks, the others wrap."""
    table = Table.grid(padding=(0, 2))
    for number, style in enumerate(styles):
        table.add_column(style=style, no_wrap=number == 0, overflow="fold")
    return table


def show(on: Console, table: RenderableType) -> None:
    """Print a table or another renderable; its lines end where their text ends."""
    with on.capture() as captured:
        on.print(table)
    for line in captured.get().splitlines():
        on.file.write(line.rstrip() + "\n")


def print_json(schema: str, body: Mapping[str, Any]) -> None:
    """Print `body` as JSON on stdout. `schema` names this output and its version (`ostiary.doctor/1`).

    Only ASCII leaves: what an agent wrote may hold characters that a terminal obeys.
    """
    sys.stdout.write(json.dumps({"schema": schema, **body}, indent=2) + "\n")
