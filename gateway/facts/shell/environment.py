"""Variables that change what later programs do: which of an assignment's values are harmless, and what the others run.

Source: Bash Reference Manual 5.2, 5.2; ld.so(8); git(1), ENVIRONMENT; the manuals of the interpreters named in the data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from gateway.facts.shell.effects import Code, Effect, Note, Run, Touch
from gateway.facts.shell.values import HOLE, Field

if TYPE_CHECKING:
    from gateway.facts.shell.context import Call
    from gateway.facts.shell.simple import Runner
    from gateway.facts.shell.walk import Walk

_HARMLESS: Final = ("", "0", "false", "true", "none", "cat", ":", "-")


class _Variables(Struct, frozen=True, forbid_unknown_fields=True):
    """The data file."""

    shell: tuple[str, ...]
    program: tuple[str, ...]
    file: tuple[str, ...]
    object: tuple[str, ...]
    search: tuple[str, ...]
    open: tuple[str, ...]
    option: Mapping[str, str]
    told: tuple[str, ...]
    secret: str


@cache
def _variables() -> _Variables:
    text = resources.files("gateway.facts.shell").joinpath("environment.yaml").read_bytes()
    return msgspec.yaml.decode(text, type=_Variables)


@cache
def _kinds() -> dict[str, str]:
    """The kind of every name that the data spells out; names with `*` stand under what comes before it."""
    data = _variables()
    kinds = dict.fromkeys(data.told, "told")
    for kind in ("option", "search", "object", "file", "program", "shell"):
        kinds |= dict.fromkeys(getattr(data, kind), kind)
    return kinds


def secret_names(names: Iterable[str]) -> tuple[str, ...]:
    """Those variables whose names say that they hold a secret."""
    return tuple(name for name in names if re.search(_variables().secret, name))


def kind_of(name: str) -> tuple[str, str]:
    """The kind of a variable and the name by which the data knows it, ("", "") for an ordinary one."""
    kinds = _kinds()
    if name in kinds:
        return kinds[name], name
    for known, kind in kinds.items():
        if known[-1] == "*" and name.startswith(known[:-1]):
            return kind, known
    return "", ""


def assigned(name: str, value: Field) -> tuple[bool, list[Effect]]:
    """Whether an assignment counts among `env_danger`, and what the value makes later programs do."""
    kind, known = kind_of(name)
    if not kind:
        return False, []
    text = value.text
    if kind == "told":
        return True, []
    if kind == "search":
        return _searched(name, text)
    if kind == "option":
        found = HOLE in text or re.search(_variables().option[known], text) is not None
        return found, [_danger(name)] if found else []
    if text.lower() in _HARMLESS:
        return False, []
    if kind == "shell":
        if HOLE in text:
            return True, [_danger(name)]
        return True, [Code(language="sh", text=Field(text.replace("%s", "")), via="argument")]
    if kind == "program":
        return True, [Run(argv=(value,), via="argument")]
    if kind == "object":
        paths = [piece for piece in re.split(r"[:\s]+", text) if piece]
        return True, [*(Touch(action="execute", path=Field(path)) for path in paths), _danger(name)]
    return True, [Touch(action="read", path=value), Touch(action="execute", path=value), _danger(name)]


def _searched(name: str, text: str) -> tuple[bool, list[Effect]]:
    """Places that stand before what the variable held: one that anybody writes to, or the working directory of `PATH`."""
    for place in text.split(":"):
        if HOLE in place:
            break
        if place.rstrip("/").startswith(_variables().open) or (name == "PATH" and place in ("", ".")):
            return True, [_danger(name)]
    return False, []


def _danger(name: str) -> Effect:
    return Note(reason=f"env_danger:{name}", dimensions=("exec",))


def assign(runner: Runner, walk: Walk, call: Call, name: str, value: Field) -> None:
    """A variable is given to the programs that run from here on."""
    runner.trace.environment[name] = value.exact
    dangerous, effects = assigned(name, value)
    if dangerous:
        runner.trace.environment_danger.setdefault(name)
    if effects:
        runner.application.apply(walk, call, effects)
