"""Path patterns: one path against many at once, and whether two patterns may stand for a common path.

A pattern is a tuple of names; `**` stands for any number of directories, `*` and `?` stay inside a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import re2

HOME = "~"
HOMES: tuple[tuple[str, ...], ...] = (
    ("home", "*"),
    ("root",),
    ("Users", "*"),
    ("var", "root"),
    ("export", "home", "*"),
)
"""Where homes are, as names of directories: a protected place is protected in everybody's home."""

_WILD = re.compile(r"[*?]")
_MAX_STEPS = 20_000


def split(path: str) -> tuple[str, ...]:
    """The names of a path or pattern, without empty ones."""
    return tuple(name for name in path.split("/") if name)


def expand_home(pattern: str, homes: Sequence[tuple[str, ...]] = HOMES) -> list[tuple[str, ...]]:
    """The patterns that `~/x` stands for, one a kind of home; others as they are."""
    if pattern == HOME or pattern.startswith(HOME + "/"):
        rest = split(pattern[1:])
        return [home + rest for home in homes]
    return [split(pattern)]


class PatternSet:
    """Many patterns as one linear-time matcher over absolute, normalised paths."""

    def __init__(self, patterns: Iterable[tuple[str, ...]]) -> None:
        self.patterns = tuple(patterns)
        sources = [_regex(pattern) for pattern in self.patterns]
        self._match = re2.compile("(?s)(?:" + "|".join(sources or ["[^\\s\\S]"]) + ")").fullmatch

    def matches(self, path: str) -> bool:
        """Whether a path is one of those the patterns stand for."""
        return self._match(path) is not None

    def may_meet(self, names: tuple[str, ...]) -> bool:
        """Whether some path that `names` (itself a pattern) stands for may match."""
        return any(may_overlap(names, pattern) for pattern in self.patterns)


def _regex(pattern: tuple[str, ...]) -> str:
    """The regular expression of a pattern; a `**` at the end needs at least one name, elsewhere it may be nothing."""
    found = ""
    for at, name in enumerate(pattern):
        if name == "**":
            found += "(?:/[^/]+)+" if at == len(pattern) - 1 else "(?:/[^/]+)*"
        else:
            found += "/" + "".join(_character(character) for character in name)
    return found or "/"


def _character(character: str) -> str:
    if character == "*":
        return "[^/]*"
    return "[^/]" if character == "?" else re.escape(character)


def may_overlap(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Whether a path may match both patterns. Never false when one does; may be true without need."""
    steps = _MAX_STEPS
    stack = [(0, 0)]
    seen: set[tuple[int, int]] = set()
    while stack:
        place = stack.pop()
        if place in seen:
            continue
        seen.add(place)
        steps -= 1
        if steps < 0:
            return True
        at, to = place
        if at == len(left) and to == len(right):
            return True
        if at < len(left) and left[at] == "**":
            stack.append((at + 1, to))
            if to < len(right):
                stack.append((at, to + 1))
            continue
        if to < len(right) and right[to] == "**":
            stack.append((at, to + 1))
            if at < len(left):
                stack.append((at + 1, to))
            continue
        if at < len(left) and to < len(right) and _names_overlap(left[at], right[to]):
            stack.append((at + 1, to + 1))
    return False


def _names_overlap(left: str, right: str) -> bool:
    if not _WILD.search(left):
        return fnmatchcase(left, right.replace("[", "[[]"))
    if not _WILD.search(right):
        return fnmatchcase(right, left.replace("[", "[[]"))
    heads = _WILD.split(left, maxsplit=1)[0], _WILD.split(right, maxsplit=1)[0]
    tails = _WILD.split(left)[-1], _WILD.split(right)[-1]
    return (heads[0].startswith(heads[1]) or heads[1].startswith(heads[0])) and (
        tails[0].endswith(tails[1]) or tails[1].endswith(tails[0])
    )
