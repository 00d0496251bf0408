"""A question to the audit index, and a page of its answer."""

from __future__ import annotations

from msgspec import Struct

from gateway.domain.record import Record


class Query(Struct, frozen=True, kw_only=True):
    """Filters, all of which must hold; empty means any. Times are nanoseconds since the epoch, `until` exclusive."""

    since: int = 0
    until: int = 0
    principal: str = ""
    session_id: str = ""
    tool: str = ""
    event: str = ""
    agent: str = ""
    decision: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()
    rule: str = ""
    flag: str = ""
    text: str = ""
    """Words searched in commands, paths, hosts and reasons; never a query language (it is quoted before the index)."""
    id: str = ""
    """A decision_id, its short form, or a call id."""
    type: tuple[str, ...] = ()
    synthetic: bool = False
    limit: int = 50
    cursor: str = ""
    newest_first: bool = True


class Row(Struct, frozen=True, kw_only=True):
    """One found record with what later events added to it. `outcome` is "" for what is no tool call."""

    record: Record
    outcome: str = ""
    flags: tuple[str, ...] = ()
    """The record's own flags and those the join found (`gateway.domain.outcome`)."""
    repeats: int = 0
    """How many equal requests followed within the window in which they count as repeats."""
    chain: str = ""


class Page(Struct, frozen=True, kw_only=True):
    """One page; `cursor` is empty on the last one. `lag_bytes`: how much of the journal is not indexed yet."""

    rows: tuple[Row, ...]
    cursor: str = ""
    lag_bytes: int = 0
