"""Calls a second, the 99th percentile and counts of what was decided, over what the live view was shown."""

from __future__ import annotations

from collections import Counter, deque

WINDOW_SECONDS = 5.0
SAMPLES = 2048


class Tally:
    """Counts calls. Times are seconds of a monotonic clock, given with each call."""

    def __init__(self) -> None:
        self.total = 0
        self.by_decision: Counter[str] = Counter()
        self._recent: deque[tuple[float, int]] = deque()
        self._durations: deque[int] = deque(maxlen=SAMPLES)

    def add(self, decision: str, microseconds: int, at: float) -> None:
        """One call."""
        self.total += 1
        self.by_decision[decision] += 1
        self._durations.append(microseconds)
        second = float(int(at))
        if self._recent and self._recent[-1][0] == second:
            self._recent[-1] = (second, self._recent[-1][1] + 1)
        else:
            self._recent.append((second, 1))

    def rate(self, now: float) -> float:
        """Calls a second over the last five seconds."""
        while self._recent and self._recent[0][0] < now - WINDOW_SECONDS:
            self._recent.popleft()
        return sum(count for _, count in self._recent) / WINDOW_SECONDS

    def p99(self) -> int:
        """Microseconds within which 99 of 100 of the last calls were answered; 0 while there were none."""
        if not self._durations:
            return 0
        ordered = sorted(self._durations)
        return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
