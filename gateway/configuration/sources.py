"""Where the configuration comes from: defaults < file < environment < `--set` < flags, each value with its place.

The file is named by `--config` and never looked for in the working directory: an agent could write one there. Values of
`OSTIARY__SECTION__KEY` and `--set section.key=value` are parsed as YAML.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from gateway.config import Config, FactsSection
from gateway.configuration.keys import config_keys
from gateway.domain.vocabulary import CAUSES, FAILURE_DEFAULTS
from gateway.errors import ConfigError

ENVIRONMENT_PREFIX = "OSTIARY__"
_MAX_DEPTH = 16
_MODELS = "facts.commands"
_NAMES_BELOW = ("packs", _MODELS)
_INDEXED = re.compile(r"\[(\d+)\]")
_TAG = "tag:yaml.org,2002:"
_SCALARS = frozenset(f"{_TAG}{name}" for name in ("null", "bool", "int", "float", "str"))
_AS_TEXT = frozenset({f"{_TAG}timestamp", f"{_TAG}value"})
"""What YAML 1.1 would make a date of, or nothing at all, is the text it looks like."""
_PATH = re.compile(r"`\$(?P<path>[^`]*)`")
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]+)`")


class Settings:
    """A tree of values under construction, with the place that set each path (`server.listen`, `modes[1].role`)."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._places: dict[str, str] = {}

    def place(self, path: str) -> str:
        """Where a path (or the nearest one above it) was set, "" where nothing set it."""
        while path and path not in self._places:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self._places.get(path, "")

    def holds(self, path: str) -> bool:
        """Whether any source set a value at a path (`modes[1].role`)."""
        value: Any = self.values
        for part in _steps(path):
            if isinstance(value, dict) and part in value:
                value = value[part]
            elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
                value = value[int(part)]
            else:
                return False
        return True

    def set(self, path: str, value: Any, place: str) -> None:
        """Set one dotted path; mappings are merged, everything else replaces."""
        parts = _split(path)
        if isinstance(value, dict) and value and ".".join(parts[:-1]) != _MODELS:
            for key, below in value.items():
                self.set(f"{path}.{key}", below, place)
            return
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
        target[parts[-1]] = value
        self.note(path, place)

    def note(self, path: str, place: str) -> None:
        """Remember the place of a path, and forget those of what it replaces."""
        for known in [name for name in self._places if name.startswith((f"{path}.", f"{path}["))]:
            del self._places[known]
        self._places[path] = place


def _split(path: str) -> list[str]:
    """The parts of a path. Below some sections there are names of rules or programs, which hold dots themselves."""
    for section in _NAMES_BELOW:
        if path.startswith(f"{section}."):
            return [*section.split("."), path.removeprefix(f"{section}.")]
    return path.split(".")


def _steps(path: str) -> list[str]:
    """The keys and indices of a path."""
    return [step for part in _split(path) for step in _INDEXED.split(part) if step]


def load(
    file: Path | None,
    environment: Mapping[str, str],
    assignments: Iterable[str] = (),
    flags: Mapping[str, Any] | None = None,
) -> Config:
    """The configuration of all sources. Raises ConfigError with path, place and remedy."""
    return convert(gather(file, environment, assignments, flags))


def gather(
    file: Path | None,
    environment: Mapping[str, str],
    assignments: Iterable[str] = (),
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """What all sources set, before it is checked. Raises ConfigError for a source that cannot be read."""
    settings = Settings()
    if file is not None:
        _read_file(settings, file)
    for name in sorted(environment):
        if name.startswith(ENVIRONMENT_PREFIX):
            place = f"the environment variable {name}"
            path = name.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
            settings.set(path, _value(environment[name], place), place)
    for assignment in assignments:
        path, separator, text = assignment.partition("=")
        if not separator or not path:
            raise ConfigError(
                f"--set {assignment!r} has no value.", number=3, remedy="Write --set section.key=value."
            )
        settings.set(path, _value(text, f"--set {path}"), f"--set {path}")
    for path, value in (flags or {}).items():
        settings.set(path, value, "the command line")
    return settings


def convert(settings: Settings) -> Config:
    """The checked configuration. Raises ConfigError with path, place and remedy."""
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
    if config.facts != FactsSection():
        _check_facts(config, settings)
    return msgspec.structs.replace(config, failure_policy={**FAILURE_DEFAULTS, **config.failure_policy})


def _check_facts(config: Config, settings: Settings) -> None:
    """Loads what knows programs, groups and roles, only where the configuration says something of them."""
    from gateway.configuration.site_facts import check_facts  # noqa: PLC0415 - loads the whole analysis
    from gateway.facts.mcp_data import mcp_data  # noqa: PLC0415 - likewise
    from gateway.facts.shell.catalogue import shipped_models  # noqa: PLC0415 - likewise

    check_facts(config, settings.place, mcp_data(), shipped_models())


def _explain(settings: Settings, message: str) -> ConfigError:
    """A validation message of msgspec, in the operator's terms: `a.b.c`, and who set it."""
    found = _PATH.search(message)
    path = _exact(settings, found.group("path").strip(".")) if found else ""
    unknown = _UNKNOWN.search(message)
    if unknown:
        name = unknown.group("name")
        path = f"{path}.{name}".strip(".")
        return ConfigError(f"{settings.place(path)}: there is no key {path}.", number=1, remedy=_meant(path))
    what = message.partition(" - at `")[0]
    return ConfigError(
        f"{settings.place(path)}: {path or 'the configuration'}: {what}.",
        number=2,
        remedy="`ostiary config explain` tells its type.",
    )


def _meant(path: str) -> str:
    """What to do about a key that does not exist: the one that looks most like it, or the list."""
    near = difflib.get_close_matches(path, [key.path for key in config_keys()], n=1, cutoff=0.7)
    return f"Did you mean {near[0]}?" if near else "`ostiary config explain` lists every key."


def _exact(settings: Settings, path: str) -> str:
    """A path with `[...]`, msgspec's word for some key of a mapping, as the path of the key that is wrong."""
    section, mark, rest = path.partition("[...]")
    if not mark or "." in section or not isinstance(settings.values.get(section), dict):
        return path.replace("[...]", "")
    for key, value in settings.values[section].items():
        try:
            msgspec.convert({section: {key: value}}, Config, strict=True)
        except msgspec.ValidationError:
            return f"{section}.{key}{rest}"
    return section


def _value(text: str, place: str) -> Any:
    if not text.strip():
        return ""
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{place} is not YAML: {error}.", number=3, remedy="Put the value in quotes."
        ) from None
    return Reader(place, None).value(node) if node is not None else ""


def _read_file(settings: Settings, file: Path) -> None:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{file} cannot be read: {error}.", number=5, remedy="Name a readable file with --config."
        ) from None
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise _not_yaml(file, text, error) from None
    if node is None:
        return
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(
            f"{file}:1: a configuration is a mapping.", number=3, remedy="Write `mode: observe`, for one."
        )
    settings.values.update(Reader(str(file), settings.note).value(node))


def _not_yaml(file: Path, text: str, error: yaml.YAMLError) -> ConfigError:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        line, problem = mark.line + 1, error.problem
    elif isinstance(error, yaml.reader.ReaderError):
        line, problem = text.count("\n", 0, error.position) + 1, error.reason
    else:
        line, problem = 1, str(error)
    return ConfigError(
        f"{file}:{line}: this is not YAML: {problem}.", number=3, remedy="Check the indentation."
    )


class Reader:
    """Values of YAML nodes, stricter than YAML: no duplicate key, no alias, no merge key, no tag of one's own.

    `note` is told the path and the `file:line` of every key; without it errors name `source` alone.
    """

    def __init__(self, source: str, note: Callable[[str, str], None] | None) -> None:
        self._source = source
        self._note = note
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, path: str = "", depth: int = 1) -> Any:
        """The value of a node. Raises ConfigError."""
        if depth > _MAX_DEPTH:
            raise self._error(node, f"nested deeper than {_MAX_DEPTH} levels", "No key is that deep.")
        if id(node) in self._seen:
            # A few nested aliases stand for gigabytes; nobody needs one here.
            raise self._error(node, "an alias stands here", "Write the value out.")
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(node.value)]
        if node.tag in _AS_TEXT:
            return node.value
        if node.tag not in _SCALARS:
            raise self._error(node, f"the tag {node.tag} is not known", "Write a plain value.")
        return yaml.constructor.SafeConstructor().construct_object(node)

    def _mapping(self, node: yaml.MappingNode, path: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
            if not key or key == "<<":
                raise self._error(key_node, "a key must be plain text", "Write `key: value`.")
            if key in found:
                raise self._error(key_node, f"{key} stands here twice", "Keep one of them.")
            below = f"{path}.{key}".strip(".")
            if self._note is not None:
                self._note(below, f"{self._source}:{key_node.start_mark.line + 1}")
            found[key] = self.value(value_node, below, depth + 1)
        return found

    def _error(self, node: yaml.Node, what: str, remedy: str) -> ConfigError:
        line = f":{node.start_mark.line + 1}" if self._note is not None else ""
        return ConfigError(f"{self._source}{line}: {what}.", number=3, remedy=remedy)


def data_dir_of(config: Config, environment: Mapping[str, str]) -> Path:
    """The data directory: as configured, relative to where the command was called, else the default."""
    return Path(config.data_dir).absolute() if config.data_dir else default_data_dir(environment)


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
