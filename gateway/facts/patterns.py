"""Path patterns: one path against many at once, and whether two patterns may stand for a common path.

A pattern is a tuple of names; `**` stands for any number of directories, `*` and `?` stay inside a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import re2
from cachetools import LRUCache

HOME = "~"
HOMES: tuple[tuple[str, ...], ...] = (
    ("home", "*"),
    ("root",),
    ("Users", "*"),
    ("var", "root"),
    ("var", "home", "*"),
    ("export", "home", "*"),
    ("mnt", "?", "Users", "*"),
    ("?", "Users", "*"),
)
"""Where homes are, as names of directories: a protected place is protected in everybody's home. The last two are how
Windows homes look from a Linux or POSIX shell on the same machine."""

_WILD = re.compile(r"[*?]")
_MAX_STEPS = 20_000
_SET_MEMORY = 16 << 20
_NONE: frozenset[str] = frozenset()


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
    """Where patterns with a common beginning part: `below` holds what is left of each that goes on from here."""

    __slots__ = ("below", "deep", "globs", "names")

    def __init__(self) -> None:
        self.names: dict[str, _Node] = {}
        self.globs: dict[str, _Node] = {}
        self.deep: _Node | None = None
        self.below: list[tuple[tuple[str, ...], str]] = []


class PatternIndex:
    """Many labelled patterns. A path is matched against all of them in one pass whose cost is that of the path."""

    def __init__(self, patterns: Iterable[tuple[tuple[str, ...], str]]) -> None:
        self._patterns = tuple(dict.fromkeys(patterns))
        self._labels = [label for _, label in self._patterns]
        self._set = _compiled(names for names, _ in self._patterns)
        self._root = _Node()
        for names, label in self._patterns:
            self._insert(names, label)
        self._last_names: LRUCache[tuple[str, str], bool] = LRUCache(maxsize=16_384)

    def find(self, path: str) -> frozenset[str]:
        """The labels of the patterns that a normal absolute path matches."""
        try:
            found = self._set.Match(path)
        except UnicodeEncodeError:
            found = None
        if found is None:
            # The set's last pattern matches everything, so this is no miss: its memory did not suffice.
            names = split(path)
            return frozenset(label for pattern, label in self._patterns if may_overlap(names, pattern))
        if len(found) == 1:
            return _NONE
        labels, last = self._labels, len(self._labels)
        return frozenset(labels[at] for at in found if at != last)

    def may_meet(self, names: tuple[str, ...]) -> frozenset[str]:
        """The labels of the patterns that some path which `names` (itself a pattern) stands for may match."""
        at = 0
        active = _closure([self._root])
        while at < len(names) and not _WILD.search(names[at]):
            active = _closure(_step(active, names[at]))
            at += 1
        rest = names[at:]
        found: set[str] = set()
        for node in active:
            for pattern, label in node.below:
                if label not in found and self._may_overlap(rest, pattern):
                    found.add(label)
        return frozenset(found)

    def begins_below(self, directory: tuple[str, ...], label: str) -> bool:
        """Whether the fixed beginning of a pattern with a label lies below a directory."""
        return any(
            names[: len(directory)] == directory and len(names) > len(directory)
            for names, own in self._patterns
            if own == label and names and names[0] != "**"
        )

    def _may_overlap(self, left: tuple[str, ...], right: tuple[str, ...]) -> bool:
        """`may_overlap`, for which most pairs are told apart by their last names."""
        if left and right and left[-1] != "**" and right[-1] != "**":
            key = (left[-1], right[-1])
            overlap = self._last_names.get(key)
            if overlap is None:
                overlap = self._last_names[key] = _names_overlap(*key)
            if not overlap:
                return False
        return may_overlap(left, right)

    def _insert(self, names: tuple[str, ...], label: str) -> None:
        node = self._root
        for at, name in enumerate(names):
            if name == "**":
                if node.deep is None:
                    node.deep = _Node()
                    node.deep.deep = node.deep
                node = node.deep
                node.below.append((names[at:], label))
                continue
            if at == 0 or names[at - 1] != "**":
                node.below.append((names[at:], label))
            branches = node.globs if _WILD.search(name) else node.names
            node = branches.setdefault(name, _Node())
        if names and names[-1] != "**":
            node.below.append(((), label))


def _compiled(patterns: Iterable[tuple[str, ...]]) -> re2.Set:
    """All patterns as one automaton, and one that matches everything, so that a failure differs from a miss."""
    options = re2.Options()
    options.max_mem = _SET_MEMORY
    options.log_errors = False
    compiled = re2.Set.FullMatchSet(options)
    for names in patterns:
        compiled.Add("".join(_expression(names)))
    compiled.Add(r"(?s).*")
    compiled.Compile()
    return compiled


def _expression(names: tuple[str, ...]) -> Iterable[str]:
    for at, name in enumerate(names):
        if name == "**":
            yield "(?:/[^/]+)+" if at == len(names) - 1 else "(?:/[^/]+)*"
        else:
            # `escape` puts a backslash before `*` and `?`, which stand for characters of a name.
            yield "/" + re.escape(name).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")


def _step(nodes: list[_Node], name: str) -> list[_Node]:
    following: list[_Node] = []
    for node in nodes:
        child = node.names.get(name)
        if child is not None:
            following.append(child)
        following += [
            child for glob, child in node.globs.items() if fnmatchcase(name, glob.replace("[", "[[]"))
        ]
        if node.deep is node:
            following.append(node)
    return following


def _closure(nodes: list[_Node]) -> list[_Node]:
    """The states, and those that a `**` reaches without a name. Each stands once, so that no path makes it grow."""
    found = dict.fromkeys(nodes)
    for node in nodes:
        if node.deep is not None:
            found.setdefault(node.deep)
    return list(found)


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
