"""Short memory of recent calls: repeats, call ids that come back changed, inputs that were rewritten after approval.

It only ever tightens, so that losing it (a restart, a full window) is safe; the indexer finds later what it missed.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

from msgspec import Struct

from gateway.domain.events import HookEvent

WINDOW_ENTRIES = 8192
REPEAT_NANOSECONDS = 60 * 1_000_000_000

Sighting = Literal["new", "repeat", "reused"]
_Key = tuple[str, str, str, str]


class Seen(Struct):
    """One call as it was first decided."""

    digest: str
    decision_id: str
    at: int
    tool: str = ""
    said: tuple[str, ...] = ()
    """Decision, answer, mode and revision: a repeat that is answered otherwise is told in full."""
    denied: bool = False
    """Whether the agent was told to stop."""


class SessionMemory:
    """At most `entries` calls over all principals. Who fills it displaces his own entries, nobody else's."""

    def __init__(self, entries: int = WINDOW_ENTRIES) -> None:
        self._entries = entries
        self._held = 0
        self._by_principal: OrderedDict[tuple[str, ...], OrderedDict[_Key, Seen]] = OrderedDict()

    def __len__(self) -> int:
        return self._held

    def see(
        self, principal: tuple[str, ...], event: HookEvent, digest: str, now: int
    ) -> tuple[Sighting, Seen | None]:
        """Whether this call was seen before. A call without an id is always new."""
        seen = self._find(principal, event, event.event)
        if seen is None:
            return "new", None
        if (seen.digest, seen.tool) != (digest, event.tool):
            return "reused", seen
        if now - seen.at > REPEAT_NANOSECONDS:
            return "new", None
        return "repeat", seen

    def approved(self, principal: tuple[str, ...], event: HookEvent) -> Seen | None:
        """The PreToolUse that an after-the-fact event of the same call belongs to."""
        return self._find(principal, event, "PreToolUse")

    def remember(self, principal: tuple[str, ...], event: HookEvent, seen: Seen) -> None:
        """Keep a call."""
        if not event.call_id:
            return
        own = self._by_principal.get(principal)
        if own is None:
            own = self._by_principal[principal] = OrderedDict()
        key = _key(event, event.event)
        if key not in own:
            if self._held >= self._entries:
                self._displace(own)
            self._held += 1
        own[key] = seen
        own.move_to_end(key)

    def _find(self, principal: tuple[str, ...], event: HookEvent, name: str) -> Seen | None:
        if not event.call_id:
            return None
        own = self._by_principal.get(principal)
        return None if own is None else own.get(_key(event, name))

    def _displace(self, own: OrderedDict[_Key, Seen]) -> None:
        share = self._entries // max(1, len(self._by_principal))
        if own and len(own) >= share:
            own.popitem(last=False)
        else:
            largest = max(self._by_principal, key=lambda name: len(self._by_principal[name]))
            self._by_principal[largest].popitem(last=False)
            if not self._by_principal[largest]:
                del self._by_principal[largest]
        self._held -= 1


def _key(event: HookEvent, name: str) -> _Key:
    return (event.agent, event.session_id, event.call_id, name)
