"""Holds the facts of a script against what bash was seen to do: nothing may happen that is neither in the facts nor unknown."""

from __future__ import annotations

import fnmatch
from typing import Any

from tests.facts.shell.sandbox import Observed, Ran


def missed(observed: Observed, found: dict[str, Any]) -> list[str]:
    """What bash did and the facts neither say nor leave open, in words. `found` is the public form of the facts."""
    unknown = found["unknown"]
    wrong: list[str] = []
    if not unknown["exec"] and found["parsed"]:
        wrong += [
            f"ran unseen: {one.name} {list(one.arguments)} in {one.directory}"
            for one in observed.programs
            if not any(_is(one, command) for command in found["commands"])
        ]
    if not unknown["write"]:
        wrong += [
            f"written unseen: {path}"
            for path in sorted(observed.written)
            if not covered(path, found["writes"])
        ]
    if not unknown["read"]:
        wrong += [
            f"read unseen: {path}" for path in sorted(observed.read) if not covered(path, found["reads"])
        ]
    return wrong


def _is(one: Ran, command: dict[str, Any]) -> bool:
    """Whether a recorded program may be this command of the facts."""
    if command["name"] != one.name:
        return False
    if command["cwd"] and one.directory not in command["cwd"]:
        return False
    return _matches(list(one.arguments), command["argv"][1:])


def _matches(arguments: list[str], expected: list[str | None]) -> bool:
    """Whether arguments are as expected; an unknown one (None) may stand for any number of them."""
    reachable = {0}
    for one in expected:
        if one is None:
            reachable = set(range(min(reachable), len(arguments) + 1))
        else:
            reachable = {at + 1 for at in reachable if at < len(arguments) and arguments[at] == one}
        if not reachable:
            return False
    return len(arguments) in reachable


def covered(path: str, known: list[str]) -> bool:
    """Whether a path is among paths, globs and trees."""
    return any(
        path == one
        or fnmatch.fnmatchcase(path, one)
        or (one.endswith("/**") and f"{path}/".startswith(one[:-2]))
        for one in known
    )
