"""After a reload the gate tells what changed: it asks the clerk, which compares, and waits for nothing meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import structlog

from gateway.policy_sets.comparison import ComparisonRequest, ComparisonResult
from gateway.web.comparison_api import COMPARE_PATH

_LOG = structlog.stdlib.get_logger("ostiary.policies")
_SECONDS = 600.0
_NAMED = 10
_TRIES = 20
_PAUSE_SECONDS = 1.0
Told = Callable[[str, Mapping[str, Any]], None]


class PolicyNews:
    """Asks for the comparison of two revisions and tells it: in the log, and through `told` in the record."""

    def __init__(self, *, socket: Path, kind_prefix: str, dropped: tuple[str, ...], told: Told) -> None:
        self._socket = socket
        self._kind_prefix = kind_prefix
        self._dropped = dropped
        self._told = told
        self._tasks: set[asyncio.Task[None]] = set()

    def announce(self, before: str, after: str) -> None:
        """Begin; returns at once. Equal revisions are no news."""
        if not before or before == after:
            return
        task = asyncio.get_running_loop().create_task(self._announce(before, after))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is not told yet."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _announce(self, before: str, after: str) -> None:
        request = ComparisonRequest(
            before=before, after=after, kind_prefix=self._kind_prefix, dropped=self._dropped
        )
        try:
            result = await self._patiently(request)
        except (TimeoutError, aiohttp.ClientError, OSError, msgspec.MsgspecError, ValueError) as error:
            _LOG.warning("policies_not_compared", before=before, after=after, error=str(error))
            return
        facts = summary(result)
        _LOG.info("policies_compared", **facts)
        self._told("policies_compared", facts)

    async def _patiently(self, request: ComparisonRequest) -> ComparisonResult:
        """Ask; a clerk that starts, or starts again, is waited for."""
        for _ in range(_TRIES - 1):
            try:
                return await self._ask(request)
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(_PAUSE_SECONDS)
        return await self._ask(request)

    async def _ask(self, request: ComparisonRequest) -> ComparisonResult:
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        connector = aiohttp.UnixConnector(path=str(self._socket))
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.post(f"http://clerk{COMPARE_PATH}", data=msgspec.json.encode(request)) as reply,
        ):
            body = await reply.read()
            if reply.status != 200:
                raise ValueError(body[:500].decode(errors="replace"))
            return msgspec.json.decode(body, type=ComparisonResult)


def summary(result: ComparisonResult) -> dict[str, Any]:
    """A comparison in the few words of a log line and of a record."""
    rules, replay = result.rules, result.replay
    return {
        "before": result.before,
        "after": result.after,
        "rules_added": list(rules.added[:_NAMED]),
        "rules_removed": list(rules.removed[:_NAMED]),
        "rules_changed": list(rules.changed[:_NAMED]),
        "rules_different": len(rules.added) + len(rules.removed) + len(rules.changed),
        "calls": replay.calls,
        "calls_different": replay.different,
        "transitions": dict(replay.transitions),
        "examples": [f"{item.id} {item.before}>{item.after}" for item in replay.examples[:_NAMED]],
    }
