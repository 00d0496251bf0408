"""The live view: a line a call that fits and obeys nothing, repeats folded, a status line that says what holds."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from gateway.cli.live import LINES_PER_TICK, WAITING, LiveView
from gateway.cli.live_lines import duration, key, line
from gateway.cli.live_tally import Tally
from gateway.domain.record import Record, RecordedOperation, RecordedPrincipal, RecordedReason
from gateway.domain.vocabulary import RECORD_SCHEMA
from tests.cli.recorded_gateway import attacker_strings, obeyed


def record(**fields: Any) -> Record:
    base: dict[str, Any] = {
        "schema": RECORD_SCHEMA,
        "type": "call",
        "decision_id": "0" * 8 + "-0000-7000-8000-000000000000",
        "agent": "claude-code",
        "event": "PreToolUse",
        "tool": "Read",
        "principal": RecordedPrincipal(id="ann", roles=("engineer",)),
        "project_dir": "/p",
        "operations": (
            RecordedOperation(
                kind="file", action="read", id="/p/.env", attr={"groups": ["secrets"], "in_project": True}
            ),
        ),
        "mode": "observe",
        "decision": "deny",
        "answer": "pass",
        "reasons": (RecordedReason(rule="secrets.files", decision="deny"),),
        "timings": {"total": 612_000},
    }
    return Record(**{**base, **fields})


class Screen:
    """A live view on a terminal in memory."""

    def __init__(self, width: int = 140) -> None:
        self.problem = ""
        self.now = 100.0
        self.output = io.StringIO()
        console = Console(
            file=self.output,
            force_terminal=True,
            width=width,
            height=30,
            highlight=False,
            color_system="truecolor",
        )
        self.view = LiveView(
            console,
            pulse=lambda: {"mode": "observe", "revision": "41ab", "problem": self.problem},
            clock=lambda: self.now,
        )

    def lines_after(self, *records: Record) -> list[str]:
        """What stays on the terminal after these and a stop."""
        self.view._live.start()
        for item in records:
            self.view.show(item)
        self.view.stop()
        text = self.output.getvalue()
        lines = [Text.from_ansi(part).plain.strip() for part in text.replace("\r", "\n").split("\n")]
        return [part for part in lines if part]


@pytest.mark.parametrize(
    ("fields", "words", "style"),
    [
        ({"decision": "allow", "answer": "pass"}, "allow", "green"),
        ({"decision": "deny", "answer": "pass"}, "would deny", "yellow"),
        ({"decision": "deny", "answer": "deny", "mode": "enforce"}, "deny", "bold red"),
        ({"decision": "ask", "answer": "pass"}, "would ask", "yellow"),
        ({"decision": "ask", "answer": "ask", "mode": "enforce"}, "ask", "bold yellow"),
        (
            {"decision": "error", "answer": "pass", "mode": "enforce", "cause": "pdp_unavailable"},
            "failed open",
            "bold magenta",
        ),
        ({"decision": "no_policy"}, "no policy", "cyan"),
    ],
)
def test_a_decision_has_its_words_and_colour(fields: dict[str, Any], words: str, style: str) -> None:
    text = line(record(**fields), 140)
    spans = [text.plain[span.start : span.end] for span in text.spans if span.style == style]
    assert words in spans


def test_a_line_tells_who_what_decision_rule_and_time() -> None:
    text = line(record(subagent={"id": "a1", "type": "Explore"}), 140).plain
    for part in (
        "ann",
        "claude-code›Explore",
        "Read",
        "read .env, which holds secrets",
        "would deny",
        "secrets.files",
        "612 µs",
    ):
        assert part in text


@pytest.mark.parametrize("width", [40, 80, 109, 110, 140, 250])
def test_a_line_fits_its_terminal(width: int) -> None:
    for tool in ("Read", "mcp__" + "x" * 300, "日本語" * 40):
        for words in ("ls", "日本語" * 200, "x" * 5000):
            item = record(
                tool=tool,
                operations=(),
                input={"command": words},
                principal=RecordedPrincipal(id="ü" * 90, roles=("r",)),
            )
            assert line(item, width).cell_len <= width


@settings(max_examples=150, deadline=None)
@given(text=st.text(st.characters(exclude_categories=()), max_size=40), width=st.integers(20, 200))
def test_nothing_an_agent_sends_reaches_the_terminal_as_a_control(text: str, width: int) -> None:
    item = record(
        tool=text,
        agent=text,
        operations=(
            RecordedOperation(kind="file", action="read", id=text),
            RecordedOperation(kind=text, action=text, id=text),
        ),
        principal=RecordedPrincipal(id=text, roles=(text,)),
        subagent={"id": text, "type": text},
        reasons=(RecordedReason(rule=text),),
        flags=(text,),
        input={"command": text},
    )
    assert obeyed(line(item, width).plain) == []
    assert obeyed(line(item, width, 3).plain) == []


def test_attack_strings_are_shown_as_text() -> None:
    for text in attacker_strings():
        screen = Screen()
        screen.lines_after(record(tool=text, operations=(), input={"command": text}))
        ours = screen.output.getvalue()
        assert "\x1b]" not in ours
        assert "\x07" not in ours
        assert "\u202e" not in ours


def test_repeats_are_folded_and_counted() -> None:
    lines = Screen().lines_after(*(record(timings={"total": n * 1000}) for n in range(37)))
    assert any("Read ×37" in text and "would deny" in text for text in lines)
    assert sum("would deny secrets.files" in text for text in lines) == sum("×37" in text for text in lines)


def test_a_short_record_of_a_repeat_folds_into_the_call_it_repeats() -> None:
    first = record(decision_id="first")
    again = record(type="repeat", decision_id="second", first="first", operations=())
    lines = Screen().lines_after(first, again, again)
    assert any("Read ×3" in text and "read .env" in text for text in lines)


def test_calls_of_one_kind_that_passed_are_folded_stops_are_not() -> None:
    def of(path: str, **fields: Any) -> Record:
        return record(operations=(RecordedOperation(kind="file", action="read", id=path),), **fields)

    assert key(of("/p/a", decision="allow")) == key(of("/p/b", decision="allow"))
    assert key(of("/p/a")) != key(of("/p/b"))
    assert key(of("/p/a", decision="allow", flags=("x",))) != key(of("/p/b", decision="allow", flags=("x",)))


def test_a_flood_is_drawn_in_part_and_counted_whole() -> None:
    screen = Screen()
    screen.view._live.start()
    flood = [record(operations=(), input={"command": f"c{n}"}) for n in range(WAITING * 3)]
    for item in flood:
        screen.view.show(item)
    screen.view.draw()
    text = screen.output.getvalue()
    screen.view.stop()
    assert text.count("run c") <= LINES_PER_TICK + 5
    assert "more calls" in text
    assert f"{len(flood)} calls" in text


def test_the_status_line_says_what_holds() -> None:
    screen = Screen()
    for _ in range(10):
        screen.view.show(record())
    text = screen.view.status_line(140).plain
    for part in (
        "observe",
        "2.0 calls/s",
        "p99 612 µs",
        "policy 41ab",
        "record OK",
        "10 calls",
        "10 would deny",
    ):
        assert part in text
    screen.problem = "The journal cannot be written: No space left on device."
    assert "record The journal cannot be written" in screen.view.status_line(140).plain
    assert screen.view.status_line(80).cell_len <= 80


def test_records_of_the_gate_itself_are_not_calls() -> None:
    screen = Screen()
    screen.view.show(record(type="gate"))
    assert "0 calls" in screen.view.status_line(140).plain


def test_log_lines_stand_above_the_status_line() -> None:
    screen = Screen()
    screen.view._live.start()
    screen.view.show(record())
    screen.view.draw()
    screen.view.log_stream().write("something happened\n")
    text = screen.output.getvalue()
    screen.view.stop()
    assert text.rindex("something happened") < text.rindex("calls/s")


def test_rate_and_percentile_are_those_of_the_last_calls() -> None:
    tally = Tally()
    for at in range(100):
        tally.add("allow", at, 10.0 + at / 100)
    assert tally.rate(11.0) == 20.0
    assert tally.p99() == 99
    assert tally.rate(30.0) == 0.0
    assert Tally().p99() == 0
    assert duration(999) == "999 µs"
    assert duration(12_345) == "12 ms"
