"""How far the index is behind the journal, in seconds: asked of the clerk by the gate, which owns the metrics.

The age of the oldest record that is not indexed yet, never less than it is and at most a poll more. While the clerk is
away, what it said last counts, so that the figure grows.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from pathlib import Path

import aiohttp
import msgspec
from msgspec import Struct

from gateway.domain.ports import Clock

POLL_SECONDS = 1.0
_SAMPLES = 4096
Place = tuple[str, int]


class _Sample(Struct, frozen=True):
    """Where the journal ended at a time."""

    place: Place
    at: int


class IndexLag:
    """Measures one chain. `written` tells where it ends: segment and bytes, ("", 0) while nothing is in it."""

    def __init__(
        self,
        *,
        socket: Path,
        chain: str,
        written: Callable[[], Place],
        report: Callable[[float], None],
        clock: Clock,
    ) -> None:
        self._socket = socket
        self._chain = chain
        self._written = written
        self._report = report
        self._clock = clock
        self._indexed: Place = ("", 0)
        self._samples: deque[_Sample] = deque(maxlen=_SAMPLES)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Measure until `stop`."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Measure no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        connector = aiohttp.UnixConnector(path=str(self._socket))
        timeout = aiohttp.ClientTimeout(total=POLL_SECONDS * 5)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            while True:
                self.sample()
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    async with session.get("http://clerk/v1/positions") as reply:
                        self.heard(await reply.read())
                self._report(self.seconds())
                await asyncio.sleep(POLL_SECONDS)

    def sample(self) -> None:
        """Note where the journal ends now."""
        sample = _Sample(self._written(), self._clock())
        if self._samples and self._samples[-1].place == sample.place:
            self._samples.pop()
        self._samples.append(sample)

    def heard(self, body: bytes) -> None:
        """Take the clerk's word for how far it is; what cannot be read changes nothing."""
        try:
            positions = msgspec.json.decode(body, type=dict[str, Place])
        except (msgspec.MsgspecError, ValueError):
            return
        self._indexed = positions.get(self._chain, self._indexed)
        while len(self._samples) > 1 and self._samples[1].place <= self._indexed:
            self._samples.popleft()

    def seconds(self) -> float:
        """The lag now."""
        if self._indexed >= self._written() or not self._samples:
            return 0.0
        return max(0.0, (self._clock() - self._samples[0].at) / 1e9)
