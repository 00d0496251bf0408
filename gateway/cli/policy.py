"""`ostiary policy`: write, check, explain and ship policies. One module a subcommand, imported when it is called."""

from __future__ import annotations

from typing import ClassVar

import click

from gateway.cli import Commands


class PolicyCommands(Commands):
    """The subcommands of `ostiary policy`: each module has `command`."""

    modules: ClassVar[dict[str, str]] = {
        "init": "policy_init",
        "new": "policy_new",
        "test": "policy_test",
        "lint": "policy_lint",
        "explain": "policy_explain",
        "export": "policy_export",
    }
    internal: ClassVar[frozenset[str]] = frozenset()


@click.group(cls=PolicyCommands)
def command() -> None:
    """Write, check, explain and ship policies."""
