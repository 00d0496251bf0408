"""A recorded call for the commands that look at it again: found by its id, with the settings it was asked with."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.checks import CheckSettings
from gateway.cli.record_source import open_source
from gateway.config import Config
from gateway.config_rules import check_settings, rules_off
from gateway.domain.record import Record
from gateway.errors import ConfigError
from gateway.policy.engine import Engine
from gateway.recorded_call import is_decided_call


def recorded_call(identifier: str, config: Config) -> Record:
    """The record of a call that policy decided. Raises ConfigError when there is none of that id, or StoreError."""
    source = open_source(Path(config.data_dir) if config.data_dir else None, None, None, None)
    try:
        row = source.find(identifier)
    finally:
        source.close()
    if row is None or not is_decided_call(row.record):
        raise ConfigError(
            f"No call that policy decided has the id {identifier!r}.",
            number=69,
            remedy="`ostiary audit search` lists ids.",
        )
    if row.record.erased:
        click.echo(
            "Some values of this call were erased from the record; conditions over them may differ.", err=True
        )
    return row.record


def asked_with(config: Config, engine: Engine) -> CheckSettings:
    """How a configuration turns calls into questions to an engine."""
    return check_settings(config, rules_off(config, (rule.name for rule in engine.rules())))
