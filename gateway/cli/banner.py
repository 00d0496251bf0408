"""What a gateway says when it starts: what it does, where, and the next commands in a form that can be pasted."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from rich.console import Console
from rich.markup import escape

from gateway.cli.output import columns, show
from gateway.domain.vocabulary import Mode

_DOES: dict[Mode, str] = {
    "observe": "observes: every call is recorded, nothing is stopped",
    "enforce": "enforces: what policy denies is stopped",
    "disabled": "is disabled: calls pass unexamined",
}
_ADVISORY = "advisory: agents could stop this gateway or answer in its place; docs/threat-model.md"


class Started(Struct, frozen=True, kw_only=True):
    """A gateway that just became ready. `notes` are what works only in part."""

    mode: Mode
    hooks: str
    admin: str
    data_dir: Path
    posture: str
    status: Mapping[str, Any]
    notes: Sequence[str] = ()


class Called(Struct, frozen=True, kw_only=True):
    """How it was called: the program as it can be typed, the options that lead other commands to it, and by make or not."""

    program: str
    options: tuple[str, ...] = ()
    by_make: bool = False


def banner(on: Console, started: Started, called: Called) -> None:
    """Print it."""
    status = started.status
    on.print(f"[bold]Ostiary {status['version']}[/bold] {_DOES[started.mode]}.\n")
    table = columns("", "")
    posture = "held" if started.posture == "held" else _ADVISORY
    table.add_row("  hooks", f"http://{started.hooks}/v1/hooks/claude-code")
    table.add_row("  metrics", f"http://{started.admin}/metrics")
    table.add_row(
        "  policy",
        f"{status['policies']} rules, revision {status['revision']}, decided by {status['backend']}",
    )
    table.add_row("  record", escape(f"{started.data_dir}/audit"))
    table.add_row("  posture", posture)
    for note in started.notes:
        table.add_row("  [yellow]note[/yellow]", escape(note))
    show(on, table)
    on.print("\nNext, in another terminal:")
    show(on, _next(started.mode, called))
    on.print()


def _next(mode: Mode, called: Called) -> Any:
    table = columns("bold", "dim")
    tail = f" {shlex.join(called.options)}" if called.options else ""
    steps = [
        (f"{called.program} demo{tail}", "a recorded session: no agent needed"),
        (f"{called.program} try DIR{tail}", "watch Claude Code in one project"),
        (f"{called.program} doctor{tail}", "prove that everything works"),
    ]
    if mode == "observe":
        enforce = (
            "OSTIARY__MODE=enforce make run"
            if called.by_make
            else f"{called.program} serve{tail} --mode enforce"
        )
        steps.append((enforce, "stop what policy denies, once you have seen enough"))
    for command, does in steps:
        table.add_row(escape(f"  {command}"), does)
    return table
