"""The live view: each call in a coloured line as it is decided, repeats folded, over one status line.

The gate's event loop only notes a record; lines are drawn ten times a second and at most so many of them, since a terminal
must not slow decisions down. Where no terminal is, nothing is drawn.
"""

from __future__ import annotations

import asyncio
import io
from collections import deque
from collections.abc import Callable, Mapping
from typing import TextIO, cast

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from gateway.cli.live_lines import duration, key, line
from gateway.cli.live_tally import Tally
from gateway.cli.record_words import DECISION_STYLES, decided, microseconds, visible
from gateway.domain.record import Record

TICK_SECONDS = 0.1
LINES_PER_TICK = 40
WAITING = 200
_ECHO_WIDTH = 4
"""Columns left free at the end of the status line, where a terminal echoes ^C."""
_COUNTED = ("deny", "would deny", "ask", "would ask", "would fail", "failed open")

Pulse = Callable[[], Mapping[str, str]]
"""What holds now, asked ten times a second: `mode`, `revision`, and `problem` of the record."""


class LiveView:
    """Draws records on a terminal. `show` is called for every record, `start` once the event loop runs."""

    def __init__(self, console: Console, *, pulse: Pulse, clock: Callable[[], float]) -> None:
        self._console = console
        self._pulse = pulse
        self._clock = clock
        self._live = Live(
            console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False, transient=True
        )
        self._waiting: deque[Record] = deque()
        self._passed_over = 0
        self._last: Record | None = None
        self._times = 0
        self._tally = Tally()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def show(self, record: Record) -> None:
        """Take note of one record."""
        if record.type not in {"call", "repeat"}:
            return
        self._tally.add(decided(record), microseconds(record), self._clock())
        if len(self._waiting) >= WAITING:
            self._passed_over += 1
        else:
            self._waiting.append(record)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Draw until `stop`."""
        self._loop = loop
        self._live.start()
        self._tick()

    def stop(self) -> None:
        """Draw what is left, and leave the terminal as a list of lines."""
        if self._timer is not None:
            self._timer.cancel()
        if self._live.is_started:
            self.draw()
            self._live.stop()
            if self._last is not None:
                self._console.print(line(self._last, self._console.width, self._times))

    def log_stream(self) -> TextIO:
        """A stream whose lines appear above the status line."""
        return cast("TextIO", _Above(self._console))

    def draw(self) -> None:
        """Draw what came since the last time."""
        done: list[Text] = []
        width = self._console.width
        while self._waiting:
            record = self._waiting.popleft()
            if self._last is not None and _repeats(record, self._last):
                # A repeat's record is short: the line stays that of the call it repeats.
                self._last = self._last if record.first else record
                self._times += 1
                continue
            if self._last is not None:
                done.append(line(self._last, width, self._times))
            self._last, self._times = record, 1
            if len(done) >= LINES_PER_TICK:
                self._passed_over += len(self._waiting)
                self._waiting.clear()
        if self._passed_over:
            if self._last is not None:
                done.append(line(self._last, width, self._times))
                self._last = None
            done.append(Text(f"         … and {self._passed_over} more calls", style="dim"))
            self._passed_over = 0
        if done:
            self._console.print(Group(*done))
        last = [line(self._last, width, self._times)] if self._last is not None else []
        self._live.update(Group(*last, self.status_line(width)), refresh=True)

    def status_line(self, width: int) -> Text:
        """What holds now."""
        pulse = self._pulse()
        problem = pulse["problem"]
        text = Text(no_wrap=True, style="reverse")
        text.append(f" {pulse['mode']}  {self._tally.rate(self._clock()):.1f} calls/s  ")
        text.append(f"p99 {duration(self._tally.p99())}  policy {pulse['revision'] or 'NONE'}  ")
        text.append(f"record {visible(problem) or 'OK'}", style="bold red" if problem else "")
        text.append(f"  {self._tally.total} calls")
        for name in _COUNTED:
            if self._tally.by_decision[name]:
                text.append(f"  {self._tally.by_decision[name]} {name}", style=DECISION_STYLES[name])
        text.truncate(max(1, width - _ECHO_WIDTH), overflow="ellipsis", pad=True)
        return text

    def _tick(self) -> None:
        self.draw()
        assert self._loop is not None
        self._timer = self._loop.call_later(TICK_SECONDS, self._tick)


def _repeats(record: Record, last: Record) -> bool:
    """Whether a record is the same call again, or another one that would make the same line."""
    if record.first:
        return record.first in {last.decision_id, last.first}
    return key(record) == key(last)


class _Above(io.TextIOBase):
    """Log lines, printed where they do not run into the status line."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> int:
        """Print whole lines."""
        shown = text.rstrip("\n")
        if shown:
            self._console.print(Text.from_ansi(shown), soft_wrap=True)
        return len(text)

    def isatty(self) -> bool:
        """Colours are for a terminal."""
        return True
