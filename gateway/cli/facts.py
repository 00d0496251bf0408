"""`ostiary facts`: what calls would do, for machines: JSON lines in, JSON lines out."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

import click
import msgspec
from msgspec import Struct

from gateway.cli import Commands
from gateway.facts.shell.analysis import Surroundings, analyse
from gateway.facts.shell.catalogue import shipped_models
from gateway.facts.shell.report import facts


class Request(Struct, kw_only=True):
    """One line of input; what is left out is unknown."""

    command: str
    cwd: str = ""
    project_dir: str = ""
    home: str = ""
    user: str = ""
    dialect: str = "bash"


class FactsCommands(Commands):
    """The kinds of facts."""

    modules: ClassVar[dict[str, str]] = {"shell": "facts"}
    internal: ClassVar[frozenset[str]] = frozenset()
    summaries: ClassVar[dict[str, str]] = {"shell": "Facts of shell commands, one JSON line each."}

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of a name, None when there is none."""
        return shell if cmd_name == "shell" else None


@click.command("shell")
def shell() -> None:
    """Facts of shell commands: a JSON object a line from standard input (`command`, `cwd`, `project_dir`, `home`).

    Each line is answered by one line (docs/command-facts.md). A line that is no such object is answered with `error`.
    """
    models = shipped_models()
    decoder = msgspec.json.Decoder(Request)
    for line in sys.stdin.buffer:
        if not line.strip():
            continue
        answer: dict[str, Any]
        try:
            request = decoder.decode(line)
        except msgspec.MsgspecError as error:
            answer = {"error": f"This line is no request: {error}.", "opaque": True}
        else:
            around = Surroundings(
                cwd=request.cwd,
                project_dir=request.project_dir,
                home=request.home,
                user=request.user,
                dialect=request.dialect,
            )
            answer = facts(request.command, analyse(request.command, around, models))
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
        sys.stdout.flush()


@click.command(cls=FactsCommands)
def command() -> None:
    """What calls would do, for machines."""
