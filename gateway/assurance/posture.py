"""Posture: whether the governed user could change what governs him. Detected and stated, never assumed.

`held`: process, configuration, policies, keys and data belong to a user no governed agent runs as. `advisory`: they do not,
and everything the gateway says is advice to an agent that could stop it.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from gateway.domain.vocabulary import Posture

_MOST_LINKS = 40
_UNREADABLE = "cannot be looked at"


class Judgement(Struct, frozen=True):
    """The posture and why it is not better."""

    posture: Posture
    reasons: tuple[str, ...]


def judge(places: Iterable[Path], *, own_uid: int, uses_default_principal: bool) -> Judgement:
    """The posture of an installation. `places` are files and directories that must be out of an agent's reach.

    A place is out of reach when nobody but root and the gateway's user can write it, anything in it, or any directory
    through which it is reached, symbolic links followed on the way. A place that does not exist yet is judged by where it
    would be made.
    """
    reasons: list[str] = []
    if uses_default_principal:
        reasons.append("The default principal is in use: agents run as the gateway's own user.")
    for place in places:
        reasons += _reached(place, own_uid)
    return Judgement("advisory" if reasons else "held", tuple(dict.fromkeys(reasons)))


def _reached(place: Path, own_uid: int) -> Iterator[str]:
    """Who beside the gateway's user and root could change a place, its content, or the way to it."""
    way = list(_way(place.absolute()))
    last, there = way[-1][0], os.path.lexists(place)
    for path, status in way:
        yield from _writable(path, status, own_uid, passing=path != last or not there)
    if there and last.is_dir():
        yield from _content(last, own_uid)


def _content(directory: Path, own_uid: int) -> Iterator[str]:
    for folder, names, files in os.walk(directory):
        for name in (*names, *files):
            path = Path(folder) / name
            status = _look(path)
            if isinstance(status, os.stat_result) and stat.S_ISLNK(status.st_mode):
                yield from _reached(path, own_uid)
            elif status is not None:
                yield from _writable(path, status, own_uid, passing=False)


def _way(place: Path) -> Iterator[tuple[Path, os.stat_result | str]]:
    """Every file and directory on the way to a place, the targets of links included; ends where nothing exists."""
    here = Path("/")
    left = list(place.parts[1:])
    links = 0
    yield here, here.lstat()
    while left:
        part = left.pop(0)
        if part == "..":
            here = here.parent
            continue
        path = here / part
        status = _look(path)
        if status is None:
            return
        if isinstance(status, os.stat_result) and stat.S_ISLNK(status.st_mode):
            links += 1
            if links > _MOST_LINKS:
                yield path, "is a circle of links"
                return
            target = path.readlink()
            left = [*(target.parts[1:] if target.is_absolute() else target.parts), *left]
            here = Path("/") if target.is_absolute() else here
            continue
        yield path, status
        here = path


def _look(path: Path) -> os.stat_result | str | None:
    """What lies there; None for nothing, a sentence's end for what cannot be looked at."""
    try:
        return path.lstat()
    except OSError as error:
        return None if error.errno == errno.ENOENT else _UNREADABLE


def _writable(path: Path, status: os.stat_result | str, own_uid: int, *, passing: bool) -> Iterator[str]:
    """Who else may write a path. In a sticky directory that is only passed through, nobody can replace what is ours."""
    if isinstance(status, str):
        yield f"{path} {status}."
        return
    mode = stat.S_IMODE(status.st_mode)
    named = f"{path} (owner {_user(status.st_uid)}, mode {mode:04o})"
    if status.st_uid not in {0, own_uid}:
        yield f"{named} belongs to another user."
    if passing and mode & stat.S_ISVTX:
        return
    if mode & stat.S_IWOTH:
        yield f"{named} may be written by everybody."
    elif mode & stat.S_IWGRP:
        yield f"{named} may be written by group {status.st_gid}."


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
