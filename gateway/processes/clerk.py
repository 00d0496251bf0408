"""The clerk process: follows the journal into the index, answers searches on a Unix socket, and records who searched.

It may die and come back at any time: the journal is the truth and the index its projection.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import structlog
from aiohttp import web

from gateway.processes.indexing import Indexing

POLL_SECONDS = 0.5
_SLICE_NANOSECONDS = 100_000_000
_LOG = structlog.stdlib.get_logger("ostiary.clerk")


class Clerk:
    """Runs until it is told to stop or its parent is gone."""

    def __init__(
        self, *, indexing: Indexing, application: web.Application, socket: Path, close: Callable[[], None]
    ) -> None:
        self._indexing = indexing
        self._application = application
        self._socket = socket
        self._close = close
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Follow and serve."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_reader(sys.stdin.fileno(), self._parent_gone)
        runner = web.AppRunner(self._application, access_log=None, auto_decompress=False)
        await runner.setup()
        try:
            self._socket.unlink(missing_ok=True)
            await web.UnixSite(runner, str(self._socket)).start()
            self._socket.chmod(0o600)
            await self._follow_until_stopped()
        finally:
            await runner.cleanup()
            self._socket.unlink(missing_ok=True)
            self._slice()
            self._close()

    async def _follow_until_stopped(self) -> None:
        while not self._stop.is_set():
            if not self._slice():
                await asyncio.sleep(0)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), POLL_SECONDS)

    def _slice(self) -> bool:
        """Index for a moment; whether there is nothing more to do now."""
        try:
            return self._indexing.catch_up(_SLICE_NANOSECONDS)
        except Exception:  # noqa: BLE001 - the clerk tries again: a search that is late is better than none
            _LOG.exception("indexing_failed")
            return True

    def _parent_gone(self) -> None:
        """End of the gate's pipe: the gate is gone, and so are we."""
        if not os.read(sys.stdin.fileno(), 1):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self._stop.set()
