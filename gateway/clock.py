"""The sources of time, chance and identity, in one place: everything else is given them."""

from __future__ import annotations

import os
import threading
import time


def now() -> int:
    """Nanoseconds since the epoch."""
    return time.time_ns()


def stopwatch() -> int:
    """Nanoseconds on a monotonic clock."""
    return time.perf_counter_ns()


def random_bytes(count: int) -> bytes:
    """Bytes nobody can guess."""
    return os.urandom(count)


class Uuid7:
    """Makes UUIDv7s (RFC 9562, 5.7) that never go back: milliseconds, a 12-bit counter within one, 62 random bits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._counter = 0

    def __call__(self) -> str:
        """A fresh id in canonical form."""
        with self._lock:
            milliseconds = time.time_ns() // 1_000_000
            if milliseconds <= self._last:
                self._counter += 1
                if self._counter > 0xFFF:
                    self._last += 1
                    self._counter = 0
            else:
                self._last, self._counter = milliseconds, 0
            stamp, counter = self._last, self._counter
        value = stamp << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | int.from_bytes(os.urandom(8)) >> 2
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
