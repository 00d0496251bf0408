"""Posture: whether the governed user could change what governs him. Detected and stated, never assumed.

`held`: process, configuration, policies, keys and data belong to a user no governed agent runs as. `advisory`: they do not,
and everything the gateway says is advice to an agent that could stop it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from gateway.domain.vocabulary import Posture


class Judgement(Struct, frozen=True):
    """The posture and why it is not better."""

    posture: Posture
    reasons: tuple[str, ...]


def judge(places: Iterable[Path], *, own_uid: int, uses_default_principal: bool) -> Judgement:
    """The posture of an installation. `places` are files and directories that must be out of an agent's reach."""
    reasons: list[str] = []
    if uses_default_principal:
        reasons.append("The default principal is in use: agents run as the gateway's own user.")
    for place in places:
        reasons += _writable_by_others(place, own_uid)
    return Judgement("advisory" if reasons else "held", tuple(dict.fromkeys(reasons)))


def _writable_by_others(place: Path, own_uid: int) -> list[str]:
    """Who beside the gateway's user and root could change a place, or replace it through a directory above."""
    found: list[str] = []
    real = Path(os.path.realpath(place))
    for path in (real, *real.parents):
        try:
            status = path.stat()
        except OSError:
            continue
        if status.st_uid not in {0, own_uid}:
            found.append(f"{path} belongs to user {status.st_uid}.")
        if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
            found.append(f"{path} may be written by everybody.")
        elif status.st_mode & stat.S_IWGRP and status.st_gid != 0 and not status.st_mode & stat.S_ISVTX:
            found.append(f"{path} may be written by group {status.st_gid}.")
    return found
