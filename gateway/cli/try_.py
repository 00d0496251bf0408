"""`ostiary try`: watch Claude Code in one project, in observe, and undo it without a trace."""

from __future__ import annotations

import contextlib
import difflib
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from gateway.cli.configured import config_of, config_options
from gateway.cli.gateway_api import ask_url
from gateway.cli.invocation import invocation
from gateway.cli.output import columns, console, show
from gateway.cli.running import hooks_url_of, status_of
from gateway.config import Config
from gateway.configuration.sources import Settings, data_dir_of
from gateway.domain.agent_settings import SettingsFile, SettingsRequest
from gateway.errors import ConfigError, OstiaryError
from gateway.trial import Changed, Trial
from gateway.wiring_commands import build_settings_generator

AGENT = "claude-code"
SETTINGS = Path(".claude") / "settings.local.json"
_PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_CURL = "/usr/bin/curl"


@click.command("try")
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option("--undo", is_flag=True, help="Restore the settings as they were.")
@click.option(
    "--force", is_flag=True, help="With --undo: also when they were changed since; the changes are lost."
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--url", default="", help="Where the gateway is; default: the one that runs here.")
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Data directory of the gateway; the backup is in it."
)
@config_options
def command(
    *,
    settings: Settings,
    directory: Path,
    undo: bool,
    force: bool,
    dry_run: bool,
    url: str,
    data_dir: Path | None,
) -> None:
    """Watch Claude Code in the project DIR: every tool call is recorded, nothing is stopped or taken away."""
    config = config_of(settings, data_dir)
    place = data_dir_of(config, os.environ)
    if not directory.is_dir():
        raise ConfigError(
            f"{directory} is no directory.", number=64, remedy="Name the directory of a project."
        )
    trial = Trial(directory.absolute() / SETTINGS, place)
    on = console()
    if undo:
        _undo(on, trial, force=force, dry_run=dry_run)
    else:
        _begin(on, trial, directory, config, place, url, dry_run=dry_run)


def _begin(
    on: Console, trial: Trial, directory: Path, config: Config, data_dir: Path, url: str, *, dry_run: bool
) -> None:
    status: Mapping[str, Any] | None = None
    with contextlib.suppress(OstiaryError):
        status = status_of(config, data_dir)
    generator = build_settings_generator(AGENT)
    request = SettingsRequest(
        url=url or hooks_url_of(config, status, AGENT),
        token=bool(config.identity.tokens),
        curl="" if os.access(_CURL, os.X_OK) else shutil.which("curl") or "",
    )
    added = dict(generator.project(request))
    hook_url = next(iter(added["hooks"]["Stop"]))["hooks"][0]["url"]
    if passed := _kept_from_proxies(os.environ, hook_url):
        added["env"] = passed
    original = trial.original()
    there = SettingsFile(tier="local", path=str(trial.file), content=original)
    if original is not None and generator.in_force([there], hook_url).hooks:
        on.print(f"{trial.file} already posts to {hook_url}; nothing was changed.")
        return
    text = generator.merge(original, added)
    before = (trial.file.read_bytes() if trial.running else original) or b""
    _show_difference(on, trial.file, before.decode("utf-8", "replace"), text)
    if dry_run:
        on.print("Nothing was written.")
        return
    trial.begin(text)
    program = invocation(sys.argv[0], os.environ, Path.cwd())
    on.print(f"[green]Written.[/green] What was there is kept in {trial.backup}.")
    if not _answers(hook_url):
        on.print(f"[yellow]No gateway answers at {hook_url}[/yellow]: start one with `{program} serve`.")
    here = directory.resolve() == Path.cwd()
    name = "" if here else f" {shlex.quote(str(directory))}"
    steps = columns("", "dim")
    steps.add_row(
        f"  {'' if here else f'cd{name} && '}claude", "work as usual; sessions that already run are seen too"
    )
    steps.add_row(f"  {program} audit search", "what was recorded")
    steps.add_row(f"  {program} try{name} --undo", "takes it out again, byte for byte")
    on.print("\n[bold]next[/bold]")
    show(on, steps)


def _undo(on: Console, trial: Trial, *, force: bool, dry_run: bool) -> None:
    try:
        if not dry_run:
            trial.undo(force=force)
            on.print(f"{trial.file} is as it was before.")
        else:
            trial.original()
            on.print(f"{trial.file} would be as it was before.")
    except Changed as changed:
        now = (changed.now or b"").decode("utf-8", "replace")
        kept = trial.before()
        _show_difference(on, trial.file, now, (kept or b"").decode("utf-8", "replace"))
        raise


def _kept_from_proxies(environment: Mapping[str, str], url: str) -> dict[str, str]:
    """Variables that keep hooks off the proxies of this shell, from which the client will be started."""
    host = url.partition("://")[2].partition("/")[0].rpartition(":")[0].strip("[]")
    named = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    hosts = [part.strip() for part in named.split(",") if part.strip()]
    if not any(environment.get(name) for name in _PROXIES) or host in hosts or "*" in hosts:
        return {}
    value = ",".join([*hosts, host])
    return {"NO_PROXY": value, "no_proxy": value}


def _show_difference(on: Console, file: Path, before: str, after: str) -> None:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), str(file), "after", n=2, lineterm=""
    )
    for line in lines:
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        shown = Text(line, style=style)
        # One line each: what a hook holds is the same for every event, and its end says nothing new.
        if on.is_terminal:
            on.print(shown, no_wrap=True, overflow="ellipsis")
        else:
            on.print(shown, soft_wrap=True)
    on.print()


def _answers(url: str) -> bool:
    try:
        ask_url(url, timeout=2.0)
    except OstiaryError:
        return False
    return True
