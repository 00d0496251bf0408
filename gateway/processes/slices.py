"""Runs long work between the requests of an event loop: a slice of at most half a millisecond, then whoever waits.

A thread that computes would take the interpreter for five milliseconds at a time; slices keep the tail of latencies.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Generator
from typing import TypeVar

from gateway.domain.ports import Stopwatch

Result = TypeVar("Result")

SLICE_NS = 500_000
_REST_SECONDS = 0.0005
"""As long as a slice: long work takes half of the processor at most."""


async def in_slices(steps: Generator[None, None, Result], stopwatch: Stopwatch) -> Result:
    """The result of work that yields often. Raises what the work raises.

    What it builds is moved out of the garbage collector's sight at the end: a full collection over the objects of ten
    thousand policies would stop every request for a tenth of a second.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        while True:
            end = stopwatch() + SLICE_NS
            while stopwatch() < end:
                try:
                    next(steps)
                except StopIteration as stop:
                    result: Result = stop.value
                    gc.freeze()
                    return result
            await asyncio.sleep(_REST_SECONDS)
    finally:
        if collecting:
            gc.enable()


async def let_go(parts: list[object], stopwatch: Stopwatch) -> None:
    """Empty a list. What nobody else holds is freed in slices."""
    await in_slices(_emptying(parts), stopwatch)


def _emptying(parts: list[object]) -> Generator[None, None, None]:
    while parts:
        parts.pop()
        yield
