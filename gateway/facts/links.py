"""Links that the session made or that lie on the disk: which other place a path, glob or tree is behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final

from gateway.domain.remembered import file_key
from gateway.facts.groups import Shape
from gateway.facts.paths import lexically_normal

MAX_HOPS: Final = 40
"""Links followed one after the other; the kernel gives up there too (path_resolution(7))."""
_WILD: Final = frozenset("*?[")


class Links:
    """The links of one call: path to the path where it leads, both absolute and normal."""

    def __init__(self, links: Mapping[str, str]) -> None:
        self._links = [(file_key(name), target) for name, target in links.items()]

    def behind(self, path: str, shape: Shape) -> Iterator[tuple[str, Shape, bool]]:
        """Every further place: its path and shape, and whether it is touched as surely as the path itself."""
        seen = {path}
        queue = [(path, shape, True)]
        for _ in range(MAX_HOPS):
            if not queue:
                return
            at, kind, surely = queue.pop(0)
            for found in self._steps(at, kind):
                if found[0] not in seen:
                    seen.add(found[0])
                    step = (found[0], found[1], found[2] and surely)
                    queue.append(step)
                    yield step

    def _steps(self, path: str, shape: Shape) -> Iterator[tuple[str, Shape, bool]]:
        key = file_key(path)
        for name, target in self._links:
            if key == name or key.startswith(f"{name}/"):
                yield lexically_normal(target + path[len(name) :]), shape, True
            elif shape == "tree" and (key == "/" or name.startswith(f"{key}/")):
                # Whether a search in a tree follows links depends on the program and its options.
                yield target, "tree", False
            elif shape == "glob":
                yield from _matching(path, key, name, target)


def _matching(path: str, key: str, name: str, target: str) -> Iterator[tuple[str, Shape, bool]]:
    """Where a glob leads that matches a link, or something below it."""
    names, wanted = name.split("/"), key.split("/")
    if "**" in wanted[: len(names)]:
        at = wanted.index("**")
        if len(names) >= at and _alike(wanted[:at], names[:at]):
            yield target, "tree", False
        return
    if len(wanted) < len(names) or not _alike(wanted[: len(names)], names):
        return
    rest = "/".join(path.split("/")[len(names) :])
    place = f"{target}/{rest}" if rest else target
    yield lexically_normal(place), "glob" if _WILD & set(rest) else "path", True


def _alike(patterns: list[str], names: list[str]) -> bool:
    return all(fnmatchcase(name, pattern) for pattern, name in zip(patterns, names, strict=True))
