"""Path groups: which protected or everyday places a path, glob or tree stands for, for certain and perhaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from typing import Literal

import msgspec
import yaml
from cachetools import LRUCache
from msgspec import Struct

from gateway.domain.vocabulary import FILE_GROUPS, GUARDED_GROUPS
from gateway.facts.names_in_text import NamesInText
from gateway.facts.paths import folded, without_drive
from gateway.facts.patterns import HOMES, PatternIndex, expand_home, may_overlap, split

Shape = Literal["path", "glob", "tree"]
_SENTINEL = "\u0001"
_WHOLE = frozenset({"regenerable"})
"""Everyday groups that a directory takes everything below it into: what makes it again makes that too."""
_HOME_OF_PATTERNS = "/home/~"


class GroupData(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One group of the data file."""

    paths: tuple[str, ...]
    excused: tuple[str, ...] = msgspec.field(default=(), name="except")


class Membership(Struct, frozen=True):
    """`groups`: every path is in these; `may`: some path may be in these, never one of `groups`."""

    groups: tuple[str, ...]
    may: tuple[str, ...]


_NOWHERE = Membership((), ())
_NO_PLACES = GroupData(paths=())


def group_data() -> dict[str, GroupData]:
    """The shipped data file."""
    text = resources.files("gateway.facts").joinpath("groups.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), dict[str, GroupData])


class PathGroups:
    """The groups of one installation: the shipped ones, with the gateway's own places added to `gateway_self`.

    `added` are patterns by group, further groups among them, which are guarded. They add places and excuse none.
    """

    def __init__(
        self,
        data: Mapping[str, GroupData],
        self_paths: Iterable[str] = (),
        homes: Iterable[str] = (),
        added: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        further = dict(added or {})
        own = tuple(pattern for path in self_paths for pattern in (path, f"{path}/**"))
        further["gateway_self"] = (*further.get("gateway_self", ()), *own)
        self._order = (*FILE_GROUPS, *(name for name in further if name not in FILE_GROUPS))
        self.guarded = frozenset((*GUARDED_GROUPS, *self._order[len(FILE_GROUPS) :]))
        """Groups whose every place counts, however it is spelled."""
        places = (*HOMES, *(split(home) for home in homes))
        guarded: list[tuple[tuple[str, ...], str]] = []
        everyday: list[tuple[tuple[str, ...], str]] = []
        excused: list[tuple[tuple[str, ...], str]] = []
        for name in self._order:
            shipped = data.get(name, _NO_PLACES)
            paths = (*shipped.paths, *further.get(name, ()))
            for names in _expanded(paths, places):
                if name in self.guarded:
                    guarded.append((split(folded("/" + "/".join(names))), name))
                else:
                    everyday.append((names, name))
            excused += [(names, name) for names in _expanded(shipped.excused, places)]
        named = [
            (split(folded("/" + "/".join(names))), name)
            for name, patterns in further.items()
            if name in self.guarded
            for names in _expanded(patterns, places)
        ]
        # What the operator names is excused by nothing that is shipped.
        self._added = PatternIndex(named)
        self._homes = places
        self._guarded = PatternIndex(guarded)
        self._names = NamesInText(names for names, _ in guarded)
        self._everyday = PatternIndex(everyday)
        self._all = PatternIndex([*guarded, *everyday])
        self._excused = PatternIndex(excused)
        self._patterns: LRUCache[tuple[str, str], Membership] = LRUCache(maxsize=4096)

    def of(self, path: str, shape: Shape) -> Membership:
        """The groups of a normal absolute path; a tree stands for its root and everything below it.

        A tree is in a guarded group when its root is, in an everyday one only when everything below is (or is made again).
        """
        if shape == "path":
            found = self._matching(path)
            return Membership(self._ordered(found), ()) if found else _NOWHERE
        known = self._patterns.get((path, shape))
        if known is None:
            known = self._patterns[path, shape] = self._of_many(without_drive(path), shape)
        return known

    def mentioned(self, words: Iterable[str]) -> Iterator[str]:
        """The words that have a name of a guarded place in them, and may so be paths of one. Linear in the words."""
        by_folded: dict[str, str] = {}
        for word in words:
            lowered = word.lower() if word.isascii() else folded(word)
            by_folded.setdefault(lowered.replace("\n", " "), word)
        for found in self._names.lines("\n".join(by_folded)):
            yield by_folded[found]

    def under_home(self, path: str, shape: Shape, home: str) -> Membership:
        """The guarded groups of a path if `home`, which the client claims, is one; a claim adds places and excuses none."""
        if not home or home == "/" or not (path == home or path.startswith(home + "/")):
            return _NOWHERE
        found = self.of(_HOME_OF_PATTERNS + path[len(home) :], shape)
        return Membership(
            tuple(name for name in found.groups if name in self.guarded),
            tuple(name for name in found.may if name in self.guarded),
        )

    def is_system(self, directory: str) -> bool:
        """Whether a directory is a system directory or in one."""
        return "system" in self._guarded.find(folded(directory)) - self._excused.find(directory)

    def holds_system(self, directory: str) -> bool:
        """Whether a system directory lies below a directory."""
        return self._guarded.begins_below(split(folded(directory)), "system")

    def holds_home(self, directory: str) -> bool:
        """Whether a directory is a home or has homes below it."""
        names = (*split(without_drive(directory)), "**")
        return any(may_overlap(names, home) for home in self._homes)

    def _of_many(self, path: str, shape: Shape) -> Membership:
        if shape == "tree":
            below = self._matching(f"{path.rstrip('/')}/{_SENTINEL}a/{_SENTINEL}b")
            certain = (self._matching(path) & (self.guarded | _WHOLE)) | below
            names = (*split(path), "**")
        else:
            certain = self._matching(_filled(path))
            if path.endswith("/**"):
                certain |= self._matching(_filled(path[:-3])) & _WHOLE
            names = split(path)
        lowered = split(folded("/" + "/".join(names)))
        may = self._guarded.may_meet(lowered) | self._everyday.may_meet(names)
        return Membership(self._ordered(certain), self._ordered(may - certain))

    def _matching(self, path: str) -> frozenset[str]:
        if path[2:3] == ":":
            path = without_drive(path)
        lowered = folded(path)
        if lowered == path:
            found = self._all.find(path)
        else:
            found = self._guarded.find(lowered) | self._everyday.find(path)
        return found - self._excused.find(path) | self._added.find(lowered) if found else found

    def _ordered(self, names: frozenset[str]) -> tuple[str, ...]:
        return tuple(name for name in self._order if name in names) if names else ()


def _expanded(patterns: Iterable[str], homes: tuple[tuple[str, ...], ...]) -> list[tuple[str, ...]]:
    return [names for pattern in patterns for names in expand_home(pattern, homes)]


def _filled(glob: str) -> str:
    """One path that a glob certainly stands for, with names nobody uses in place of its wildcards."""
    names: list[str] = []
    for name in split(glob):
        if name == "**":
            names += [f"{_SENTINEL}s", f"{_SENTINEL}t"]
        else:
            names.append(name.replace("*", f"{_SENTINEL}w").replace("?", _SENTINEL))
    return "/" + "/".join(names)
