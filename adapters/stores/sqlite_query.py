"""A query of the audit to SQL. Every value is bound; only fixed text is put together."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from adapters.stores.rows import Columns
from gateway.domain.outcome import TURN_ENDS
from gateway.domain.query import Query
from gateway.domain.record import parse_short_id

MAX_LIMIT = 1000
_INT64 = 2**63 - 1
_SELECT = "SELECT records.number, records.chain, records.line, records.ts FROM records"
_MARKED = "(SELECT number FROM marks WHERE kind = ? AND value = ?)"
_CURSOR = re.compile(r"(\d{1,19})\.(\d{1,19})\Z")


class Statement(Struct, frozen=True):
    """SQL and its values."""

    text: str
    values: tuple[str | int, ...] = ()


def limit_of(query: Query) -> int:
    """How many rows a page has."""
    return max(1, min(query.limit, MAX_LIMIT))


def search_statement(query: Query) -> Statement:
    """One page of a search, and one row more, which tells that there is another page."""
    conditions = _conditions(query)
    where = f" WHERE {' AND '.join(text for text, _ in conditions)}" if conditions else ""
    direction = "DESC" if query.newest_first else "ASC"
    order = f" ORDER BY records.ts {direction}, records.number {direction} LIMIT {limit_of(query) + 1}"
    return Statement(
        f"{_SELECT}{where}{order}", tuple(_bound(value) for _, values in conditions for value in values)
    )


def _conditions(query: Query) -> list[tuple[str, tuple[str | int, ...]]]:
    words = match_words(query.text)
    place = _CURSOR.match(query.cursor)
    after = "<" if query.newest_first else ">"
    possible: list[tuple[bool, str, tuple[str | int, ...]]] = [
        (bool(query.since), "records.ts >= ?", (query.since,)),
        (bool(query.until), "records.ts < ?", (query.until,)),
        (bool(query.principal), "records.principal = ?", (query.principal,)),
        (bool(query.session_id), "records.session = ?", (query.session_id,)),
        (bool(query.tool), "records.tool = ?", (query.tool,)),
        (bool(query.event), "records.event = ?", (query.event,)),
        (bool(query.agent), "records.agent = ?", (query.agent,)),
        (bool(query.decision), f"records.decision IN ({_marks(query.decision)})", query.decision),
        (bool(query.answer), f"records.answer IN ({_marks(query.answer)})", query.answer),
        (bool(query.type), f"records.type IN ({_marks(query.type)})", query.type),
        (bool(query.rule), f"records.number IN {_MARKED}", ("rule", query.rule)),
        (bool(query.flag), f"records.number IN {_MARKED}", ("flag", query.flag)),
        (bool(words), "records.number IN (SELECT rowid FROM words WHERE words MATCH ?)", (words,)),
        (bool(query.id), *_identified(query.id)),
        (not query.synthetic, "records.synthetic = 0", ()),
        (
            place is not None,
            f"(records.ts, records.number) {after} (?, ?)",
            (int(place[1]), int(place[2])) if place else (),
        ),
    ]
    return [(text, bound) for wanted, text, bound in possible if wanted]


def _identified(identifier: str) -> tuple[str, tuple[str, ...]]:
    text = identifier.strip()
    return "(records.id = ? OR records.short = ? OR records.call = ?)", (text.lower(), _short(text), text)


def _short(identifier: str) -> str:
    """What a short id stands for; a text that no record has where it is none."""
    try:
        return parse_short_id(identifier)
    except ValueError:
        return "-"


def _bound(value: str | int) -> str | int:
    """A value that can be bound: numbers of 64 bits, texts that are UTF-8 without NUL."""
    if isinstance(value, int):
        return max(-_INT64 - 1, min(value, _INT64))
    return value.replace("\0", " ").encode("utf-8", "replace").decode()


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def same_call_statement(columns: Columns) -> Statement:
    """The other records of a call, in order of arrival."""
    return Statement(
        f"{_SELECT} WHERE session = ? AND call = ? AND call <> '' AND who = ? AND agent = ? AND type = 'call'"
        " AND NOT (chain = ? AND seq = ?) ORDER BY ts, number LIMIT 200",
        (columns.session, columns.call, columns.who, columns.agent, columns.chain, columns.seq),
    )


def prompt_statement(columns: Columns) -> Statement:
    """The permission prompt that was shown for a call: it has no call id, so that its input tells."""
    return Statement(
        f"{_SELECT} WHERE session = ? AND event = 'PermissionRequest' AND call = '' AND ts >= ? AND who = ?"
        " AND agent = ? AND tool = ? AND digest = ? AND prompt = ? ORDER BY ts, number LIMIT 1",
        (
            columns.session,
            columns.ts,
            columns.who,
            columns.agent,
            columns.tool,
            columns.digest,
            columns.prompt,
        ),
    )


def turn_end_statement(columns: Columns, since: int) -> Statement:
    """An event that ends the turn in which something was shown."""
    return Statement(
        f"{_SELECT} WHERE session = ? AND event IN ({_marks(TURN_ENDS)}) AND call = '' AND ts > ? AND who = ?"
        " AND agent = ? LIMIT 1",
        (columns.session, *TURN_ENDS, since, columns.who, columns.agent),
    )


def single_statements(identifier: str) -> tuple[Statement, ...]:
    """The ways to find one record by what a person has in hand, surest first."""
    text = str(_bound(identifier.strip()))
    return (
        Statement(f"{_SELECT} WHERE id = ? ORDER BY number DESC LIMIT 1", (text.lower(),)),
        Statement(f"{_SELECT} WHERE short = ? ORDER BY number DESC LIMIT 1", (_short(text),)),
        Statement(
            f"{_SELECT} WHERE call = ? AND call <> '' ORDER BY event = 'PreToolUse' DESC, number DESC LIMIT 1",
            (text,),
        ),
    )


def match_words(text: str) -> str:
    """A user's words for FTS5: each one a quoted phrase, all of which must stand in the text."""
    return " ".join(
        '"' + word.replace('"', '""') + '"' for word in text.replace("\0", " ").split() if word.strip('"')
    )
