"""Where a process has its policies from: read, compiled between requests, put in force whole or not at all, watched."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gateway.domain.ports import Stopwatch
from gateway.policy.directory import read_roots
from gateway.policy.engine import Engine, compile_policies, compile_steps
from gateway.policy.settings import EngineSettings
from gateway.slices import in_slices

Print = tuple[tuple[str, int, int], ...]
"""What files there are: name, size, time of change."""

_WATCH_SECONDS = 1.0


class PolicySource:
    """A policy set on disk and the engine it last compiled to. `changed` is called with each engine put in force."""

    def __init__(
        self,
        roots: Sequence[Path],
        settings: EngineSettings,
        stopwatch: Stopwatch,
        changed: Callable[[Engine], None] = lambda _engine: None,
    ) -> None:
        self._roots = tuple(roots)
        self._settings = settings
        self._stopwatch = stopwatch
        self._changed = changed
        self._print = fingerprint(self._roots)
        self.engine = compile_policies(read_roots(self._roots), settings)

    async def reload(self) -> Engine:
        """Read and compile anew. Raises PolicyError; the engine in force is then the one before."""
        self._print = await asyncio.to_thread(fingerprint, self._roots)
        files = await asyncio.to_thread(read_roots, self._roots)
        self.engine = await in_slices(compile_steps(files, self._settings), self._stopwatch)
        self._changed(self.engine)
        return self.engine

    async def watch(self, reload: Callable[[], object]) -> None:
        """Call `reload` whenever a file came, went or changed. Ends when it is cancelled."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if await asyncio.to_thread(fingerprint, self._roots) != self._print:
                found = reload()
                if asyncio.iscoroutine(found):
                    await found


def fingerprint(roots: Sequence[Path]) -> Print:
    """What can be seen of files without reading them. What cannot be looked at is left out."""
    return tuple(sorted(_seen(roots)))


def _seen(roots: Sequence[Path]) -> Iterator[tuple[str, int, int]]:
    pending = list(roots)
    while pending:
        path = pending.pop()
        try:
            about = path.stat()
            if not stat.S_ISDIR(about.st_mode):
                yield str(path), about.st_size, about.st_mtime_ns
                continue
            pending += [entry for entry in path.iterdir() if not entry.name.startswith(".")]
        except OSError:
            continue
