"""Symbolic links on the disk that client and gateway share: which of a call's paths lead through one, and where.

Every part of a path is looked at with lstat(2) and readlink(2), nothing is opened. Looking is bounded by steps; the clock is
only the last resort against a file system that hangs.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from gateway.domain.operations import Analysis

MAX_STEPS: Final = 2000
"""Looks at the disk for one call."""
DEADLINE_SECONDS: Final = 0.5
_MAX_ENTRIES: Final = 512
_MAX_HOPS: Final = 40
_WILD: Final = frozenset("*?[")


class DiskLinks:
    """Looks links up in threads of its own, so that a file system that hangs holds up nothing else."""

    def __init__(self, threads: int = 2) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="links")

    async def look_up(self, analysis: Analysis) -> Mapping[str, str] | None:
        """The links on the way to the paths of an analysis, path to target; None when it took too long."""
        paths = [item.attr["path"] for item in analysis.operations if item.kind == "file"]
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await loop.run_in_executor(self._pool, links_on_the_way, tuple(dict.fromkeys(paths)))
        except TimeoutError:
            return None

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def links_on_the_way(paths: Iterable[str]) -> dict[str, str] | None:
    """The links that the paths lead through, each with the absolute path where it leads; None beyond `MAX_STEPS`.

    Links behind links are found too. In a directory whose names a glob tells, every matching name is looked at.
    """
    look = _Look()
    try:
        for path in paths:
            look.follow(path, 0)
    except _TooManyStepsError:
        return None
    return look.links


class _TooManyStepsError(Exception):
    """One call names more places than are looked at."""


class _Look:
    def __init__(self) -> None:
        self.links: dict[str, str] = {}
        self._plain: set[str] = set()
        self._steps = MAX_STEPS

    def follow(self, path: str, hops: int) -> None:
        """Look at every directory of a path, and at the path."""
        if "\0" in path or hops > _MAX_HOPS:
            return
        names = path.split("/")[1:]
        at = ""
        for position, name in enumerate(names):
            if name == "**":
                return
            rest = names[position + 1 :]
            if _WILD & set(name):
                for entry in self._matching(at or "/", name):
                    self.follow("/".join([f"{at}/{entry}", *rest]), hops + 1)
                return
            at = f"{at}/{name}"
            target = self._target(at)
            if target is not None:
                self.follow("/".join([target, *rest]), hops + 1)
                return
            if at not in self._plain:
                return

    def _target(self, path: str) -> str | None:
        """Where a link leads, None for what is none; what is there and is none is remembered as plain."""
        if path in self.links:
            return self.links[path]
        if path in self._plain:
            return None
        self._step()
        try:
            if not stat.S_ISLNK(os.lstat(path).st_mode):
                self._plain.add(path)
                return None
            target = Path(path).parent / Path(path).readlink()
        except (OSError, ValueError):
            # What is not there, or not for us to see, leads nowhere that we could tell.
            return None
        self.links[path] = os.path.normpath(target)
        return self.links[path]

    def _matching(self, directory: str, pattern: str) -> list[str]:
        found = []
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    self._step()
                    if fnmatchcase(entry.name, pattern):
                        found.append(entry.name)
                        if len(found) >= _MAX_ENTRIES:
                            break
        except (OSError, ValueError):
            return []
        return found

    def _step(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise _TooManyStepsError
