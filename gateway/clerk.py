"""The clerk process: follows the journal into the index, answers searches on a Unix socket, and records who searched.

It may die and come back at any time: the journal is the truth and the index its projection.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol

import structlog
from aiohttp import web

from gateway.audit.follow import Position, unread
from gateway.domain.query import Page, Query, Row

POLL_SECONDS = 0.5
_LOG = structlog.stdlib.get_logger("ostiary.clerk")


class WritableIndex(Protocol):
    """The index as the clerk uses it: `AuditIndex`, and batches of committed lines."""

    def positions(self) -> Mapping[str, tuple[str, int]]:
        """How far each chain is indexed."""
        ...

    def append(self, chain: str, lines: tuple[bytes, ...], segment: str, offset: int) -> int:
        """Index lines and move the position."""
        ...

    def search(self, query: Query) -> Page:
        """One page."""
        ...

    def find(self, identifier: str) -> Row | None:
        """One record."""
        ...


def catch_up(audit_dir: Path, index: WritableIndex) -> int:
    """Index everything that is committed and not indexed yet; how many records that were."""
    positions = {chain: Position(segment, offset) for chain, (segment, offset) in index.positions().items()}
    added = 0
    for batch in unread(audit_dir, positions):
        added += index.append(batch.chain, batch.lines, batch.position.segment, batch.position.offset)
    return added


class Clerk:
    """Runs until it is told to stop or its parent is gone."""

    def __init__(
        self,
        *,
        audit_dir: Path,
        index: WritableIndex,
        application: web.Application,
        socket: Path,
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self._audit_dir = audit_dir
        self._index = index
        self._application = application
        self._socket = socket
        self._close = close

    async def run(self) -> None:
        """Follow and serve."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_reader(sys.stdin.fileno(), self._parent_gone, stop)
        runner = web.AppRunner(self._application, access_log=None, auto_decompress=False)
        await runner.setup()
        try:
            self._socket.unlink(missing_ok=True)
            await web.UnixSite(runner, str(self._socket)).start()
            self._socket.chmod(0o600)
            while not stop.is_set():
                self._follow()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), POLL_SECONDS)
        finally:
            await runner.cleanup()
            self._socket.unlink(missing_ok=True)
            self._follow()
            await self._close()

    def _follow(self) -> None:
        try:
            catch_up(self._audit_dir, self._index)
        except Exception:  # noqa: BLE001 - the clerk tries again: a search that is late is better than none
            _LOG.exception("indexing_failed")

    @staticmethod
    def _parent_gone(stop: asyncio.Event) -> None:
        """End of the gate's pipe: the gate is gone, and so are we."""
        if not os.read(sys.stdin.fileno(), 1):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            stop.set()
