"""Notices that files changed, without reading them: name, size and time, looked at every second."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

Seen = tuple[tuple[str, int, int], ...]
"""Of each file: name, size, time of change."""

SECONDS = 1.0


class FileWatch:
    """What files and directories looked like when they were last read."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(roots)
        self._known = look(self._roots)

    def note(self) -> None:
        """Take what is there now as known. To be called before the files are read, so that nothing is missed."""
        self._known = look(self._roots)

    async def run(self, changed: Callable[[], Awaitable[None]], seconds: float = SECONDS) -> None:
        """Await `changed` whenever a file came, went or changed, and all then stayed the same from one look to the next.

        Files are copied one by one: half of a set is not to be put in force. Ends when it is cancelled.
        """
        before = self._known
        while True:
            await asyncio.sleep(seconds)
            now = await asyncio.to_thread(look, self._roots)
            if now == before and now != self._known:
                self._known = now
                await changed()
            before = now


def look(roots: Sequence[Path]) -> Seen:
    """What can be seen of files. What cannot be looked at is left out, and hidden ones, which are no policies."""
    return tuple(sorted(found for path in _files(roots) if (found := _about(path)) is not None))


def _files(roots: Sequence[Path]) -> Iterator[str]:
    for root in roots:
        yield str(root)
        for directory, names, files in os.walk(
            root
        ):  # follows no links between directories: they may form a ring
            names[:] = [name for name in names if not name.startswith(".")]
            for name in files:
                if name.startswith("."):
                    continue
                yield os.path.join(directory, name)  # noqa: PTH118 - ten thousand times a second, as text


def _about(path: str) -> tuple[str, int, int] | None:
    try:
        about = os.stat(path)  # noqa: PTH116 - as above
    except OSError:
        return None
    # A directory's own size and time also change when hidden files come and go.
    return (path, 0, 0) if stat.S_ISDIR(about.st_mode) else (path, about.st_size, about.st_mtime_ns)
