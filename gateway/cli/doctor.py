"""`ostiary doctor`: prove the installation end to end, and say what to do where it does not hold."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from gateway.assurance.doctor import Client, Facts, Finding, State, examine
from gateway.cli.canary_call import ask_canary_call
from gateway.cli.configured import config_of, config_options
from gateway.cli.invocation import invocation
from gateway.cli.output import columns, console, print_json, show
from gateway.cli.running import hooks_url_of, status_of
from gateway.cli.settings_files import server_managed, settings_files
from gateway.configuration.sources import Settings, data_dir_of
from gateway.errors import OstiaryError
from gateway.versions import product_version
from gateway.wiring_commands import build_settings_generator

AGENT = "claude-code"
SCHEMA = "ostiary.doctor/1"
_CLIENT_SECONDS = 10
_STYLES: dict[State, str] = {"ok": "green", "note": "yellow", "red": "bold red"}


@click.command("doctor")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Data directory of the gateway.")
@click.option("--url", default="", help="Where agents post their hooks; default: where the gateway listens.")
@click.option(
    "--project",
    type=click.Path(path_type=Path),
    default=".",
    show_default=True,
    help="Look at this project's settings.",
)
@click.option(
    "--managed-dir",
    type=click.Path(path_type=Path),
    help="Look for managed settings here, not where this system has them.",
)
@click.option("--json", "as_json", is_flag=True, help="The findings as one JSON document.")
@config_options
def command(
    *,
    settings: Settings,
    data_dir: Path | None,
    url: str,
    project: Path,
    managed_dir: Path | None,
    as_json: bool,
) -> None:
    """Prove that this installation works: gateway, policy, a call that must be stopped, the agent's settings.

    Ends with 1 when a line is red; each such line says what to do.
    """
    config = config_of(settings, data_dir)
    place = data_dir_of(config, os.environ)
    generator = build_settings_generator(AGENT)
    status: Mapping[str, Any] | None = None
    problem = remedy = ""
    try:
        status = status_of(config, place)
    except OstiaryError as error:
        problem, remedy = error.message, error.remedy
    hooks_url = url or hooks_url_of(config, status, AGENT)
    files = settings_files(generator.targets, os.environ, project.absolute(), managed_dir)
    facts = Facts(
        own_version=product_version(),
        program=invocation(sys.argv[0], os.environ, Path.cwd()),
        hooks_url=hooks_url,
        deadline_seconds=config.server.deadline_ms / 1000,
        status=status,
        problem=problem,
        remedy=remedy,
        canary=ask_canary_call(hooks_url, place, os.environ.get("OSTIARY_TOKEN", ""))
        if status is not None
        else None,
        settings=generator.in_force(files, hooks_url),
        settings_places=tuple(file.path for file in files),
        server_managed=server_managed(os.environ),
        client=_client(os.environ),
        minimum_version=generator.minimum_version,
    )
    findings = examine(facts)
    red = any(finding.state == "red" for finding in findings)
    if as_json:
        print_json(SCHEMA, body_of(findings))
    else:
        show_findings(console(), findings)
    sys.exit(1 if red else 0)


def body_of(findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings as the JSON output holds them."""
    red = any(finding.state == "red" for finding in findings)
    return {"ok": not red, "findings": [json.loads(msgspec.json.encode(finding)) for finding in findings]}


def show_findings(on: Console, findings: Sequence[Finding]) -> None:
    """The findings for people: one line each, what to do below a red one."""
    table = columns("", "bold", "")
    for finding in findings:
        text = finding.says
        if finding.remedy:
            text += f"\n[dim]→ {finding.remedy}[/dim]" if finding.state != "red" else f"\n→ {finding.remedy}"
        table.add_row(f"[{_STYLES[finding.state]}]{finding.state:4}[/]", finding.check, text)
    show(on, table)
    count = sum(finding.state == "red" for finding in findings)
    on.print()
    if count:
        on.print(f"[bold red]{count} red.[/bold red] The arrow below each says what to do.")
    else:
        on.print("[green]Everything that must hold holds.[/green]")


def _client(environment: Mapping[str, str]) -> Client:
    """The agent's program, asked for its version with nothing of the user's around it."""
    path = shutil.which("claude", path=environment.get("PATH", ""))
    if path is None:
        return Client()
    with tempfile.TemporaryDirectory(prefix="ostiary-doctor-") as home:
        clean = {"PATH": environment.get("PATH", ""), "HOME": home}
        try:
            told = subprocess.run(  # noqa: S603 - the program a person would start by this name
                [path, "--version"],
                env=clean,
                cwd=home,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_CLIENT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return Client(path=path)
    return Client(path=path, version=told.stdout.strip()[:80])
