"""Statistics of durations: quantiles, and rounds in which contestants take turns, so that a slow moment meets all of them."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from typing import Any

from msgspec import Struct

Clock = Callable[[], int]
"""Nanoseconds."""
Inputs = Sequence[Any] | Callable[[int], Sequence[Any]]
"""The inputs of every round, or of the round with a number."""


_MOST_CALLS = 4**8
"""Calls of a round at most: of nothing at all, some milliseconds."""


class Quantiles(Struct, frozen=True):
    """Microseconds: half of the calls took at most `median`, 99 of 100 at most `p99`, every one at most `worst`."""

    median: float
    p99: float
    worst: float


def quantiles(nanoseconds: Sequence[int]) -> Quantiles:
    """The quantiles of at least one duration, by the nearest rank."""
    ordered = sorted(nanoseconds)
    return Quantiles(_rank(ordered, 50), _rank(ordered, 99), ordered[-1] / 1000)


def _rank(ordered: Sequence[int], percent: int) -> float:
    """The smallest value that `percent` of all do not exceed, in microseconds."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] / 1000


def median_of(found: Sequence[Quantiles]) -> Quantiles:
    """Of several rounds the median of each quantile."""
    return Quantiles(
        statistics.median(one.median for one in found),
        statistics.median(one.p99 for one in found),
        statistics.median(one.worst for one in found),
    )


@contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection, as `timeit` measures."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def durations(call: Callable[[Any], object], inputs: Sequence[Any], clock: Clock) -> list[int]:
    """How long each input took, in nanoseconds."""
    taken: list[int] = []
    for value in inputs:
        begin = clock()
        call(value)
        taken.append(clock() - begin)
    return taken


def per_input(
    contestants: Mapping[str, tuple[Callable[[Any], object], Inputs]],
    rounds: int,
    clock: Clock = time.thread_time_ns,
) -> dict[str, Quantiles]:
    """Quantiles over the inputs of each contestant: medians of `rounds` in turn, after one to warm up.

    The clock counts what this thread used, so that other work on the machine disturbs little.
    """
    found: dict[str, list[Quantiles]] = {name: [] for name in contestants}
    with undisturbed():
        for number in range(rounds + 1):
            for name, (call, inputs) in contestants.items():
                taken = durations(call, inputs(number) if callable(inputs) else inputs, clock)
                if number:
                    found[name].append(quantiles(taken))
    return {name: median_of(measured) for name, measured in found.items()}


def per_call(
    contestants: Mapping[str, Callable[[], object]],
    rounds: int,
    microseconds: int = 5_000,
    clock: Clock = time.thread_time_ns,
) -> dict[str, float]:
    """Microseconds of one call of each contestant: medians of `rounds` in turn, each of about so many microseconds.

    For calls too short to be timed one by one. What a loop and a call of nothing cost is taken off.
    """
    everything = {"": _nothing, **contestants}
    numbers = {name: _number(call, microseconds, clock) for name, call in everything.items()}
    found: dict[str, list[float]] = {name: [] for name in everything}
    with undisturbed():
        for _ in range(rounds):
            for name, call in everything.items():
                found[name].append(_loop(call, numbers[name], clock) / numbers[name] / 1000)
    overhead = statistics.median(found.pop(""))
    return {name: max(0.0, statistics.median(measured) - overhead) for name, measured in found.items()}


def _nothing() -> None:
    return None


def _number(call: Callable[[], object], microseconds: int, clock: Clock) -> int:
    """How many calls take about so many microseconds."""
    number = 1
    while number < _MOST_CALLS:
        taken = _loop(call, number, clock)
        if taken >= microseconds * 250:
            return max(1, int(number * microseconds * 1000 / taken))
        number *= 4
    return number


def _loop(call: Callable[[], object], number: int, clock: Clock) -> int:
    begin = clock()
    for _ in repeat(None, number):
        call()
    return clock() - begin
