"""The command line: one module a command, imported when it is called, so that every one starts fast."""

from __future__ import annotations

import importlib
import sys
from typing import Any, ClassVar

import click

from gateway.errors import OstiaryError


class Commands(click.Group):
    """Finds a command's module by name. Each module has `command`, a click command or group.

    `summaries` says in one line what a command does, so that listing them imports none; a group without it imports all.
    """

    modules: ClassVar[dict[str, str]] = {
        "serve": "serve",
        "try": "try_",
        "demo": "demo",
        "doctor": "doctor",
        "status": "status",
        "why": "why",
        "what": "what",
        "audit": "audit",
        "policy": "policy",
        "pdp": "pdp",
        "agent-settings": "agent_settings",
        "config": "config",
        "token": "token",
        "facts": "facts",
        "version": "version",
        "clerk": "clerk",
    }
    internal: ClassVar[frozenset[str]] = frozenset({"clerk"})
    summaries: ClassVar[dict[str, str]] = {
        "serve": "Run the gateway.",
        "try": "Watch Claude Code in one project, and undo it.",
        "demo": "Play a recorded agent session against the running gateway.",
        "doctor": "Prove that this installation works; say what to do where it does not.",
        "status": "Mode, policy and posture of the running gateway, and the last stops.",
        "why": "Explain one decision.",
        "what": "Say what a shell command would do, without running it.",
        "audit": "Search and verify the record.",
        "policy": "Write, check, explain and ship policies.",
        "pdp": "Serve a Cerbos-compatible PDP from a Cerbos configuration file.",
        "agent-settings": "Settings that connect an agent to the gateway.",
        "config": "Show, explain or write the configuration.",
        "token": "Make credentials.",
        "facts": "What calls would do, for machines.",
        "version": "The version, and the version of every contract.",
    }

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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in the help."""
        names = self.list_commands(ctx)
        if not all(name in self.summaries for name in names):
            super().format_commands(ctx, formatter)
            return
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.summaries[name]) for name in names])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of ours ends it with its own exit code."""
        try:
            return super().invoke(ctx)
        except OstiaryError as error:
            click.echo(f"ostiary: {error}", err=True)
            ctx.exit(error.exit_status)


@click.command(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
def root() -> None:
    """Ostiary: policy for what AI coding agents do."""


def main() -> None:
    """Run the command line; the exit code tells what happened: 0 ok, 1 found something, 2 usage, 3 compile, 4 tests."""
    sys.exit(root.main(prog_name="ostiary"))
