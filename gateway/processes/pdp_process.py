"""The process of `ostiary pdp`: one listener, policies reloaded on SIGHUP, and what goes on beside it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from aiohttp import web

from gateway.processes.gate import Listener
from gateway.processes.signals import end, stop_on_signals

_HEADER_BYTES = 16 * 1024
_KEEPALIVE_SECONDS = 75.0
_DRAIN_SECONDS = 5.0


class PdpProcess:
    """Serves until SIGTERM or SIGINT, then answers what has begun.

    `before` is awaited before the first request is answered; `beside` runs until the end.
    """

    def __init__(
        self,
        *,
        listener: Listener,
        reload: Callable[[], Awaitable[None]],
        before: Sequence[Callable[[], Awaitable[object]]],
        beside: Sequence[Callable[[], Coroutine[Any, Any, None]]],
        tls: ssl.SSLContext | None,
    ) -> None:
        self._listener = listener
        self._reload = reload
        self._before = tuple(before)
        self._beside = tuple(beside)
        self._tls = tls
        self._tasks: set[asyncio.Future[None]] = set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve; `ready` is called once the listener answers."""
        stop = stop_on_signals(self._on_hangup)
        runner = web.AppRunner(
            self._listener.application,
            access_log=None,
            auto_decompress=False,
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
            keepalive_timeout=_KEEPALIVE_SECONDS,
            shutdown_timeout=_DRAIN_SECONDS,
        )
        await runner.setup()
        try:
            await asyncio.gather(*(prepare() for prepare in self._before))
            await self._site(runner).start()
            running = [asyncio.create_task(work()) for work in self._beside]
            ready()
            await stop.wait()
            await end(running)
        finally:
            await runner.cleanup()
            if self._listener.bound is not None:
                self._listener.bound.close()

    def _site(self, runner: web.AppRunner) -> web.BaseSite:
        if self._listener.bound is not None:
            return web.SockSite(runner, self._listener.bound, ssl_context=self._tls)
        assert self._listener.path is not None
        self._listener.path.unlink(missing_ok=True)
        return web.UnixSite(runner, str(self._listener.path), ssl_context=self._tls)

    def _on_hangup(self) -> None:
        task = asyncio.ensure_future(self._reload())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
