"""Rows of the record as a table for a terminal, or as tab-separated lines for another program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.table import Table
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

_OUTCOME_STYLES = {
    "ran": "dim",
    "failed": "dim",
    "unknown": "dim",
    "not_run": "green",
    "declined_by_person": "yellow",
}
_FIXED_WIDTH = 74
_NARROW = 110


def table_of(rows: Iterable[Row], width: int) -> Table:
    """A table that fits a terminal of `width` columns: the words of what was done get what the rest leaves."""
    narrow = width < _NARROW
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    for title in ("time", "id", "user", "tool"):
        table.add_column(title, no_wrap=True)
    if not narrow:
        table.add_column("agent", no_wrap=True)
    table.add_column("would do", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("decision", no_wrap=True)
    if not narrow:
        table.add_column("rule", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row, narrow=narrow, width=width))
    table.expand = True
    return table


def _cells(row: Row, *, narrow: bool, width: int) -> list[Text]:
    record = row.record
    decision = decided(record)
    outcome = Text(row.outcome.replace("_", " "), style=_OUTCOME_STYLES.get(row.outcome, ""))
    for flag in row.flags:
        outcome.append(f" {visible(flag)}", style=FLAG_STYLE)
    repeats = f" ×{row.repeats + 1}" if row.repeats else ""
    room = max(12, width - _FIXED_WIDTH)
    cells = [
        Text(shown_time(record.ts, seconds=not narrow)[-14 if narrow else -19 :], style="dim"),
        Text(short_id(record.decision_id)),
        Text(shortened(user_of(record), 14)),
        Text(shortened(tool_of(record), 18) + repeats),
    ]
    if not narrow:
        cells.append(Text(shortened(agent_of(record), 22), style="dim"))
    cells.append(Text(shortened(would_do_of(record), room)))
    cells.append(Text(decision, style=DECISION_STYLES.get(decision, "dim")))
    if not narrow:
        cells.append(Text(shortened(rule_of(record), 32), style="dim"))
    cells.append(outcome)
    return cells


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
