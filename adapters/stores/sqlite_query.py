"""A query of the audit to SQL. Every value is bound; only fixed text is put together."""

from __future__ import annotations

import re

from msgspec import Struct

from gateway.domain.query import Query
from gateway.domain.record import parse_short_id

MAX_LIMIT = 1000
_SELECT = "SELECT records.number, records.chain, records.line, records.ts FROM records"
_CURSOR = re.compile(r"(\d{1,19})\.(\d{1,19})\Z")


class Statement(Struct, frozen=True):
    """SQL and its values."""

    text: str
    values: tuple[str | int, ...] = ()


def search_statement(query: Query) -> Statement:
    """One page of a search, and one row more, which tells that there is another page."""
    conditions = _conditions(query)
    where = f" WHERE {' AND '.join(text for text, _ in conditions)}" if conditions else ""
    direction = "DESC" if query.newest_first else "ASC"
    limit = max(1, min(query.limit, MAX_LIMIT)) + 1
    values = tuple(value for _, bound in conditions for value in bound)
    return Statement(
        f"{_SELECT}{where} ORDER BY records.ts {direction}, records.number {direction} LIMIT {limit}", values
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
        (bool(query.rule), "records.number IN (SELECT number FROM rules WHERE rule = ?)", (query.rule,)),
        (bool(words), "records.number IN (SELECT rowid FROM words WHERE words MATCH ?)", (words,)),
        (not query.synthetic, "records.synthetic = 0", ()),
        (
            place is not None,
            f"(records.ts, records.number) {after} (?, ?)",
            (int(place[1]), int(place[2])) if place else (),
        ),
    ]
    return [(text, bound) for wanted, text, bound in possible if wanted]


def _marks(values: tuple[str, ...]) -> str:
    return ", ".join("?" * len(values))


def single_statement(identifier: str) -> tuple[Statement, ...]:
    """The ways to find one record by what a person has in hand, surest first."""
    found = [Statement(f"{_SELECT} WHERE id = ? ORDER BY number DESC LIMIT 1", (identifier.lower(),))]
    try:
        short = parse_short_id(identifier)
    except ValueError:
        pass
    else:
        found.append(Statement(f"{_SELECT} WHERE short = ? ORDER BY number DESC LIMIT 1", (short,)))
    found.append(
        Statement(
            f"{_SELECT} WHERE call = ? ORDER BY event = 'PreToolUse' DESC, number DESC LIMIT 1", (identifier,)
        )
    )
    return tuple(found)


def match_words(text: str) -> str:
    """A user's words for FTS5: each one a quoted phrase, all of which must stand in the text."""
    return " ".join('"' + word.replace('"', '""') + '"' for word in text.split() if word.strip('"'))
