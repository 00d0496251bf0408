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
    """One found record with what later events added to it."""

    record: Record
    outcome: str = "unknown"
    flags: tuple[str, ...] = ()
    repeats: int = 0
    chain: str = ""


class Page(Struct, frozen=True, kw_only=True):
    """One page; `cursor` is empty on the last one. `lag` is how many journalled records are not indexed yet."""

    rows: tuple[Row, ...]
    cursor: str = ""
    lag: int = 0
