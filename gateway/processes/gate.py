"""The gate process: listens, decides, journals; started in an order that never answers before it can decide and record.

Order of the start: bind (a taken port ends it at once), journal, canary, listeners, clerk. Order of the stop: not ready,
listeners closed, calls in flight finished, journal closed, clerk ended.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from msgspec import Struct

from gateway.processes.signals import end, stop_on_signals

_LOG = structlog.stdlib.get_logger("ostiary.gate")
_HEADER_BYTES = 16 * 1024
_KEEPALIVE_SECONDS = 75.0
_CANARY_SECONDS = 15.0


class Listener(Struct, frozen=True, kw_only=True):
    """An application and where it is served: a bound socket, or the path of a Unix socket."""

    application: web.Application
    bound: socket.socket | None = None
    path: Path | None = None


class Gate:
    """Runs the listeners until a signal comes. The parts are built by `wiring`; this only knows their order.

    `may_start` is asked once, after the first check, and raises OstiaryError where the gate must not serve. `watch` is
    given the reload and awaits it whenever policy files changed.
    """

    def __init__(
        self,
        *,
        listeners: Sequence[Listener],
        check: Callable[[], Awaitable[None]],
        may_start: Callable[[], None],
        reload: Callable[[], Awaitable[None]],
        watch: Callable[[Callable[[], Awaitable[None]]], Coroutine[Any, Any, None]] | None,
        drain: Callable[[], None],
        start: Callable[[], Awaitable[None]],
        close: Callable[[], Awaitable[None]],
        drain_seconds: float,
    ) -> None:
        self._listeners = tuple(listeners)
        self._check = check
        self._may_start = may_start
        self._reload = reload
        self._watch = watch
        self._drain = drain
        self._start = start
        self._close = close
        self._drain_seconds = drain_seconds
        self._runners: list[web.AppRunner] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT; SIGHUP reloads the policies. `ready` is called once everything listens."""
        stop = stop_on_signals(self._on_hangup)
        try:
            await self._check()
            self._may_start()
            for listener in self._listeners:
                await self._listen(listener)
            await self._start()
            beside = [asyncio.create_task(self._keep_checking())]
            if self._watch is not None:
                beside.append(asyncio.create_task(self._watch(self._reload_safely)))
            ready()
            await stop.wait()
            await end(beside)
        finally:
            await self._stop()

    async def _listen(self, listener: Listener) -> None:
        runner = web.AppRunner(
            listener.application,
            access_log=None,
            auto_decompress=False,
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
            keepalive_timeout=_KEEPALIVE_SECONDS,
            shutdown_timeout=self._drain_seconds,
        )
        await runner.setup()
        self._runners.append(runner)
        if listener.bound is not None:
            await web.SockSite(runner, listener.bound).start()
        elif listener.path is not None:
            listener.path.unlink(missing_ok=True)
            await web.UnixSite(runner, str(listener.path)).start()
            listener.path.chmod(0o600)

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(_CANARY_SECONDS)
            await self._check()

    def _on_hangup(self) -> None:
        task = asyncio.get_running_loop().create_task(self._reload_safely())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reload_safely(self) -> None:
        await self._reload()
        await self._check()

    async def _stop(self) -> None:
        self._drain()
        for runner in self._runners:
            await runner.cleanup()
        for listener in self._listeners:
            if listener.bound is not None:
                listener.bound.close()
            if listener.path is not None:
                listener.path.unlink(missing_ok=True)
        await self._close()
        _LOG.info("stopped")
