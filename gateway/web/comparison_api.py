"""The clerk compares policy sets: it has the records, and time. Served on its Unix socket only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from aiohttp import web

from gateway.errors import OstiaryError
from gateway.policy_sets.comparison import ComparisonRequest, ComparisonResult
from gateway.web.guards import error

COMPARE_PATH = "/v1/policies/compare"
_SLICE_NANOSECONDS = 50_000_000


class ComparisonRoutes:
    """One comparison at a time; the next one waits. `catch_up` indexes for so many nanoseconds, and says whether all is."""

    def __init__(
        self, compare: Callable[[ComparisonRequest], ComparisonResult], catch_up: Callable[[int], bool]
    ) -> None:
        self._compare = compare
        self._catch_up = catch_up
        self._one = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [web.post(COMPARE_PATH, self.compare)]

    async def compare(self, request: web.Request) -> web.Response:
        """Body: ComparisonRequest; answer: ComparisonResult."""
        try:
            wanted = msgspec.json.decode(await request.read(), type=ComparisonRequest)
        except msgspec.MsgspecError as wrong:
            return error(
                400, "OST-REQ-410", f"The comparison cannot be read: {wrong}.", "Name two revisions."
            )
        try:
            async with self._one:
                await self._indexed()
                result = await asyncio.to_thread(self._compare, wanted)
        except OstiaryError as failed:
            return error(409, failed.code, failed.message, failed.remedy)
        return web.Response(body=msgspec.json.encode(result), content_type="application/json")

    async def _indexed(self) -> None:
        """Everything recorded so far is indexed; between two slices others have their turn."""
        while True:
            if self._catch_up(_SLICE_NANOSECONDS):
                return
            await asyncio.sleep(0)
