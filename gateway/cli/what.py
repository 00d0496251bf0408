"""`ostiary what 'COMMAND'`: what a shell command would read, write, delete, run and contact, and which rule would stop it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from gateway.cli.configured import config_of, config_options
from gateway.cli.output import print_json
from gateway.cli.what_tree import WhatTree
from gateway.configuration.sources import Settings
from gateway.domain.events import Claims, HookEvent
from gateway.facts.project import slug
from gateway.facts.shell.analysis import Surroundings, analyse
from gateway.facts.shell.catalogue import extended_models
from gateway.facts.shell.report import facts

_WIDE = 400


@click.command("what")
@click.argument("text", metavar="COMMAND")
@click.option("--cwd", type=click.Path(path_type=Path), help="Where it would run; default: here.")
@click.option("--home", type=click.Path(path_type=Path), help="Whose home `~` is; default: yours.")
@click.option("--shell", default="bash", show_default=True, help="The shell that would run it.")
@click.option("--role", "roles", multiple=True, help="Role of who would run it; default: engineer.")
@click.option("--json", "as_json", is_flag=True, help="The facts and the decision as one JSON document.")
@config_options
def command(
    text: str,
    cwd: Path | None,
    home: Path | None,
    shell: str,
    roles: tuple[str, ...],
    as_json: bool,
    settings: Settings,
) -> None:
    """Say what the shell command COMMAND would do, and what policy in `enforce` would say of it.

    It is not run, and nothing is looked up on the disk. What a session did before is not known here.
    """
    from gateway.configuration.site_facts import command_models  # noqa: PLC0415 - loads the engine, not for --help
    from gateway.facts.shell.catalogue import shipped_models  # noqa: PLC0415 - likewise
    from gateway.wiring_what import build_forecast  # noqa: PLC0415 - likewise

    config = config_of(settings)
    place = str((cwd or Path.cwd()).absolute())
    whose = str(home.absolute()) if home else os.environ.get("HOME", "")
    event = HookEvent(
        agent="claude-code",
        event="PreToolUse",
        tool="Bash",
        tool_input={"command": text},
        payload={"tool_name": "Bash", "tool_input": {"command": text}, "cwd": place},
        cwd=place,
        transcript_path=f"{whose}/.claude/projects/{slug(place)}/what.jsonl",
        claims=Claims(project_dir=place, home=whose, shell=shell),
    )
    forecast = build_forecast(config, os.environ, roles or ("engineer",))(event)
    around = Surroundings(
        cwd=place, project_dir=place, home=whose, user=os.environ.get("USER", ""), dialect=shell
    )
    models = extended_models(command_models(config, shipped_models()))
    found = facts(text, analyse(text, around, models))
    decision = forecast.decision
    if as_json:
        told: dict[str, Any] = {
            **found,
            "decision": decision.word,
            "cause": decision.cause,
            "reasons": msgspec.to_builtins(decision.reasons),
        }
        print_json("ostiary.command_facts/1", told)
        return
    tree = WhatTree(found, forecast.analysis.operations, decision, config.failure_policy).build(text)
    console = Console(highlight=False)
    # Where no terminal cuts them, lines are whole.
    console.print(tree, width=None if console.is_terminal else _WIDE)
