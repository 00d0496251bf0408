"""Analyses that the gate's loop leaves to others: long commands go to the clerk, links on the disk are looked up in a thread.

The gate never computes for long itself. A clerk that is absent, dead or late costs the call its analysis: the limit is in
`limits_hit`, and `failure_policy.analysis_limit` says what that means.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
from msgspec import Struct, structs

from gateway.domain.events import HookEvent
from gateway.domain.operations import Analysis
from gateway.domain.ports import Analyser, Stopwatch
from gateway.domain.remembered import Remembered

ANALYSIS_ROUTE: Final = "/v1/analysis"
AWAY: Final = "clerk_away"
LATE: Final = "clerk_late"
BUSY: Final = "clerk_busy"
MAX_WAITING: Final = 32
"""Analyses that the clerk is given at one time; what comes on top is not analysed."""
DEADLINE_SECONDS: Final = 2.0
_NANOSECONDS: Final = 1_000_000_000


class AnalysisJob(Struct, frozen=True, kw_only=True):
    """One call to be analysed, with all that the analysis reads. `expires` is on the machine's monotonic clock."""

    setup: msgspec.Raw
    event: HookEvent
    remembered: Remembered
    expires: int


class ClerkLink:
    """Asks the clerk over its socket."""

    def __init__(self, socket: Path, setup: Callable[[], bytes], stopwatch: Stopwatch) -> None:
        self._socket = socket
        self._setup = setup
        self._stopwatch = stopwatch
        self._session: aiohttp.ClientSession | None = None
        self._waiting = 0

    async def analyse(self, event: HookEvent, remembered: Remembered) -> Analysis | str:
        """The clerk's analysis, or the limit that was hit."""
        if self._waiting >= MAX_WAITING:
            return BUSY
        self._waiting += 1
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await self._ask(event, remembered)
        except TimeoutError:
            return LATE
        except (aiohttp.ClientError, OSError, msgspec.MsgspecError, UnicodeEncodeError):
            return AWAY
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Release the connection."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, event: HookEvent, remembered: Remembered) -> Analysis | str:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=str(self._socket)))
        job = AnalysisJob(
            setup=msgspec.Raw(self._setup()),
            # The payload holds the input a second time, and of a command nothing else is read from it.
            event=structs.replace(event, payload={}, canonical=None),
            remembered=remembered,
            expires=self._stopwatch() + int(DEADLINE_SECONDS * _NANOSECONDS),
        )
        async with self._session.post(
            f"http://clerk{ANALYSIS_ROUTE}", data=msgspec.msgpack.encode(job)
        ) as reply:
            if reply.status != 200:
                return AWAY
            return msgspec.msgpack.decode(await reply.read(), type=Analysis)


LookUp = Callable[[Analysis], Awaitable[Mapping[str, str] | None]]
"""The links on the way to an analysis's paths, None where the disk was not looked at in time."""


class GateAnalyst:
    """Implements the `Analyst` port. Without `look_up` the disk is never looked at."""

    def __init__(
        self, analyser: Analyser, ask: Callable[..., Awaitable[Analysis | str]], look_up: LookUp | None = None
    ) -> None:
        self._analyser = analyser
        self._ask = ask
        self._look_up = look_up

    def wanted(self, analysis: Analysis | None) -> bool:
        """Whether the clerk or the disk is still to be asked."""
        return analysis is None or (
            self._look_up is not None and any(item.kind == "file" for item in analysis.operations)
        )

    async def complete(self, event: HookEvent, remembered: Remembered, first: Analysis | None) -> Analysis:
        """The whole analysis."""
        analysis = first if first is not None else await self._elsewhere(event, remembered)
        if self._look_up is None or not self.wanted(analysis):
            return analysis
        links = await self._look_up(analysis)
        if links is None:
            return structs.replace(analysis, limits_hit=(*analysis.limits_hit, "links"))
        if not links:
            return _looked_up(analysis)
        further = structs.replace(remembered, links={**links, **remembered.links}, resolved=True)
        again = self._analyser.analyse_now(event, further)
        return again if again is not None else await self._elsewhere(event, further)

    async def _elsewhere(self, event: HookEvent, remembered: Remembered) -> Analysis:
        found = await self._ask(event, remembered)
        return self._analyser.cut_short(event, remembered, found) if isinstance(found, str) else found


def _looked_up(analysis: Analysis) -> Analysis:
    """The analysis with its paths marked as looked up: none of them leads through a link."""
    operations = tuple(
        structs.replace(item, attr=_resolved(item.attr)) if item.kind == "file" else item
        for item in analysis.operations
    )
    return structs.replace(analysis, operations=operations)


def _resolved(attr: Mapping[str, Any]) -> dict[str, Any]:
    return {**attr, "resolved": True}
