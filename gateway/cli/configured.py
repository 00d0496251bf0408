"""Options of every command that reads the configuration, and what commands derive from it."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.config import Config
from gateway.configuration.sources import Settings, convert, gather
from gateway.web.listeners import parse_listen

Function = TypeVar("Function", bound=Callable[..., Any])
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


def config_options(function: Function) -> Function:
    """Add `--config` and `--set`; the command gets the gathered sources as `settings`."""

    @click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        help="Configuration file of the gateway (YAML).",
    )
    @click.option(
        "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Set one key of the configuration."
    )
    @functools.wraps(function)
    def with_settings(config_file: Path | None, assignments: tuple[str, ...], **given: Any) -> Any:
        return function(settings=gather(config_file, os.environ, assignments), **given)

    return with_settings  # type: ignore[return-value]  # click's decorators keep the function's name, not its type


def config_of(settings: Settings, data_dir: Path | None = None) -> Config:
    """The checked configuration, with the data directory of a flag. Raises ConfigError."""
    if data_dir is not None:
        settings.set("data_dir", str(data_dir.absolute()), "the command line")
    return convert(settings)


def hooks_url(config: Config, agent: str) -> str:
    """Where this configuration's gateway takes an agent's hooks, as a client on this machine reaches it."""
    return f"http://{reachable(config.server.listen, 'server.listen')}/v1/hooks/{agent}"


def reachable(listen: str, key: str) -> str:
    """A listen address as a client on this machine writes it: every address means loopback. Raises ConfigError."""
    host, port = parse_listen(listen, key)
    host = _EVERYWHERE.get(host, host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
