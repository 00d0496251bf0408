"""A recorded call for the commands that look at it again: found by its id, with the settings it was asked with."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gateway.cli.record_source import data_dir_from, open_source
from gateway.config import Config
from gateway.configuration.rules import check_settings, rules_off
from gateway.domain.record import Record
from gateway.enforcement.checks import CheckSettings
from gateway.errors import ConfigError
from gateway.policy.engine import Engine, compile_policies
from gateway.policy.settings import EngineSettings
from gateway.policy_sets.history import PolicyHistory
from gateway.policy_sets.recorded_call import is_decided_call


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
            number=208,
            remedy="`ostiary audit search` lists ids.",
        )
    if row.record.erased:
        click.echo(
            "Some values of this call were erased from the record; conditions over them may differ.", err=True
        )
    return row.record


def engine_then(record: Record, config: Config) -> tuple[Engine, CheckSettings]:
    """The policies that were in force when a call was decided, and how it was put to them. Raises ConfigError."""
    place = data_dir_from(Path(config.data_dir) if config.data_dir else None, None, os.environ)
    kept = PolicyHistory(place).find(record.revision)
    if kept is None:
        raise ConfigError(
            f"The policies of revision {record.revision or 'unknown'} are not kept.",
            number=210,
            remedy="Only the last sets are; leave --then out to ask those of now.",
        )
    settings = check_settings(config, kept.rules_off)
    return compile_policies(kept.files, EngineSettings()), settings


def asked_with(config: Config, engine: Engine) -> CheckSettings:
    """How a configuration turns calls into questions to an engine."""
    return check_settings(config, rules_off(config, (rule.name for rule in engine.rules())))
