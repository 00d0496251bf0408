"""Analyses of commands that are kept: by the command, where it runs, and every entry of the session memory it consulted.

A kept analysis holds while each of these entries is in the state it was in, found or not. So the same facts come out with
and without the memo, in every order of calls.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from msgspec import Struct

from gateway.domain.remembered import TABLES, Remembered
from gateway.facts.shell.analysis import Surroundings
from gateway.facts.shell.trace import Trace

KEPT_BYTES: Final = 16 * 1024 * 1024
_TRACE_BYTES: Final = 4096
"""What an analysis of a short command takes, measured; each fact takes `_FACT_BYTES` more."""
_FACT_BYTES: Final = 400
_MAX_STATES: Final = 4
"""Analyses of one command under different states of the memory."""
_Key = tuple[str, Surroundings]


class _Kept(Struct, frozen=True):
    names: tuple[str, ...]
    states: tuple[object, ...]
    trace: Trace
    size: int


class TraceMemo:
    """At most `limit` bytes of analyses, those not used for longest given up first. `0` keeps none."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[_Key, tuple[_Kept, ...]] = OrderedDict()
        self.bytes = 0
        self.hits = 0
        self.misses = 0
        self.evictions = 0

    def get(self, command: str, around: Surroundings, remembered: Remembered) -> Trace | None:
        """The analysis that still holds."""
        key = (command, around)
        for kept in self._kept.get(key, ()):
            if remembered.states(kept.names) == kept.states:
                self._kept.move_to_end(key)
                self.hits += 1
                return kept.trace
        self.misses += 1
        return None

    def put(self, command: str, around: Surroundings, remembered: Remembered, trace: Trace) -> None:
        """Keep an analysis. Its limits count steps, so that it is the same whenever it is made."""
        names = (TABLES, *trace.consulted)
        size = _size(command, trace)
        if size > self._limit:
            return
        key = (command, around)
        before = self._kept.pop(key, ())
        after = (_Kept(names, remembered.states(names), trace, size), *before)
        for dropped in after[_MAX_STATES:]:
            self._forget(dropped)
        self._kept[key] = after[:_MAX_STATES]
        self.bytes += size
        while self.bytes > self._limit:
            _, oldest = self._kept.popitem(last=False)
            for dropped in oldest:
                self._forget(dropped)

    def forget_all(self) -> None:
        """Keep nothing of what was kept."""
        self._kept.clear()
        self.bytes = 0

    def _forget(self, kept: _Kept) -> None:
        self.bytes -= kept.size
        self.evictions += 1


def _size(command: str, trace: Trace) -> int:
    facts = len(trace.commands) + len(trace.left) + sum(len(found) for found in trace.paths.values())
    texts = sum(len(change.text or "") for change in trace.left)
    words = sum(len(word or "") for fact in trace.commands for word in fact.argv)
    return _TRACE_BYTES + 4 * len(command) + facts * _FACT_BYTES + 2 * texts + 2 * words
