"""The command line: one module a command, imported when it is called, so that every one starts fast."""

from __future__ import annotations

import importlib
import sys
from typing import ClassVar

import click

from gateway.errors import OstiaryError


class Commands(click.Group):
    """Finds a command's module by name. Each module has `command`, a click command or group."""

    modules: ClassVar[dict[str, str]] = {
        "agent-settings": "agent_settings",
        "audit": "audit",
        "clerk": "clerk",
        "config": "config",
        "demo": "demo",
        "doctor": "doctor",
        "policy": "policy",
        "serve": "serve",
        "status": "status",
        "token": "token",
        "try": "try_",
        "version": "version",
        "why": "why",
    }
    internal: ClassVar[frozenset[str]] = frozenset({"clerk"})

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands people call."""
        return [name for name in self.modules if name not in self.internal]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of a name, None when there is none."""
        module = self.modules.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(f"gateway.cli.{module}").command
        return command


@click.command(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
def root() -> None:
    """Ostiary: policy for what AI coding agents do."""


def main() -> None:
    """Run the command line; the exit code tells what happened: 0 ok, 1 found something, 2 usage, 3 compile, 4 tests."""
    try:
        root(prog_name="ostiary")
    except OstiaryError as error:
        click.echo(f"ostiary: {error}", err=True)
        sys.exit(error.exit_status)
