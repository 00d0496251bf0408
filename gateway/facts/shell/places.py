"""Paths as a command names them, resolved against the directories it may stand in; everything is lexical.

Nothing here touches the gateway's disk. A path with unknown characters stands for everything below the part that is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from gateway.facts.shell.values import HOLE, Field

_PROC: Final = re.compile(r"/proc/(?:self|thread-self|[0-9]+|\*)(?:/task/[^/]+)?/(?P<kind>root|cwd)(?=/|$)")
_DESCRIPTOR: Final = re.compile(r"/(?:dev|proc/(?:self|[0-9]+|thread-self))/fd/(?P<number>[0-9]+)$")
MAX_LINKS: Final = 16


class Place(Struct, frozen=True):
    """One absolute, lexically normal path. `exact` is False for a path that only may be meant."""

    path: str
    exact: bool = True


def normal(path: str, directory: str | None = None) -> str:
    """The lexically normal form of an absolute path: no `//`, `.`, `..` or trailing slash.

    `..` in `/proc/self/cwd` and its like is the directory above the one that the link leads to; `directory` is the working one.
    """
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if parts == ["dev", "fd"]:
                parts = ["proc", "self"]
            elif parts and parts[0] == "proc":
                parts = fold_proc("/" + "/".join(parts), directory).split("/")[1:-1]
            elif parts:
                parts.pop()
        elif part and part != ".":
            parts.append(part)
    return "/" + "/".join(parts)


def fold_proc(path: str, directory: str | None) -> str:
    """`/proc/self/root` is the root, `/proc/self/cwd` the working directory."""
    while True:
        found = _PROC.match(path)
        if found is None:
            return path
        base = "/" if found["kind"] == "root" else directory or "/"
        path = normal(f"{base}/{path[found.end() :]}")


def descriptor_of(path: str) -> int | None:
    """The file descriptor that a path such as `/dev/fd/3` or `/dev/stdin` stands for."""
    found = _DESCRIPTOR.match(path)
    if found:
        return int(found["number"])
    return {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}.get(path)


def resolve(
    field: Field, directories: tuple[str, ...] | None, links: Mapping[str, str]
) -> list[Place] | None:
    """The absolute places that a field may mean, None when nothing of it is known.

    The first working directory is the one that holds when every `cd` worked; the others are only possible.
    """
    text, hole = field.text, False
    if HOLE in text:
        # Unknown characters may be `..`: only what lies before the last slash in front of them is sure.
        known = text[: text.index(HOLE)]
        text = known[: known.rfind("/") + 1]
        hole = True
        if not text:
            return None
    if text.startswith("/"):
        absolute = [Place(normal(text, directories[0] if directories else None))]
    elif directories is None:
        return None
    else:
        absolute = [
            Place(normal(f"{directory}/{text}"), exact=position == 0)
            for position, directory in enumerate(directories)
        ]
    found: list[Place] = []
    for place in absolute:
        path = fold_proc(place.path, directories[0] if directories else None)
        for candidate in follow(path, links):
            if hole:
                found.append(Place("/**" if candidate == "/" else f"{candidate}/**", exact=False))
            else:
                found.append(Place(candidate, place.exact))
    return found


def follow(path: str, links: Mapping[str, str]) -> list[str]:
    """The path, and where links that the script made lead it."""
    found = [path]
    for _ in range(MAX_LINKS):
        path = found[-1]
        link = next((name for name in links if path == name or path.startswith(f"{name}/")), None)
        if link is None:
            break
        target = normal(links[link] + path[len(link) :])
        if target in found:
            break
        found.append(target)
    return found


def tree_of(path: str) -> str:
    """Everything below a path, and it."""
    return path if path.endswith("/**") else "/**" if path == "/" else f"{path}/**"
