"""`ostiary agent-settings`: settings that connect an agent to the gateway on stdout, what they do and cost on stderr."""

from __future__ import annotations

import math
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from gateway.cli.configured import config_of, config_options, hooks_url
from gateway.cli.invocation import invocation
from gateway.cli.output import columns, console, show
from gateway.configuration.sources import Settings
from gateway.domain.agent_settings import FORMATS, STAGES, AgentSettings, SettingsRequest, Stage, Target
from gateway.wiring_commands import AGENTS, build_settings_generator

_SHORTEST_SECONDS = 5


@click.command("agent-settings")
@click.argument("agent", type=click.Choice(AGENTS))
@click.option(
    "--stage",
    type=click.Choice(STAGES),
    default="observe",
    show_default=True,
    help="How far the roll-out is.",
)
@click.option(
    "--format", type=click.Choice(FORMATS), default="json", show_default=True, help="Form of the output."
)
@click.option("--url", help="Where the gateway is; default: server.listen of the configuration.")
@click.option(
    "--token/--no-token", default=None, help="Send $OSTIARY_TOKEN; default: when identity is configured."
)
@click.option("--token-file", default="", metavar="FILE", help="Header file for the hooks that are commands.")
@click.option("--curl", default="", metavar="FILE", help="The curl of the machines that get the settings.")
@click.option("--no-proxy", multiple=True, metavar="HOST", help="Host to keep in NO_PROXY.")
@click.option("--proxy", default="", metavar="URL", help="The company's proxy.")
@click.option("--ca-file", default="", metavar="FILE", help="Certificate authorities to trust.")
@click.option("--client-cert", default="", metavar="FILE", help="The client's certificate.")
@click.option("--client-key", default="", metavar="FILE", help="The key of the client's certificate.")
@click.option("--model-url", default="", metavar="URL", help="The company's model gateway.")
@click.option(
    "--allow-mcp", multiple=True, metavar="SERVER", help="lockdown: URL pattern, 'command:WORDS', or name."
)
@click.option(
    "--allow-marketplace", multiple=True, metavar="SOURCE", help="lockdown: owner/repo, URL, or npm:PACKAGE."
)
@click.option(
    "--keep-permissions", is_flag=True, help="lockdown: let developers keep permission rules of their own."
)
@click.option("--keep-skill-shell", is_flag=True, help="lockdown: let skills run shell text.")
@click.option(
    "--keep-readable", multiple=True, metavar="RULE", help="lockdown: leave a rule of permissions.deny out."
)
@config_options
def command(*, settings: Settings, agent: str, url: str | None, token: bool | None, **wanted: Any) -> None:
    """Settings that connect AGENT to the gateway.

    observe takes nothing away and stops nobody, also when the gateway is away; enforce stops tool calls when it is away
    and drops hooks that could rewrite an allowed call; lockdown closes every other way round that settings can close.
    """
    config = config_of(settings)
    generator = build_settings_generator(agent)
    request = SettingsRequest(
        url=url or hooks_url(config, agent),
        seconds=max(_SHORTEST_SECONDS, math.ceil(config.server.deadline_ms / 1000) + 1),
        token=bool(config.identity.tokens) if token is None else token,
        **wanted,
    )
    made = generator.managed(request)
    # Bytes, not text: a registry file keeps its own line ends.
    sys.stdout.buffer.write(generator.encode(made.document, request.format).encode("utf-8"))
    sys.stdout.flush()
    program = invocation(sys.argv[0], os.environ, Path.cwd())
    explain(console(sys.stderr), agent, request, made, program)


def explain(on: Console, agent: str, request: SettingsRequest, made: AgentSettings, program: str) -> None:
    """Where the settings belong, what each key does, and what comes next."""
    on.print(f"[bold]{agent}, stage {request.stage}[/bold]: {_SUMMARY[request.stage]}\n")
    show(on, _places(request, made))
    on.print()
    keys = columns("bold", "", "")
    keys.add_row("key", "[bold]closes[/bold]", "[bold]developers lose[/bold]")
    for note in made.keys:
        keys.add_row("\n".join(note.keys), note.closes, note.costs)
    show(on, keys)
    for warning in made.warnings:
        on.print(f"\n[yellow]note[/yellow]  {warning}")
    on.print("\n[bold]next[/bold]")
    for line in _next(request, made, program):
        on.print(f"  {line}", soft_wrap=True)
    for stage, names in made.later.items():
        on.print(f"[dim]--stage {stage} adds {_some(names)}.[/dim]")


def _places(request: SettingsRequest, made: AgentSettings) -> Table:
    table = columns("bold", "")
    for target in _fitting(request, made.targets):
        table.add_row(target.system, target.path if request.format == "json" else target.managed)
        if request.format == "json":
            table.add_row("", f"[dim]or beside others: {target.drop_in}[/dim]")
    table.add_row(
        "",
        "[dim]Server-managed settings of the organisation win over these: put the keys there instead.[/dim]",
    )
    return table


def _fitting(request: SettingsRequest, targets: tuple[Target, ...]) -> list[Target]:
    return [target for target in targets if request.format in {"json", target.format}]


def _next(request: SettingsRequest, made: AgentSettings, program: str) -> list[str]:
    lines = []
    if made.token_file:
        lines.append(f"{program} token new --user NAME --header-file {shlex.quote(made.token_file)}")
    if request.format == "json" and sys.platform.startswith("linux"):
        again = shlex.join(sys.argv[1:])
        lines.append(f"{program} {again} | sudo install -D -m 644 /dev/stdin {made.targets[0].path}")
    return [*lines, f"{program} doctor"]


def _some(names: tuple[str, ...], most: int = 5) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


_SUMMARY: dict[Stage, str] = {
    "observe": "calls are recorded; nothing is taken away, and a gateway that is away stops nobody.",
    "enforce": "calls are stopped where policy says so, and all of them while the gateway is away.",
    "lockdown": "as enforce, and every other way round the hooks that settings can close is closed.",
}
