"""One record as one coloured line of a given width: who, what it would do, what was decided by which rule, how fast."""

from __future__ import annotations

import time

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from gateway.cli.record_words import (
    DECISION_STYLES,
    FLAG_STYLE,
    agent_of,
    decided,
    microseconds,
    rule_of,
    shortened,
    tool_of,
    user_of,
    visible,
    would_do_of,
)
from gateway.domain.record import Record

_USER_WIDTH = 12
_AGENT_WIDTH = 24
_TOOL_WIDTH = 20
_RULE_WIDTH = 34
_NARROW_RULE = 22
_WIDE = 110
_WORDS_LEAST = 8
_PASSED = frozenset({"allow", "no policy", "noted"})


def line(record: Record, width: int, times: int = 1) -> Text:
    """The line; `times` says how many calls in a row it stands for. What does not fit is shortened, the words first."""
    verdict = decided(record)
    narrow = width < _WIDE
    left, right = _left(record, times, narrow=narrow), _right(record, verdict, narrow=narrow)
    room = max(_WORDS_LEAST, width - left.cell_len - right.cell_len - 1)
    words = shortened(would_do_of(record), room)
    while cell_len(words) > room:
        words = shortened(words, len(words) - 1)
    text = Text.assemble(left, set_cell_size(words, room), " ", right)
    text.no_wrap = True
    text.truncate(width, overflow="ellipsis")
    return text


def key(record: Record) -> tuple[str, ...]:
    """What makes two calls in a row one line: all but time, id and speed; of what passed, not what it was done to either."""
    verdict = decided(record)
    words = "" if verdict in _PASSED and not record.flags else would_do_of(record)
    return (
        user_of(record),
        agent_of(record),
        tool_of(record),
        words,
        verdict,
        rule_of(record),
        *record.flags,
    )


def _left(record: Record, times: int, *, narrow: bool) -> Text:
    text = Text()
    text.append(time.strftime("%H:%M:%S ", time.localtime(record.ts / 1e9)), style="dim")
    text.append(f"{shortened(user_of(record), 8 if narrow else _USER_WIDTH)} ", style="bold")
    agent = agent_of(record)
    if narrow:
        # The agent is nearly always the same one; a sub-agent is worth its room.
        agent = f"›{agent.partition('›')[2]}" if "›" in agent else ""
    if agent:
        text.append(f"{shortened(agent, 10 if narrow else _AGENT_WIDTH)} ", style="dim")
    text.append(
        f"{shortened(tool_of(record), 10 if narrow else _TOOL_WIDTH)}{f' ×{times}' if times > 1 else ''} "
    )
    return text


def _right(record: Record, verdict: str, *, narrow: bool) -> Text:
    text = Text()
    text.append(verdict, style=DECISION_STYLES.get(verdict, "dim"))
    rule = rule_of(record)
    if rule and not (narrow and verdict in _PASSED):
        text.append(f" {shortened(rule, _NARROW_RULE if narrow else _RULE_WIDTH)}")
    for flag in record.flags[:2]:
        text.append(f" {shortened(visible(flag), 26)}", style=FLAG_STYLE)
    text.append(f" {duration(microseconds(record))}", style="dim")
    return text


def duration(microseconds_taken: int) -> str:
    """Microseconds, as milliseconds where they are many."""
    if microseconds_taken < 10_000:
        return f"{microseconds_taken} µs"
    return f"{microseconds_taken / 1000:.0f} ms"
