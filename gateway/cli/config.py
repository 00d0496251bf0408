"""`ostiary config`: write the configuration as a commented file, show what is in force and why, explain one key."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click
import yaml
from msgspec import structs
from rich.markup import escape

from gateway.cli.configured import config_of, config_options
from gateway.cli.invocation import invocation
from gateway.cli.output import columns, console, print_json, show
from gateway.config import Config
from gateway.configuration.keys import Key, config_keys, find_key
from gateway.configuration.sources import ENVIRONMENT_PREFIX, Settings, data_dir_of
from gateway.configuration.text import DEFAULT, Value, commented_file, values_in_force
from gateway.errors import ConfigError
from gateway.wiring_policies import packs_in_force

SHOW_SCHEMA = "ostiary.config/1"
KEY_SCHEMA = "ostiary.config-key/1"
PACKS_SCHEMA = "ostiary.config-packs/1"
_FILE_MODE = 0o644


@click.group("config")
def command() -> None:
    """Show, explain or write the configuration."""


@command.command("show")
@click.argument("prefix", default="")
@click.option("--changed", is_flag=True, help="Only what some source set.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@config_options
def show_values(*, settings: Settings, prefix: str, changed: bool, as_json: bool) -> None:
    """Every value that is in force and where it comes from; with PREFIX (a key or section) only those below it."""
    values = [
        value
        for value in values_in_force(_told(config_of(settings)), settings)
        if _below(value.path, prefix) and not (changed and value.origin == DEFAULT)
    ]
    if prefix and not values and not changed:
        raise _unknown(prefix)
    if as_json:
        print_json(SHOW_SCHEMA, {"values": [structs.asdict(value) for value in values]})
        return
    table = columns("bold", "", "dim")
    for value in values:
        table.add_row(value.path, escape(told(value.value)), "" if value.origin == DEFAULT else value.origin)
    show(console(), table)


@command.command("explain")
@click.argument("key", default="")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@config_options
def explain(*, settings: Settings, key: str, as_json: bool) -> None:
    """What a KEY does, what it can be, how to set it and what it is now; without KEY the list of them."""
    if not key:
        _list(as_json=as_json)
        return
    found = find_key(key)
    if found is None:
        raise _unknown(key)
    values = [
        value for value in values_in_force(_told(config_of(settings)), settings) if _below(value.path, key)
    ]
    if as_json:
        now = [structs.asdict(value) for value in values]
        print_json(KEY_SCHEMA, {"key": structs.asdict(found), "values": now})
        return
    _show_key(found, values)


@command.command("packs")
@click.option("--rules", is_flag=True, help="With the name of every rule.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@config_options
def packs(*, settings: Settings, rules: bool, as_json: bool) -> None:
    """The shipped packs: what each is for, and whether it is switched on."""
    listed = packs_in_force(config_of(settings))
    if as_json:
        print_json(PACKS_SCHEMA, {"packs": [structs.asdict(pack) for pack in listed]})
        return
    table = columns("bold", "", "")
    for pack in listed:
        table.add_row(pack.name, pack.state, pack.about)
        for rule in (*pack.on, *pack.off) if rules else ():
            table.add_row(f"  [dim]{pack.name}.{rule}[/dim]", "on" if rule in pack.on else "off", "")
    show(console(), table)


@command.command("init")
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@config_options
def init(*, settings: Settings, file: Path | None) -> None:
    """Write FILE, or stdout: every key with what it does and the value that is in force now."""
    config = config_of(settings)
    program = invocation(sys.argv[0], os.environ, Path.cwd())
    text = commented_file(config, program)
    if file is None:
        sys.stdout.write(text)
        return
    try:
        with os.fdopen(
            os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE), "w", encoding="utf-8"
        ) as new:
            new.write(text)
    except FileExistsError:
        raise ConfigError(
            f"{file} exists.", number=70, remedy="Name a new file, or move that one away."
        ) from None
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written: {error.strerror}.", number=71, remedy="Name another file."
        ) from None
    on = console(sys.stderr)
    on.print(
        f"Written to {file}. Change what should differ, then:\n  {program} serve --config {file}",
        soft_wrap=True,
    )


def told(value: Any) -> str:
    """A value as YAML would have it, in one line."""
    if value is None:
        return "unset"
    text = yaml.safe_dump(
        value, default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True
    )
    return str(text).removesuffix("\n").removesuffix("\n...")


def _told(config: Config) -> Config:
    """The configuration with the data directory that is in force instead of the empty word for it."""
    try:
        return structs.replace(config, data_dir=str(data_dir_of(config, os.environ)))
    except ConfigError:
        return config


def _below(path: str, prefix: str) -> bool:
    return not prefix or path == prefix or path.startswith((f"{prefix}.", f"{prefix}["))


def _list(*, as_json: bool) -> None:
    keys = [key for key in config_keys() if not key.section]
    if as_json:
        print_json(KEY_SCHEMA, {"keys": [structs.asdict(key) for key in keys]})
        return
    table = columns("bold", "")
    for key in keys:
        table.add_row(key.path, key.text.partition("\n")[0] or f"[dim]{escape(key.type)}[/dim]")
    show(console(), table)


def _show_key(key: Key, values: list[Value]) -> None:
    table = columns("dim", "")
    table.add_row("type", escape(key.type))
    if not key.required:
        table.add_row("default", escape(told(key.default)))
    for value in values:
        name = "now" if value.path == key.path else f"now {value.path}"
        table.add_row(name, f"{escape(told(value.value))}  [dim]{value.origin}[/dim]")
    if "[" not in key.path:
        table.add_row("file", _in_file(key.path))
        table.add_row("variable", f"{ENVIRONMENT_PREFIX}{key.path.upper().replace('.', '__')}=…")
        table.add_row("flag", f"--set {key.path}=…")
    on = console()
    on.print(f"[bold]{escape(key.path)}[/bold]  {escape(key.text)}\n", soft_wrap=not on.is_terminal)
    show(on, table)


def _in_file(path: str) -> str:
    parts = path.split(".")
    return "\n".join(f"{'  ' * depth}{part}:" for depth, part in enumerate(parts)) + " …"


def _unknown(path: str) -> ConfigError:
    return ConfigError(
        f"There is no key {path}.", number=1, remedy="`ostiary config explain` lists every key."
    )
