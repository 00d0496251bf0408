"""The clerk's service for its own gate: one call analysed in full. Served on the socket in `data_dir` and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from aiohttp import web

from gateway.domain.events import HookEvent
from gateway.domain.operations import Analysis
from gateway.domain.ports import Stopwatch
from gateway.domain.remembered import Remembered
from gateway.processes.analyst import ANALYSIS_ROUTE, AnalysisJob

Analyse = Callable[[bytes, HookEvent, Remembered], Analysis]
"""The whole analysis of a call by an analyser of the given setup."""


class AnalysisRoutes:
    """Serves `POST /v1/analysis`: a job in, an analysis out, both msgpack."""

    def __init__(self, analyse: Analyse, stopwatch: Stopwatch) -> None:
        self._analyse = analyse
        self._stopwatch = stopwatch
        self._decoder = msgspec.msgpack.Decoder(AnalysisJob)

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to the clerk's application."""
        return [web.post(ANALYSIS_ROUTE, self.analyse)]

    async def analyse(self, request: web.Request) -> web.Response:
        """The analysis of one call; 504 for one that nobody waits for any more."""
        try:
            job = self._decoder.decode(await request.read())
        except msgspec.MsgspecError:
            return web.Response(status=400)
        if self._stopwatch() > job.expires:
            return web.Response(status=504)
        found = self._analyse(bytes(job.setup), job.event, job.remembered)
        return web.Response(body=msgspec.msgpack.encode(found), content_type="application/msgpack")
