"""What a command leaves behind that runs again by itself: schedules, services, start-up files, hooks.

Source: crontab(5), systemd.unit(5), launchd.plist(5), bash(1) FILES, githooks(5), sshd(8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from gateway.facts.shell.trace import CommandFact, Trace


class _Way(Struct, frozen=True, forbid_unknown_fields=True):
    """One way of the data file: programs that are it, verbs of others, and patterns of the files it stands in."""

    programs: tuple[str, ...] = ()
    verbs: Mapping[str, tuple[str, ...]] = {}
    paths: tuple[str, ...] = ()


@cache
def _ways() -> tuple[tuple[str, _Way, re.Pattern[str] | None], ...]:
    text = resources.files("gateway.facts.shell").joinpath("persistence.yaml").read_bytes()
    ways = msgspec.yaml.decode(text, type=dict[str, _Way])
    return tuple(
        (name, way, re.compile("|".join(way.paths)) if way.paths else None) for name, way in ways.items()
    )


def persistence_of(trace: Trace) -> list[str]:
    """The ways of `persistence[]` (shell-facts schema), sorted; a listing such as `crontab -l` is none."""
    writes = list(trace.paths["write"])
    lasting = [
        fact
        for fact in trace.commands
        if "persistence" in fact.traits or fact.name in ("systemctl", "launchctl")
    ]
    return sorted(
        name
        for name, way, pattern in _ways()
        if any(_is(fact, way) for fact in lasting)
        or (pattern is not None and any(pattern.search(path) for path in writes))
    )


def _is(fact: CommandFact, way: _Way) -> bool:
    """Whether a command is this way: by its name, or by a verb among its words."""
    if fact.name in way.programs:
        return True
    verbs = way.verbs.get(fact.name, ())
    return any(word in verbs for word in fact.argv if word)
