"""The statistics of benchmarks, with a clock that is told what to say: no test here measures time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.__main__ import SUBJECTS, main
from bench.report import Options, Table, refreshed, shown
from bench.shell import OWN, commands
from bench.timing import Quantiles, median_of, per_call, per_input, quantiles


class Clock:
    """A clock that work moves on."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def work(self, nanoseconds: int) -> None:
        self.now += nanoseconds


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([5_000], Quantiles(5.0, 5.0, 5.0)),
        ([1_000, 2_000], Quantiles(1.0, 2.0, 2.0)),
        ([3_000, 1_000, 2_000], Quantiles(2.0, 3.0, 3.0)),
        (range(1_000, 101_000, 1_000), Quantiles(50.0, 99.0, 100.0)),
        ([1_000] * 99 + [9_000], Quantiles(1.0, 1.0, 9.0)),
    ],
)
def test_quantiles_are_those_of_the_nearest_rank(taken, expected):
    assert quantiles(list(taken)) == expected


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_half_take_at_most_the_median_and_one_of_a_hundred_more_than_the_tail(taken):
    found = quantiles(taken)
    assert 2 * sum(one / 1000 <= found.median for one in taken) >= len(taken)
    assert 100 * sum(one / 1000 > found.p99 for one in taken) <= len(taken)
    assert found.median <= found.p99 <= found.worst == max(taken) / 1000


def test_one_slow_round_does_not_move_the_figure():
    rounds = [Quantiles(1.0, 2.0, 3.0), Quantiles(90.0, 91.0, 92.0), Quantiles(1.2, 2.2, 3.2)]
    assert median_of(rounds) == Quantiles(1.2, 2.2, 3.2)


def test_contestants_take_turns_and_the_first_round_is_not_counted():
    clock, order = Clock(), []

    def contestant(name: str, nanoseconds: int):
        def call(value: int) -> None:
            order.append(name)
            clock.work(nanoseconds * (1_000 if len(order) <= 2 else 1) + value)

        return call

    found = per_input(
        {"a": (contestant("a", 1_000), [0]), "b": (contestant("b", 7_000), lambda number: [number])}, 3, clock
    )
    assert order == ["a", "b"] * 4
    assert found == {"a": Quantiles(1.0, 1.0, 1.0), "b": Quantiles(7.002, 7.002, 7.002)}


def test_a_short_call_costs_what_it_takes_beyond_a_call_of_nothing():
    clock = Clock()

    def ticking() -> int:
        clock.work(100_000)  # what reading the clock and the loop cost, in every contestant alike
        return clock()

    found = per_call({"call": lambda: clock.work(3_000), "free": lambda: None}, 5, 5_000, ticking)
    assert 3.0 <= found["call"] < 3.2
    assert found["free"] < 0.2


def test_a_table_has_one_width_a_column_and_its_markdown_the_same_cells():
    table = Table("T", ("what", "us"), [("short", 1.234), ("a longer name", 1234.5)], "Note.")
    assert table.text().splitlines()[2:] == [
        "what              us",
        "-------------  -----",
        "short           1.23",
        "a longer name  1,234",
        "Note.",
    ]
    assert "| a longer name | 1,234 |" in table.markdown()


@pytest.mark.parametrize(
    ("cell", "text"), [(0.123, "0.12"), (12.34, "12.3"), (123.4, "123"), (7, "7"), ("x", "x")]
)
def test_figures_are_shown_with_three_digits(cell, text):
    assert shown(cell) == text


def test_a_page_keeps_everything_but_the_figures():
    page = "before\n<!-- bench:cel -->\nold\n<!-- /bench:cel -->\nafter <!-- bench:facts -->\n"
    assert refreshed(page, "cel", r"new \1") == page.replace("old", r"new \1")
    with pytest.raises(ValueError, match="has 0 places"):
        refreshed(page, "engine", "new")


def test_quick_runs_take_fewer_rounds_and_never_one():
    assert [Options(quick=True).rounds(full) for full in (40, 5, 1)] == [10, 2, 2]
    assert Options().rounds(5) == 5


def test_a_corpus_is_json_lines_or_plain_lines(tmp_path: Path):
    rows = [{"command": "ls"}, {"input": {"command": "a\nb"}}, {"input": {"path": "x"}}, {"id": 1}]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "lines.txt").write_text("# comment\nls\n\na\\nb\n")
    assert commands(tmp_path / "rows.jsonl") == commands(tmp_path / "lines.txt") == ["ls", "a\nb"]
    assert len(commands(OWN)) > 100


@pytest.fixture
def argv(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    words = ["bench"]
    monkeypatch.setattr("sys.argv", words)
    return words


def test_every_subject_is_explained_and_an_unknown_one_is_an_error_of_usage(argv, capsys):
    argv.append("nothing")
    assert main() == 2
    refused = capsys.readouterr().err
    assert all(name in refused for name in SUBJECTS)
    argv[1:] = ["--help"]
    with pytest.raises(SystemExit):
        main()
    shown_help = capsys.readouterr().out
    assert all(what in shown_help for what in SUBJECTS.values())


def test_only_what_breaks_changes_the_exit_code_and_the_rest_still_runs(argv, capsys, monkeypatch, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- bench:cel -->\n<!-- /bench:cel -->\n")

    def run(options: Options) -> Iterator[Table]:
        assert options.quick
        yield Table("T", ("what",), [("figure",)])

    def broken(options: Options) -> Iterator[Table]:
        del options
        raise OSError("no such server")

    monkeypatch.setattr("bench.cel.run", run)
    monkeypatch.setattr("bench.facts.run", broken)
    argv.extend(["facts", "cel", "--quick", "--refresh", str(page)])
    assert main() == 1
    shown_text = capsys.readouterr()
    assert "figure" in shown_text.out
    assert "These broke: facts" in shown_text.err
    assert "| figure |" in page.read_text()
