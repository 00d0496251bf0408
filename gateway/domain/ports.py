"""The ports: what the enforcement point asks of the outside, as protocols. Adapters implement them; `wiring` chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from msgspec import Struct

from gateway.domain.check import CheckAnswer, CheckRequest
from gateway.domain.decision import Answer
from gateway.domain.events import Claims, HookEvent
from gateway.domain.operations import Analysis
from gateway.domain.principal import Principal
from gateway.domain.query import Page, Query, Row
from gateway.domain.record import Record
from gateway.domain.remembered import NOTHING_REMEMBERED, Remembered

Clock = Callable[[], int]
"""Nanoseconds since the epoch."""
Stopwatch = Callable[[], int]
"""Nanoseconds on a monotonic clock."""
NewId = Callable[[], str]
"""A fresh UUIDv7 in canonical form."""


class PdpCapabilities(Struct, frozen=True, kw_only=True):
    """What a backend can tell. Without `outputs` it can only allow and deny; without `matched_policy` all is matched."""

    outputs: bool = True
    matched_policy: bool = True
    absorbed_errors: bool = False
    revision: bool = False
    batch: int = 50
    """Resources a request."""


class Pdp(Protocol):
    """A policy backend. `name` goes into records (`local`, `cerbos`)."""

    name: str
    capabilities: PdpCapabilities

    @property
    def revision(self) -> str:
        """Digest of the policy set in force, `remote:unknown` when the backend cannot tell, "" when nothing is loaded."""
        ...

    @property
    def layers(self) -> tuple[str, ...]:
        """Scopes asked beside "": each holds a policy of some kind (`site`, `site.payments`)."""
        ...

    def holds(self, kind: str, scope: str) -> bool:
        """Whether the backend may have a policy for the kind in exactly this scope (True when it cannot tell)."""
        ...

    def decide_now(self, request: CheckRequest) -> CheckAnswer | None:
        """The answer without waiting, or None when that needs I/O. Raises PdpError."""
        ...

    async def decide(self, request: CheckRequest, deadline: float) -> CheckAnswer:
        """The answer within `deadline` seconds. Raises PdpUnavailable or PdpInvalid."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class AgentAdapter(Protocol):
    """One agent's hook protocol, without I/O: bytes to event, answer to bytes."""

    agent: str

    def decode(self, body: bytes, headers: Mapping[str, str], *, legacy_route: bool = False) -> HookEvent:
        """The event of a request; header names are lower-case. Raises PayloadError when no event can be read."""
        ...

    def decode_prefix(self, head: bytes, headers: Mapping[str, str], tail: bytes = b"") -> HookEvent | None:
        """Event name and ids from the first 64 KiB of an oversized body, None when the event does not stand there.

        `tail` is the body's end: clients write a call's id behind its result.
        """
        ...

    def encode(self, event: HookEvent, answer: Answer) -> bytes:
        """A complete, valid reply body of this agent's protocol; `pass` is `{}`."""
        ...

    def claims(self, headers: Mapping[str, str]) -> Claims:
        """What the client claims of its surroundings (`X-Ostiary-Project-Dir`, `-Home`, `-Shell`, `-Os`)."""
        ...


class Analyser(Protocol):
    """Turns a call into operations. Pure: the same event in the same session gives the same analysis."""

    def analyse(self, event: HookEvent, remembered: Remembered = NOTHING_REMEMBERED) -> Analysis:
        """What the call would do. Never raises for an input of any shape: a limit or surprise is in the analysis."""
        ...

    def analyse_now(self, event: HookEvent, remembered: Remembered) -> Analysis | None:
        """The same, or None where it needs more than a millisecond or so and would hold others up."""
        ...

    def cut_short(self, event: HookEvent, remembered: Remembered, reason: str) -> Analysis:
        """What can be told without the analysis that `analyse_now` put off: `reason` is in `limits_hit`."""
        ...


class Analyst(Protocol):
    """Analyses beyond what the loop may do itself: long commands elsewhere, links on the disk."""

    def wanted(self, analysis: Analysis | None) -> bool:
        """Whether an analysis is still to be completed. None: it was put off."""
        ...

    async def complete(self, event: HookEvent, remembered: Remembered, first: Analysis | None) -> Analysis:
        """The whole analysis. Never raises: what was not reached in time is in `limits_hit`."""
        ...


class Redactor(Protocol):
    """The one choke point through which every stored value goes."""

    def redact(self, record: Record) -> Record:
        """The record with secrets erased and listed in `erased`."""
        ...

    def digest(self, value: Mapping[str, Any]) -> str:
        """Keyed digest `h1:<kid>:<hex>` of a value's canonical JSON."""
        ...


class Journal(Protocol):
    """Appends records before answers leave."""

    def submit(self, record: Record, done: Callable[[Exception | None], None]) -> None:
        """Number a record and queue it for this turn's group commit.

        `done(None)` is called once the record is as durable as configured, `done(error)` with the StoreError when it
        will not be. `record.seq` is given here, so that a record which cannot be encoded leaves no gap in the chain.
        """
        ...

    @property
    def healthy(self) -> bool:
        """Whether records can be written now."""
        ...


class AuditStore(Protocol):
    """The searchable projection of the journal: rebuildable at any time, filled by one process, read by several."""

    def positions(self) -> Mapping[str, tuple[str, int]]:
        """How far each chain is indexed: segment name, and byte offset just after a commit line."""
        ...

    def append(self, chain: str, lines: Iterable[bytes], segment: str, offset: int) -> int:
        """Index committed lines and move the chain's position, both or neither; how many lines were new.

        Lines that are there already count for nothing; lines that are no records are passed over. Raises StoreError.
        """
        ...

    def search(self, query: Query) -> Page:
        """One page of records, joined with what later events told of them. Raises StoreError."""
        ...

    def find(self, identifier: str) -> Row | None:
        """The record of a decision id, its short form, or a call id; the newest when several have it."""
        ...

    def close(self) -> None:
        """Release the store."""
        ...


class Identity(Protocol):
    """Credentials to principals."""

    def identify(self, headers: Mapping[str, str], peer: Peer, agent: str) -> Identified:
        """Who asks. Never raises: what cannot be proven is anonymous, with the reason."""
        ...


class Peer(Struct, frozen=True, kw_only=True):
    """The other end of a connection. `uid` is the owner of the peer socket where the system tells, else None."""

    address: str = ""
    port: int = 0
    uid: int | None = None
    loopback: bool = False


class Identified(Struct, frozen=True, kw_only=True):
    """A principal and whether it was proven; `problem` says why not, a word of `vocabulary.IDENTITY_PROBLEMS`."""

    principal: Principal
    proven: bool
    problem: str = ""
    agent_bound: bool = False
    """Whether the credential also proves which agent is in use, so that a looser mode for that agent may hold."""
