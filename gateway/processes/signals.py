"""What every process of ours does alike: stops on SIGTERM and SIGINT, reloads on SIGHUP, ends what ran beside it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterable


def stop_on_signals(on_hangup: Callable[[], None]) -> asyncio.Event:
    """The event that SIGTERM or SIGINT sets, in the running loop; SIGHUP calls `on_hangup`."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, on_hangup)
    return stop


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks one by one and wait for each; a task's own failure is raised."""
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
