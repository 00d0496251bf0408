"""`ostiary policy explain`: why policy decides a request as it does, and what would change it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from gateway import clock
from gateway.cli.configured import config_of, config_options
from gateway.cli.recorded import asked_with, engine_then, recorded_call
from gateway.config import Config
from gateway.configuration.sources import Settings
from gateway.domain.check import CheckRequest
from gateway.errors import ConfigError
from gateway.policy.directory import read_roots
from gateway.policy.engine import Engine, compile_policies
from gateway.policy.explain import Explanation, explain
from gateway.policy.explain.request import SuiteFault, parse_request
from gateway.policy.explain.text import lines
from gateway.policy.settings import EngineSettings
from gateway.policy_sets.packs import shipped_packs
from gateway.policy_sets.recorded_call import question_of

_COLOURS = {"allow": "green", "held": "green", "deny": "red", "not_held": "yellow"}


@click.command("explain")
@click.argument("request_file", required=False, type=click.File("rb"))
@click.option(
    "--id", "identifier", metavar="ID", help="Explain a recorded call instead; `last` is the newest."
)
@click.option("--then", is_flag=True, help="With --id: by the policies that were in force then.")
@click.option(
    "--policies", "directories", multiple=True, type=click.Path(path_type=Path, exists=True),
    help="Policies beside those of the configuration.",
)  # fmt: skip
@click.option("--no-packs", is_flag=True, help="Without the shipped packs.")
@click.option("--all", "everything", is_flag=True, help="Show every rule that was looked at.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Data directory of the gateway, for --id.")
@config_options
def command(
    settings: Settings,
    request_file: Any,
    identifier: str | None,
    then: bool,
    directories: tuple[Path, ...],
    no_packs: bool,
    everything: bool,
    as_json: bool,
    data_dir: Path | None,
) -> None:
    r"""Explain the decision about a request (REQUEST_FILE, JSON or YAML; - is stdin) or a recorded call (--id).

    \b
    REQUEST_FILE holds what Cerbos' CheckResources takes:
      principal: {id: ada, roles: [engineer]}
      resources:
        - actions: [read]
          resource: {kind: file, id: /etc/passwd, attr: {path: /etc/passwd, groups: [system]}}
    """
    config = config_of(settings, data_dir)
    if (request_file is None) == (identifier is None):
        raise ConfigError("Name a request file or an --id.", number=206, remedy="See --help.")
    if identifier is not None:
        record = recorded_call(identifier, config)
        if then:
            engine, asking = engine_then(record, config)
        else:
            engine = _engine(config, directories, no_packs=no_packs)
            asking = asked_with(config, engine)
            if engine.revision != record.revision:
                click.echo(
                    f"Explained by the policies of now ({engine.revision}); it was decided by {record.revision} (--then).",
                    err=True,
                )
        request, now = question_of(record, engine, asking).request, record.ts
    else:
        engine = _engine(config, directories, no_packs=no_packs)
        request, asked = _from_file(request_file)
        now = asked if asked is not None else clock.now()
    found = explain(engine, request, now)
    if as_json:
        click.echo(json.dumps(_as_json(found, engine), indent=2))
        return
    paint = _painted if sys.stdout.isatty() else _plain
    for explanation in found:
        for line in lines(explanation, paint, everything=everything):
            click.echo(line)


def _engine(config: Config, directories: tuple[Path, ...], *, no_packs: bool) -> Engine:
    roots = [*([] if no_packs else [shipped_packs()]), *map(Path, config.policies), *directories]
    return compile_policies(read_roots(roots), EngineSettings())


def _from_file(file: Any) -> tuple[CheckRequest, int | None]:
    name = getattr(file, "name", "") or "request"
    try:
        return parse_request(file.read(), name)
    except SuiteFault as fault:
        raise ConfigError(
            f"{name} is no request:{fault}", number=207, remedy="`ostiary policy explain --help` shows one."
        ) from None


def _as_json(found: tuple[Explanation, ...], engine: Engine) -> Mapping[str, Any]:
    return {
        "schema": "ostiary.explanation/1",
        "revision": engine.revision,
        "explanations": [msgspec.to_builtins(explanation) for explanation in found],
    }


def _plain(text: str, _word: str) -> str:
    return text


def _painted(text: str, word: str) -> str:
    return click.style(text, dim=True) if word == "dim" else click.style(text, fg=_COLOURS[word])
