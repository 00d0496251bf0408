"""Where the configuration comes from: defaults < file < environment < `--set` < flags, each value with its place.

The file is named by `--config` and never looked for in the working directory: an agent could write one there. Values of
`OSTIARY__SECTION__KEY` and `--set section.key=value` are parsed as YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from gateway.config import Config
from gateway.domain.vocabulary import CAUSES, FAILURE_DEFAULTS
from gateway.errors import ConfigError

ENVIRONMENT_PREFIX = "OSTIARY__"
_MAX_DEPTH = 16
_PATH = re.compile(r"`\$(?P<path>[^`]*)`")
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]+)`")


class Settings:
    """A tree of values under construction, with the place that set each path."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._places: dict[str, str] = {}

    def place(self, path: str) -> str:
        """Where a path (or the nearest one above it) was set."""
        while path and path not in self._places:
            path = path.rpartition(".")[0]
        return self._places.get(path, "")

    def set(self, path: str, value: Any, place: str) -> None:
        """Set one dotted path; mappings are merged, everything else replaces."""
        parts = path.split(".")
        target = self.values
        for part in parts[:-1]:
            below = target.setdefault(part, {})
            if not isinstance(below, dict):
                raise ConfigError(
                    f"{place}: {path} goes below {part}, which is already set to a value.",
                    number=4,
                    remedy="Set either the section or its keys.",
                )
            target = below
        if isinstance(value, dict) and isinstance(target.get(parts[-1]), dict):
            target[parts[-1]] = {**target[parts[-1]], **value}
        else:
            target[parts[-1]] = value
        self._places[path] = place

    def note(self, path: str, place: str) -> None:
        """Remember the place of a path."""
        self._places[path] = place


def load(
    file: Path | None,
    environment: Mapping[str, str],
    assignments: Iterable[str] = (),
    flags: Mapping[str, Any] | None = None,
) -> Config:
    """The configuration of all sources. Raises ConfigError with path, place and remedy."""
    settings = Settings()
    if file is not None:
        _read_file(settings, file)
    for name in sorted(environment):
        if name.startswith(ENVIRONMENT_PREFIX):
            path = name.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
            settings.set(
                path,
                _value(environment[name], f"the environment variable {name}"),
                f"the environment variable {name}",
            )
    for assignment in assignments:
        path, separator, text = assignment.partition("=")
        if not separator or not path:
            raise ConfigError(
                f"--set {assignment!r} has no value.", number=3, remedy="Write --set section.key=value."
            )
        settings.set(path, _value(text, f"--set {path}"), f"--set {path}")
    for path, value in (flags or {}).items():
        settings.set(path, value, "the command line")
    return _convert(settings)


def _convert(settings: Settings) -> Config:
    try:
        config = msgspec.convert(settings.values, Config, strict=True)
    except msgspec.ValidationError as error:
        raise _explain(settings, str(error)) from None
    unknown = sorted(set(config.failure_policy) - set(CAUSES))
    if unknown:
        place = settings.place(f"failure_policy.{unknown[0]}")
        raise ConfigError(
            f"{place}: failure_policy.{unknown[0]} is no cause.",
            number=2,
            remedy=f"The causes are {', '.join(CAUSES)}.",
        )
    return msgspec.structs.replace(config, failure_policy={**FAILURE_DEFAULTS, **config.failure_policy})


def _explain(settings: Settings, message: str) -> ConfigError:
    """A validation message of msgspec, in the operator's terms: `a.b.c`, and who set it."""
    found = _PATH.search(message)
    path = re.sub(r"\[[^\]]*\]", "", found.group("path")).strip(".") if found else ""
    unknown = _UNKNOWN.search(message)
    if unknown:
        name = unknown.group("name")
        path = f"{path}.{name}".strip(".")
        return ConfigError(
            f"{settings.place(path)}: there is no key {path}.",
            number=1,
            remedy="docs/configuration.md lists every key.",
        )
    what = message.partition(" - at `")[0]
    return ConfigError(
        f"{settings.place(path)}: {path or 'the configuration'}: {what}.",
        number=2,
        remedy="docs/configuration.md tells its type.",
    )


def _value(text: str, place: str) -> Any:
    try:
        return _plain(yaml.compose(text, Loader=yaml.CSafeLoader), None, "", place) if text.strip() else ""
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{place} is not YAML: {error}.", number=3, remedy="Put the value in quotes."
        ) from None


def _read_file(settings: Settings, file: Path) -> None:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{file} cannot be read: {error}.", number=5, remedy="Name a readable file with --config."
        ) from None
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        raise ConfigError(
            f"{place}: this is not YAML: {error.problem}.", number=3, remedy="Check the indentation."
        ) from None
    if node is None:
        return
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(
            f"{file}:1: a configuration is a mapping.", number=3, remedy="Write `mode: observe`, for one."
        )
    plain = _plain(node, settings, "", str(file))
    settings.values.update(plain)


def _plain(node: yaml.Node | None, settings: Settings | None, path: str, file: str, depth: int = 1) -> Any:
    """The value of a node; notes the line of every path and refuses duplicate keys and aliases."""
    if node is None:
        return ""
    line = node.start_mark.line + 1
    if depth > _MAX_DEPTH:
        raise ConfigError(
            f"{file}:{line}: nested deeper than {_MAX_DEPTH} levels.", number=3, remedy="No key is that deep."
        )
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
            if not key or key == "<<":
                raise ConfigError(
                    f"{file}:{key_line}: a key must be plain text.", number=3, remedy="Write `key: value`."
                )
            if key in found:
                raise ConfigError(
                    f"{file}:{key_line}: {key} stands here twice.", number=3, remedy="Keep one of them."
                )
            below = f"{path}.{key}".strip(".")
            if settings is not None:
                settings.note(below, f"{file}:{key_line}")
            found[key] = _plain(value_node, settings, below, file, depth + 1)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, settings, path, file, depth + 1) for item in node.value]
    return yaml.constructor.SafeConstructor().construct_object(node)


def default_data_dir(environment: Mapping[str, str]) -> Path:
    """`$XDG_STATE_HOME/ostiary`, else `~/.local/state/ostiary`: never the working directory, where agents write."""
    state = environment.get("XDG_STATE_HOME", "")
    if state.startswith("/"):
        return Path(state) / "ostiary"
    home = environment.get("HOME", "")
    if not home.startswith("/"):
        raise ConfigError(
            "There is no place for data: HOME is not set.", number=6, remedy="Set data_dir to a directory."
        )
    return Path(home) / ".local" / "state" / "ostiary"
