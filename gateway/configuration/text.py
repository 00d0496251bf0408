"""A configuration as a commented file, and as values with where each comes from. Text only: files are the caller's."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import yaml
from msgspec import Struct

from gateway.config import Config
from gateway.configuration.keys import LIST_ITEM, NAMED, Key, config_keys
from gateway.configuration.sources import Settings

DEFAULT = "default"
_WIDTH = 100
_INDENT = "  "
_SHOWN_OF_A_HASH = len("sha256:") + 8
_USER_INFO = re.compile(r"(?<=//)[^/@\s]*@")


class Value(Struct, frozen=True, kw_only=True):
    """One value that is in force, as it may be shown, and who set it."""

    path: str
    value: Any
    origin: str


def values_in_force(config: Config, settings: Settings) -> tuple[Value, ...]:
    """Every value with its origin; what is secret is not among them."""
    plain = msgspec.to_builtins(config)
    return tuple(_values(plain, settings, config_keys()))


def _values(plain: Mapping[str, Any], settings: Settings, keys: tuple[Key, ...]) -> Iterator[Value]:
    for key in keys:
        if key.section or key.repeated:
            continue
        value = _at(plain, key.path)
        if isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
            for number, item in enumerate(value):
                for name, inner in item.items():
                    path = f"{key.path}[{number}].{name}"
                    yield Value(path=path, value=_shown(path, inner), origin=_origin(settings, path))
        elif isinstance(value, dict) and value:
            for name, inner in value.items():
                path = f"{key.path}.{name}"
                yield Value(path=path, value=_shown(path, inner), origin=_origin(settings, path))
        else:
            yield Value(path=key.path, value=_shown(key.path, value), origin=_origin(settings, key.path))


def _at(plain: Mapping[str, Any], path: str) -> Any:
    value: Any = plain
    for part in path.split("."):
        value = value[part]
    return list(value) if isinstance(value, tuple) else value


def _origin(settings: Settings, path: str) -> str:
    """Where a value was set; a section that was set says nothing about keys that it does not hold."""
    return settings.place(path) if settings.holds(path) else DEFAULT


def _shown(path: str, value: Any) -> Any:
    """The value without what must not be shown: a hash identifies a token to whoever tries tokens against it."""
    if path.endswith("].hash") and isinstance(value, str):
        return f"{value[:_SHOWN_OF_A_HASH]}…"
    if isinstance(value, str):
        return _USER_INFO.sub("…@", value)
    return list(value) if isinstance(value, tuple) else value


def commented_file(config: Config, program: str) -> str:
    """A file that sets exactly what is in force, every key with what it does. Reading it gives an equal configuration."""
    plain = msgspec.to_builtins(config)
    head = (
        f"Ostiary's configuration, as it was in force when this was written. Use it with `{program} serve --config FILE`. "
        f"`{program} config explain KEY` tells more about a key. Later sources win over this file: OSTIARY__SECTION__KEY in "
        "the environment, --set section.key=value, flags."
    )
    lines = [*_comment(head, ""), ""]
    for key in config_keys():
        if key.repeated:
            continue
        above, _, name = key.path.rpartition(".")
        indent = _INDENT * key.path.count(".")
        if not above:
            lines.append("")
        lines += _comment(_told(key), indent)
        if key.section:
            lines.append(f"{indent}{name}:")
        else:
            lines += _assignment(name, _at(plain, key.path), indent)
    return "\n".join(lines) + "\n"


def reference() -> str:
    """Every key as Markdown, those without a section first: docs/configuration.md ends with this text."""
    heads: dict[str, list[str]] = {"": []}
    rows: dict[str, list[str]] = {"": []}
    for key in config_keys():
        if key.section or key.type.endswith(" sections"):
            inner = key.path + {"list of sections": LIST_ITEM, "mapping to sections": f".{NAMED}"}.get(
                key.type, ""
            )
            default = "" if key.section else f" Default: {_code(_flow(key.default))}."
            heads[inner] = ["", f"## `{inner}`", "", f"{_flat(key.text)}{default}"]
            rows[inner] = []
            continue
        default = "required" if key.required else _code(_flow(key.default))
        section, _, name = key.path.rpartition(".")
        cells = (f"`{name}`", _cell(key.type), _cell(default), _cell(_flat(key.text)))
        rows[section].append(f"| {' | '.join(cells)} |")
    lines: list[str] = []
    for section, head in heads.items():
        lines += head
        if rows[section]:
            lines += ["", "| key | type | default | what it does |", "|---|---|---|---|", *rows[section]]
    return "\n".join(lines).strip() + "\n"


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _flat(text: str) -> str:
    return text.replace("\n", " ")


def _told(key: Key) -> str:
    """What a key does, and what it can be."""
    text = key.text.replace("\n", " ")
    if key.section or key.type.endswith(" sections"):
        return text
    return f"{text.removesuffix('.')} ({key.type})." if text else f"{key.type}."


def _comment(text: str, indent: str) -> list[str]:
    prefix = f"{indent}# "
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=prefix,
        subsequent_indent=prefix,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _assignment(name: str, value: Any, indent: str) -> list[str]:
    if value is None:
        return [f"{indent}# {name}:"]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [f"{indent}{name}:", *(f"{indent}- {_flow(item)}" for item in value)]
    if isinstance(value, dict) and value:
        return [
            f"{indent}{name}:",
            *(f"{indent}{_INDENT}{_flow(key)}: {_flow(inner)}" for key, inner in value.items()),
        ]
    return [f"{indent}{name}: {_flow(value)}"]


def _flow(value: Any) -> str:
    """A value in one line of YAML."""
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.dump(
        plain, Dumper=_Plain, default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True
    )
    return str(text).removesuffix("\n").removesuffix("\n...")


class _Plain(yaml.SafeDumper):
    """Writes tuples as lists and never an anchor, which the reader refuses."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Every value is written out."""
        return True


_Plain.add_representer(tuple, lambda dumper, data: dumper.represent_list(list(data)))
