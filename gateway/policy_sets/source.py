"""Where a process has its policies from: read, compiled between requests, put in force whole or not at all, watched."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from gateway.domain.ports import Stopwatch
from gateway.policy.directory import read_roots
from gateway.policy.engine import compile_policies, compile_steps
from gateway.policy.settings import EngineSettings
from gateway.processes.file_watch import FileWatch
from gateway.processes.slices import in_slices, let_go


class PolicySource:
    """A policy set on disk and the engine it last compiled to."""

    def __init__(self, roots: Sequence[Path], settings: EngineSettings, stopwatch: Stopwatch) -> None:
        self._roots = tuple(roots)
        self._settings = settings
        self._stopwatch = stopwatch
        self._watch = FileWatch(self._roots)
        self._turn = asyncio.Lock()
        self.engine = compile_policies(read_roots(self._roots), settings)

    async def reload(self) -> str:
        """Read and compile anew; the revision now in force. Raises PolicyError, and leaves the engine as it was."""
        async with self._turn:
            await asyncio.to_thread(self._watch.note)
            files = await asyncio.to_thread(read_roots, self._roots)
            engine = await in_slices(compile_steps(files, self._settings), self._stopwatch)
            before = self.engine.parts()
            self.engine = engine
            await let_go(before, self._stopwatch)
            return engine.revision

    async def watch(self, reload: Callable[[], Awaitable[None]]) -> None:
        """Await `reload` whenever files changed. Ends when it is cancelled."""
        await self._watch.run(reload)
