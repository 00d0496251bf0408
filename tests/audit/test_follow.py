"""Following the journal: committed records once each, in order, from wherever one left off."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.stores.sqlite import SqliteStore
from gateway.audit.follow import Position, unread, unread_bytes
from gateway.clock import stopwatch
from gateway.domain.query import Query
from gateway.processes.index_lag import IndexLag
from gateway.processes.indexing import Indexing
from tests.audit.journals import begin, record, segment_files, write


def call_ids(audit_dir: Path, positions: dict[str, Position], block: int = 10**6) -> list[str]:
    found: list[str] = []
    for batch in unread(audit_dir, positions, block):
        found += [msgspec.json.decode(line)["call_id"] for line in batch.lines]
        positions[batch.chain] = batch.position
    return found


@settings(max_examples=30, deadline=None)
@given(
    turns=st.lists(st.integers(1, 6), max_size=12),
    reads=st.sets(st.integers(0, 12)),
    segment=st.sampled_from([400, 2000, 10**6]),
    block=st.sampled_from([64, 700, 10**6]),
)
def test_every_record_is_followed_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, turns: list[int], reads: set[int], segment: int, block: int
) -> None:
    audit_dir = tmp_path_factory.mktemp("audit")
    positions: dict[str, Position] = {}
    seen: list[str] = []
    written: list[str] = []

    async def run() -> None:
        journal = begin(audit_dir, segment_bytes=segment)
        for at, size in enumerate(turns):
            records = [record(at * 10 + number) for number in range(size)]
            written.extend(item.call_id for item in records)
            await write(journal, *records)
            if at in reads:
                seen.extend(call_ids(audit_dir, positions, block))
                assert seen == written
        journal.close()

    asyncio.run(run())
    seen.extend(call_ids(audit_dir, positions, block))
    assert seen == written
    assert unread_bytes(audit_dir, positions) == 0


async def test_what_is_not_committed_yet_is_left_for_the_next_time(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    await write(journal, record(1))
    path = segment_files(tmp_path)[0]
    with path.open("ab") as file:
        file.write(msgspec.json.encode(record(2)) + b"\n")
    positions: dict[str, Position] = {}
    assert call_ids(tmp_path, positions) == ["c1"]
    assert unread_bytes(tmp_path, positions) > 0


async def test_what_does_not_belong_to_the_journal_is_not_followed(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    await write(journal, record(1))
    stranger = tmp_path / "notes"
    stranger.mkdir()
    (stranger / "0000000000000001.jsonl").write_text("{}")
    (segment_files(tmp_path)[0].parent / "copy.jsonl").write_text("{}")
    (tmp_path / "link.gate.00000000-0000-7000-8000-000000000000").symlink_to(stranger)
    assert call_ids(tmp_path, {}) == ["c1"]


def test_no_journal_yet_is_nothing_to_follow(tmp_path: Path) -> None:
    assert list(unread(tmp_path / "none", {})) == []
    assert unread_bytes(tmp_path / "none", {}) == 0


async def test_an_index_that_was_removed_is_built_anew_and_equal(tmp_path: Path) -> None:
    audit_dir = tmp_path / "audit"
    for number in range(3):
        journal = begin(audit_dir, segment_bytes=600)
        await write(journal, *(record(number * 10 + n, session_id="s") for n in range(5)))
        journal.close()

    def build() -> list[str]:
        store = SqliteStore(tmp_path / "index.sqlite")
        assert Indexing(audit_dir, store, stopwatch).catch_up(10**9)
        rows = store.search(Query(limit=100)).rows
        store.close()
        return [row.record.decision_id for row in rows]

    first = build()
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"index.sqlite{suffix}").unlink(missing_ok=True)
    assert build() == first
    assert len(first) == 15


def test_indexing_stops_when_its_time_is_over_and_goes_on_later(tmp_path: Path) -> None:
    audit_dir = tmp_path / "audit"

    async def fill() -> None:
        for number in range(4):
            journal = begin(audit_dir, worker=f"w{number}")
            await write(journal, record(number))
            journal.close()

    asyncio.run(fill())
    store = SqliteStore(tmp_path / "index.sqlite")
    ticks = iter(range(0, 1000, 10))
    indexing = Indexing(audit_dir, store, lambda: next(ticks))
    calls = 1
    while not indexing.catch_up(5):
        calls += 1
    assert calls == 5
    assert len(store.search(Query()).rows) == 4
    assert indexing.lag_bytes() == 0
    store.close()


class TestIndexLag:
    """Seconds between the oldest record that is not indexed and now."""

    def setup_method(self) -> None:
        self.now = 0
        self.written = ("", 0)
        self.lag = IndexLag(
            socket=Path("unused"),
            chain="c",
            written=lambda: self.written,
            report=lambda _seconds: None,
            clock=lambda: self.now,
        )

    def step(self, seconds: int, written: tuple[str, int], indexed: tuple[str, int] | None) -> float:
        self.now = seconds * 1_000_000_000
        self.written = written
        self.lag.sample()
        if indexed is not None:
            self.lag.heard(msgspec.json.encode({"c": indexed, "other": ("z", 9)}))
        return self.lag.seconds()

    def test_nothing_written_is_no_lag(self) -> None:
        assert self.step(100, ("", 0), ("", 0)) == 0

    def test_an_index_that_keeps_up_has_no_lag(self) -> None:
        assert self.step(1, ("a", 10), ("a", 10)) == 0
        assert self.step(2, ("a", 20), ("a", 20)) == 0

    def test_the_lag_is_the_age_of_the_oldest_record_not_indexed(self) -> None:
        self.step(10, ("a", 10), ("a", 10))
        self.step(11, ("a", 20), ("a", 10))
        self.step(12, ("a", 30), ("a", 10))
        assert self.step(20, ("b", 5), ("a", 10)) == 10
        assert self.step(21, ("b", 5), ("a", 20)) == 10
        assert self.step(22, ("b", 5), ("b", 5)) == 0

    def test_a_pause_before_a_burst_is_no_lag(self) -> None:
        self.step(10, ("a", 10), ("a", 10))
        self.step(3600, ("a", 10), ("a", 10))
        assert self.step(3601, ("a", 99), ("a", 10)) == 1

    def test_while_the_clerk_is_away_the_lag_grows(self) -> None:
        self.step(10, ("a", 10), ("a", 10))
        self.step(11, ("a", 20), None)
        assert self.step(50, ("a", 20), None) == 40

    def test_an_answer_that_cannot_be_read_changes_nothing(self) -> None:
        self.step(10, ("a", 10), ("a", 10))
        self.lag.heard(b'{"code":"OST-STO-012"}')
        self.lag.heard(b"\xff")
        assert self.lag.seconds() == 0
