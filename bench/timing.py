"""Timing of one function over many inputs: medians and tails in microseconds, garbage collection off, as `timeit` does."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from typing import Any


def microseconds(
    call: Callable[[Any], object], inputs: Sequence[Any], rounds: int = 20
) -> tuple[float, float]:
    """Median and 99th percentile of one call, over `rounds` passes through the inputs, after one pass to warm up."""
    for value in inputs:
        call(value)
    taken: list[int] = []
    clock = time.perf_counter_ns
    gc.disable()
    try:
        for _ in range(rounds):
            for value in inputs:
                begin = clock()
                call(value)
                taken.append(clock() - begin)
    finally:
        gc.enable()
    taken.sort()
    return taken[len(taken) // 2] / 1000, taken[len(taken) * 99 // 100] / 1000


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table."""
    print("| " + " | ".join(headings) + " |")
    print("|" + "---|" * len(headings))
    for row in rows:
        print(
            "| " + " | ".join(f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in row) + " |"
        )
