"""Short memory of recent calls and sessions: repeats, call ids that come back changed, claims that change on the way.

It only ever tightens, so that losing it (a restart, a full window) is safe; the indexer finds later what it missed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Literal, TypeVar

from msgspec import Struct

from gateway.domain.events import Claims, HookEvent
from gateway.session_work import SessionWork

WINDOW_ENTRIES = 8192
REPEAT_NANOSECONDS = 60 * 1_000_000_000

Sighting = Literal["new", "repeat", "reused"]
_Principal = tuple[str, ...]
_Call = tuple[str, str, str, str]
_Session = tuple[str, str]
_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class Shares(Generic[_K, _V]):
    """At most `entries` values over all principals. Who fills it displaces his own entries, nobody else's."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._held = 0
        self._by_principal: OrderedDict[_Principal, OrderedDict[_K, _V]] = OrderedDict()

    def __len__(self) -> int:
        return self._held

    def get(self, principal: _Principal, key: _K) -> _V | None:
        """A principal's value."""
        own = self._by_principal.get(principal)
        return None if own is None else own.get(key)

    def put(self, principal: _Principal, key: _K, value: _V) -> None:
        """Keep a value as the principal's latest."""
        own = self._by_principal.get(principal)
        if own is None:
            own = self._by_principal[principal] = OrderedDict()
        if key not in own:
            if self._held >= self._entries:
                self._displace(own)
            self._held += 1
        own[key] = value
        own.move_to_end(key)

    def _displace(self, own: OrderedDict[_K, _V]) -> None:
        share = self._entries // max(1, len(self._by_principal))
        if own and len(own) >= share:
            own.popitem(last=False)
        else:
            largest = max(self._by_principal, key=lambda name: len(self._by_principal[name]))
            self._by_principal[largest].popitem(last=False)
            if not self._by_principal[largest]:
                del self._by_principal[largest]
        self._held -= 1


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
    """What is remembered of calls and of sessions, each at most `entries`."""

    def __init__(self, entries: int = WINDOW_ENTRIES) -> None:
        self.calls: Shares[_Call, Seen] = Shares(entries)
        self.claims: Shares[_Session, Claims] = Shares(entries)
        self.work = SessionWork()

    def see(
        self, principal: _Principal, event: HookEvent, digest: str, now: int
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

    def approved(self, principal: _Principal, event: HookEvent) -> Seen | None:
        """The PreToolUse that an after-the-fact event of the same call belongs to."""
        return self._find(principal, event, "PreToolUse")

    def remember(self, principal: _Principal, event: HookEvent, seen: Seen) -> None:
        """Keep a call."""
        if event.call_id:
            self.calls.put(principal, _key(event, event.event), seen)

    def claims_changed(self, principal: _Principal, event: HookEvent) -> bool:
        """Whether the client claims other surroundings than at the session's first event that claimed any."""
        if not event.session_id or event.claims == Claims():
            return False
        key = (event.agent, event.session_id)
        first = self.claims.get(principal, key)
        self.claims.put(principal, key, first or event.claims)
        return first is not None and first != event.claims

    def _find(self, principal: _Principal, event: HookEvent, name: str) -> Seen | None:
        return self.calls.get(principal, _key(event, name)) if event.call_id else None


def _key(event: HookEvent, name: str) -> _Call:
    return (event.agent, event.session_id, event.call_id, name)
