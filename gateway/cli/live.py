"""The live view: one line for each call as it is decided, repeats folded, and nothing when no terminal is there."""

from __future__ import annotations

import time
from collections.abc import Mapping

from msgspec import UNSET
from rich.console import Console
from rich.text import Text

from gateway.domain.record import Record, short_id
from gateway.obligations import printable
from gateway.words import operation_words, worst_of

_STYLES = {
    "deny": "bold red",
    "ask": "yellow",
    "allow": "green",
    "no_policy": "cyan",
    "error": "bold magenta",
}


class LiveView:
    """Prints records. `live` is false where nobody watches."""

    def __init__(self, console: Console, *, live: bool) -> None:
        self._console = console
        self._live = live
        self._last = ""
        self._folded = 0

    def show(self, record: Record) -> None:
        """Take note of one record."""
        if not self._live or record.type not in {"call", "repeat"}:
            return
        text = line(record)
        key = text.plain.partition(" ")[2].rpartition(" ")[0]
        if key == self._last:
            self._folded += 1
            return
        if self._folded:
            self._console.print(Text(f"         … {self._folded} times more", style="dim"))
        self._last, self._folded = key, 0
        self._console.print(text, soft_wrap=False, overflow="ellipsis", no_wrap=True)


def line(record: Record) -> Text:
    """One record in one line: time, user, agent, tool, what it would do, decision with the rule, microseconds."""
    user = record.principal.id if record.principal is not UNSET else "-"
    rule = next((reason.rule for reason in record.reasons if reason.rule), "")
    text = Text()
    text.append(time.strftime("%H:%M:%S ", time.localtime(record.ts / 1e9)), style="dim")
    text.append(f"{printable(user)[:16]} ", style="bold")
    text.append(f"{record.agent} ", style="dim")
    text.append(f"{printable(record.tool or record.event)[:32]} ")
    words = would(record)
    if words:
        text.append(f"{words} ")
    text.append(f"{decision_words(record)} ", style=_STYLES.get(record.decision, "dim"))
    if rule or record.cause:
        text.append(f"{printable(rule or record.cause)} ", style="dim")
    text.append(f"{microseconds(record)} µs", style="dim")
    return text


def would(record: Record) -> str:
    """What the call would do, in words."""
    worst = worst_of([(operation.attr, operation.action) for operation in record.operations])
    if worst is None:
        command = record.input.get("command") if record.input is not UNSET else None
        return printable(f"run `{command}`") if isinstance(command, str) else ""
    operation = record.operations[worst]
    return operation_words(operation.kind, operation.action, operation.id, operation.attr, record.project_dir)


def decision_words(record: Record) -> str:
    """The decision, in words that tell a would-be stop from a real one."""
    if not record.decision:
        return "noted"
    if record.mode != "enforce" and record.decision in {"deny", "ask", "error"}:
        return {"deny": "would deny", "ask": "would ask", "error": "would fail"}[record.decision]
    return record.decision


def microseconds(record: Record) -> int:
    """The whole time the gateway took."""
    timings: Mapping[str, int] = record.timings if record.timings is not UNSET else {}
    return timings.get("total", 0) // 1000


def heading(record: Record) -> str:
    """How a record is called where people read: its short id."""
    return short_id(record.decision_id)
