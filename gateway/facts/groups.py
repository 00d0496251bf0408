"""Path groups: which protected or everyday places a path, glob or tree stands for, for certain and perhaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Literal

import msgspec
import yaml
from msgspec import Struct

from gateway.domain.vocabulary import FILE_GROUPS, GUARDED_GROUPS
from gateway.facts.paths import folded
from gateway.facts.patterns import HOMES, PatternSet, expand_home, split

Shape = Literal["path", "glob", "tree"]
_SENTINEL = "\u0001"
_GUARDED = frozenset(GUARDED_GROUPS)


class GroupData(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One group of the data file."""

    paths: tuple[str, ...]
    excused: tuple[str, ...] = msgspec.field(default=(), name="except")


class Membership(Struct, frozen=True):
    """`groups`: every path is in these; `may`: some path may be in these, never one of `groups`."""

    groups: tuple[str, ...]
    may: tuple[str, ...]


class _Group(Struct, frozen=True):
    name: str
    guarded: bool
    paths: PatternSet
    excused: PatternSet | None


def group_data() -> dict[str, GroupData]:
    """The shipped data file."""
    text = resources.files("gateway.facts").joinpath("groups.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), dict[str, GroupData])


class PathGroups:
    """The groups of one installation: the shipped ones, with the gateway's own places added to `gateway_self`."""

    def __init__(self, data: Mapping[str, GroupData], self_paths: Iterable[str] = ()) -> None:
        own = tuple(pattern for path in self_paths for pattern in (path, f"{path}/**"))
        self._groups: list[_Group] = []
        for name in FILE_GROUPS:
            group = data[name]
            paths = group.paths + (own if name == "gateway_self" else ())
            guarded = name in _GUARDED
            excused = _compile(group.excused, guarded=False) if group.excused else None
            self._groups.append(_Group(name, guarded, _compile(paths, guarded=guarded), excused))

    def of(self, path: str, shape: Shape) -> Membership:
        """The groups of a normal absolute path; a tree stands for its root and everything below it."""
        if shape == "path":
            return Membership(self._matching(path), ())
        if shape == "tree":
            certain = set(self._matching(path)) | set(
                self._matching(f"{path.rstrip('/')}/{_SENTINEL}a/{_SENTINEL}b")
            )
            names = (*split(path), "**")
        else:
            certain = set(self._matching(_filled(path)))
            names = split(path)
        lowered = split(folded("/" + "/".join(names)))
        may = tuple(
            group.name
            for group in self._groups
            if group.name not in certain and group.paths.may_meet(lowered if group.guarded else names)
        )
        return Membership(tuple(name for name in FILE_GROUPS if name in certain), may)

    def is_system(self, directory: str) -> bool:
        """Whether a directory is a system directory, in one, or holds one."""
        lowered = split(folded(directory))
        return any(
            group.paths.matches(folded(directory)) or _begins_below(group.paths, lowered)
            for group in self._groups
            if group.name == "system"
        )

    def _matching(self, path: str) -> tuple[str, ...]:
        lowered = folded(path)
        return tuple(
            group.name
            for group in self._groups
            if group.paths.matches(lowered if group.guarded else path)
            and not (group.excused is not None and group.excused.matches(path))
        )


def _begins_below(patterns: PatternSet, directory: tuple[str, ...]) -> bool:
    """Whether the fixed beginning of a pattern lies below a directory."""
    return any(
        pattern[: len(directory)] == directory and len(pattern) > len(directory)
        for pattern in patterns.patterns
        if pattern and pattern[0] != "**"
    )


def _compile(patterns: Iterable[str], *, guarded: bool) -> PatternSet:
    found: list[tuple[str, ...]] = []
    for pattern in patterns:
        for names in expand_home(pattern, HOMES):
            kept = split(folded("/" + "/".join(names))) if guarded else names
            found.append(kept)
    return PatternSet(dict.fromkeys(found))


def _filled(glob: str) -> str:
    """One path that a glob certainly stands for, with names nobody uses in place of its wildcards."""
    names: list[str] = []
    for name in split(glob):
        if name == "**":
            names += [f"{_SENTINEL}s", f"{_SENTINEL}t"]
        else:
            names.append(name.replace("*", f"{_SENTINEL}w").replace("?", _SENTINEL))
    return "/" + "/".join(names)
