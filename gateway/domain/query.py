"""A question to the audit index, and a page of its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from gateway.domain.record import Record

_NUMBERS = frozenset({"since", "until", "limit"})
_FLAGS = {"true": True, "false": False}
_FLAG_NAMES = frozenset({"synthetic", "newest_first"})
_LISTS = frozenset({"decision", "answer", "type"})
_CURSOR = re.compile(r"\d{1,19}\.\d{1,19}\Z")
DECIDED = ("deny", "ask", "error", "allow", "no_policy")
"""The decisions of a call that policy was asked about."""


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


def parse_query(items: Iterable[tuple[str, str]]) -> Query:
    """A query of name and value pairs. Raises ValueError that names the wrong one."""
    values: dict[str, Any] = {}
    for name, value in items:
        if name in _NUMBERS:
            values[name] = _number(name, value)
        elif name in _FLAG_NAMES:
            if value not in _FLAGS:
                raise ValueError(f"{name} is neither true nor false")
            values[name] = _FLAGS[value]
        elif name in _LISTS:
            values.setdefault(name, []).extend(part for part in value.split(",") if part)
        else:
            values[name] = value
    unknown = set(values) - set(Query.__struct_fields__)
    if unknown:
        raise ValueError(f"there is no filter {min(unknown)[:40]!r}")
    if values.get("cursor") and not _CURSOR.match(values["cursor"]):
        raise ValueError("cursor is none that a page gave")
    return msgspec.convert(values, Query)


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit()) or len(value) > 19:
        raise ValueError(f"{name} is no number")
    return int(value)
