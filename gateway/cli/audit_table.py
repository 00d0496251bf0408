"""Rows of the record as a table for a terminal, or as tab-separated lines for another program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from rich.cells import cell_len
from rich.text import Text

from gateway.cli.record_words import (
    DECISION_STYLES,
    FLAG_STYLE,
    agent_of,
    decided,
    rule_of,
    shortened,
    tool_of,
    user_of,
    visible,
    would_do_of,
)
from gateway.cli.times import shown_time
from gateway.domain.query import Row
from gateway.domain.record import short_id

_OUTCOME_STYLES = {"not_run": "green", "declined_by_person": "yellow"}
_WORDS = "would do"
_WORDS_LEAST = 24
_GAP = "  "
_DROPPED_FIRST = ("agent", "rule", "user", "outcome")
"""Columns a narrow terminal does without, in this order; what was flagged stands behind the words then."""


class Column(Struct, frozen=True):
    """A column: its title and the most columns of the terminal it takes."""

    title: str
    widest: int


_COLUMNS = (
    Column("time", 19),
    Column("id", 9),
    Column("user", 14),
    Column("tool", 20),
    Column("agent", 24),
    Column(_WORDS, 0),
    Column("decision", 11),
    Column("rule", 34),
    Column("outcome", 40),
)


def table_of(rows: Sequence[Row], width: int) -> list[Text]:
    """A title and one line a row, none wider than `width`: the words of what was done get what the rest leaves."""
    cells = [_cells(row) for row in rows]
    widths = {
        column.title: min(
            column.widest, max([cell_len(column.title), *(line[column.title].cell_len for line in cells)])
        )
        for column in _COLUMNS
        if column.title != _WORDS
    }
    for title in _DROPPED_FIRST:
        if _room(widths, width) >= _WORDS_LEAST:
            break
        del widths[title]
    widths[_WORDS] = max(8, _room(widths, width))
    shown = [column.title for column in _COLUMNS if column.title in widths]
    heading = {title: Text(title, style="bold") for title in shown}
    return [_line([(line[title], widths[title]) for title in shown], width) for line in (heading, *cells)]


def _room(widths: dict[str, int], width: int) -> int:
    return width - sum(widths.values()) - len(_GAP) * len(widths)


def _line(cells: Sequence[tuple[Text, int]], width: int) -> Text:
    line = Text(no_wrap=True)
    for cell, size in cells:
        fitting = _fitted(cell, size)
        line.append_text(fitting)
        line.append(" " * (size - fitting.cell_len) + _GAP)
    line.truncate(width)
    line.rstrip()
    return line


def _fitted(cell: Text, size: int) -> Text:
    """A cell of at most `size` columns of the terminal; the middle of a longer one goes."""
    text = shortened(cell.plain, size)
    while cell_len(text) > size:
        text = shortened(text, len(text) - 1)
    return cell if text == cell.plain else Text(text, style=cell.style)


def _cells(row: Row) -> dict[str, Text]:
    record = row.record
    decision = decided(record)
    outcome = Text(row.outcome.replace("_", " "), style=_OUTCOME_STYLES.get(row.outcome, "dim"))
    for flag in row.flags:
        outcome.append(f" {visible(flag)}", style=FLAG_STYLE)
    repeats = f" ×{row.repeats + 1}" if row.repeats else ""
    return {
        "time": Text(shown_time(record.ts), style="dim"),
        "id": Text(short_id(record.decision_id)),
        "user": Text(user_of(record)),
        "tool": Text(tool_of(record) + repeats),
        "agent": Text(agent_of(record), style="dim"),
        _WORDS: Text(would_do_of(record)),
        "decision": Text(decision, style=DECISION_STYLES.get(decision, "dim")),
        "rule": Text(rule_of(record), style="dim"),
        "outcome": outcome,
    }


def lines_of(rows: Iterable[Row]) -> Iterator[str]:
    """One line a row: time (local), id, user, agent, tool, decision, answer, rule, outcome, flags, words."""
    for row in rows:
        record = row.record
        fields = (
            shown_time(record.ts),
            short_id(record.decision_id),
            user_of(record),
            agent_of(record),
            tool_of(record),
            decided(record),
            record.answer or "-",
            rule_of(record) or "-",
            row.outcome or "-",
            ",".join(visible(flag) for flag in row.flags) or "-",
            would_do_of(record) or "-",
        )
        yield "\t".join(fields)
