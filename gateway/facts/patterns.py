"""Path patterns: one path against many at once, and whether two patterns may stand for a common path.

A pattern is a tuple of names; `**` stands for any number of directories, `*` and `?` stay inside a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

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


class _Node:
    """A state of the index: names lead on, `deep` is where a `**` from here stays."""

    __slots__ = ("any_glob", "deep", "ends", "globs", "names")

    def __init__(self) -> None:
        self.names: dict[str, _Node] = {}
        self.globs: list[tuple[re.Pattern[str], _Node]] = []
        self.any_glob: re.Pattern[str] | None = None
        self.deep: _Node | None = None
        self.ends: set[str] = set()


class PatternIndex:
    """Many labelled patterns, matched against a path in one walk whose cost is that of the path, not of the patterns."""

    def __init__(self, patterns: Iterable[tuple[tuple[str, ...], str]]) -> None:
        self._patterns = tuple(dict.fromkeys(patterns))
        self._root = _Node()
        for names, label in self._patterns:
            self._insert(names, label)
        self._seal(self._root)

    def find(self, path: str) -> frozenset[str]:
        """The labels of the patterns that a normal absolute path matches."""
        names = split(path)
        last = len(names) - 1
        found: set[str] = set()
        active = _closure([self._root])
        for at, name in enumerate(names):
            following: list[_Node] = []
            for node in active:
                child = node.names.get(name)
                if child is not None:
                    following.append(child)
                if node.any_glob is not None and node.any_glob.fullmatch(name):
                    following.extend(child for glob, child in node.globs if glob.fullmatch(name))
                if node.deep is node:
                    following.append(node)
            if at == last:
                for node in following:
                    found |= node.ends
                break
            active = _closure(following)
            if not active:
                break
        return frozenset(found)

    def may_meet(self, names: tuple[str, ...]) -> frozenset[str]:
        """The labels of the patterns that some path which `names` (itself a pattern) stands for may match."""
        found: set[str] = set()
        for pattern, label in self._patterns:
            if label not in found and may_overlap(names, pattern):
                found.add(label)
        return frozenset(found)

    def begins_below(self, directory: tuple[str, ...], label: str) -> bool:
        """Whether the fixed beginning of a pattern with a label lies below a directory."""
        return any(
            names[: len(directory)] == directory and len(names) > len(directory)
            for names, own in self._patterns
            if own == label and names and names[0] != "**"
        )

    def _insert(self, names: tuple[str, ...], label: str) -> None:
        node = self._root
        for name in names:
            if name == "**":
                if node.deep is None:
                    node.deep = _Node()
                    node.deep.deep = node.deep
                node = node.deep
            elif _WILD.search(name):
                pattern = re.compile("".join(_character(character) for character in name))
                kept = next((child for glob, child in node.globs if glob.pattern == pattern.pattern), None)
                if kept is None:
                    kept = _Node()
                    node.globs.append((pattern, kept))
                node = kept
            else:
                node = node.names.setdefault(name, _Node())
        node.ends.add(label)

    def _seal(self, node: _Node) -> None:
        """One expression for all globs of a state: most names match none, which one look then tells."""
        if node.globs:
            node.any_glob = re.compile("|".join(glob.pattern for glob, _ in node.globs))
        below = [*node.names.values(), *(child for _, child in node.globs)]
        if node.deep is not None and node.deep is not node:
            below.append(node.deep)
        for child in below:
            self._seal(child)


def _closure(nodes: list[_Node]) -> list[_Node]:
    """The states, and those that a `**` reaches without a name. Each stands once, so that no path makes it grow."""
    found = dict.fromkeys(nodes)
    for node in nodes:
        if node.deep is not None:
            found.setdefault(node.deep)
    return list(found)


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
