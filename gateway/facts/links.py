"""Links that the session made or that lie on the disk: which other place a path, glob or tree is behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final

from msgspec import Struct, structs

from gateway.domain.remembered import file_key
from gateway.facts.groups import Shape
from gateway.facts.paths import lexically_normal

MAX_HOPS: Final = 40
"""Links followed one after the other; the kernel gives up there too (path_resolution(7))."""
_WILD: Final = frozenset("*?[")


class Behind(Struct, frozen=True):
    """A place behind links. `surely`: touched as surely as the path before; `itself`: that path is the link, not below it."""

    path: str
    shape: Shape
    surely: bool
    itself: bool

    def allows(self, action: str) -> bool:
        """Whether an action on the path before reaches this place: links are removed themselves, and trees are searched."""
        if not self.surely:
            return action in {"read", "list"}
        return action != "delete" or not self.itself


class Links:
    """The links of one call: path to the path where it leads, both absolute and normal."""

    def __init__(self, links: Mapping[str, str]) -> None:
        self._links = [(file_key(name), target) for name, target in links.items()]

    def behind(self, path: str, shape: Shape) -> Iterator[Behind]:
        """Every further place that a path, glob or tree is behind links."""
        seen = {path}
        queue = [Behind(path, shape, surely=True, itself=False)]
        for _ in range(MAX_HOPS):
            if not queue:
                return
            before = queue.pop(0)
            for found in self._steps(before.path, before.shape):
                if found.path not in seen:
                    seen.add(found.path)
                    step = structs.replace(
                        found, surely=found.surely and before.surely, itself=found.itself or before.itself
                    )
                    queue.append(step)
                    yield step

    def _steps(self, path: str, shape: Shape) -> Iterator[Behind]:
        key = file_key(path)
        for name, target in self._links:
            if key == name or key.startswith(f"{name}/"):
                place = lexically_normal(target + path[len(name) :])
                yield Behind(place, shape, surely=True, itself=key == name)
            elif shape == "tree" and (key == "/" or name.startswith(f"{key}/")):
                # Whether a search in a tree follows links depends on the program and its options.
                yield Behind(target, "tree", surely=False, itself=False)
            elif shape == "glob":
                yield from _matching(path, key, name, target)


def _matching(path: str, key: str, name: str, target: str) -> Iterator[Behind]:
    """Where a glob leads that matches a link, or something below it."""
    names, wanted = name.split("/"), key.split("/")
    if "**" in wanted[: len(names)]:
        at = wanted.index("**")
        if len(names) >= at and _alike(wanted[:at], names[:at]):
            yield Behind(target, "tree", surely=False, itself=False)
        return
    if len(wanted) < len(names) or not _alike(wanted[: len(names)], names):
        return
    rest = "/".join(path.split("/")[len(names) :])
    place = lexically_normal(f"{target}/{rest}")
    yield Behind(place, "glob" if _WILD & set(rest) else "path", surely=True, itself=not rest)


def _alike(patterns: list[str], names: list[str]) -> bool:
    return all(fnmatchcase(name, pattern) for pattern, name in zip(patterns, names, strict=True))
