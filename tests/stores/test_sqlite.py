"""The SQLite store: the contract of every store, and what a file on a disk adds to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.stores.sqlite import SqliteStore
from gateway.domain.ports import AuditStore
from gateway.domain.query import Query
from gateway.errors import StoreError
from tests.stores.contract import AuditStoreContract, Ledger


class TestSqliteStore(AuditStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[AuditStore]:
        opened = SqliteStore(tmp_path / "index.sqlite")
        yield opened
        opened.close()


def test_the_index_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    first = SqliteStore(path)
    record = Ledger(first).call()
    positions = first.positions()
    first.close()
    second = SqliteStore(path)
    assert second.positions() == positions
    assert second.find(record.decision_id) is not None
    second.close()


def test_only_its_owner_can_read_the_index(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "index.sqlite")
    Ledger(store).call()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    store.close()


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_file_that_is_no_index_is_built_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "index.sqlite"
    path.write_bytes(content)
    store = SqliteStore(path)
    assert store.positions() == {}
    Ledger(store).call()
    assert len(store.search(Query()).rows) == 1
    store.close()


def test_an_index_of_another_version_is_built_anew(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    old = SqliteStore(path)
    Ledger(old).call()
    old._connection.execute("PRAGMA user_version = 1")
    old.close()
    store = SqliteStore(path)
    assert store.positions() == {}
    store.close()


def test_an_index_that_turns_out_damaged_is_built_anew(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    store = SqliteStore(path)
    ledger = Ledger(store)
    for _ in range(200):
        ledger.call()
    store.close()
    damaged = bytearray(path.read_bytes())
    damaged[4096:] = b"\x5a" * (len(damaged) - 4096)
    path.write_bytes(damaged)
    store = SqliteStore(path)
    with pytest.raises(StoreError, match="OST-STO-012"):
        store.positions()
    assert store.positions() == {}
    Ledger(store).call()
    assert len(store.search(Query()).rows) == 1
    store.close()


def test_a_reader_sees_what_the_writer_committed_while_both_are_open(tmp_path: Path) -> None:
    writer, reader = SqliteStore(tmp_path / "index.sqlite"), SqliteStore(tmp_path / "index.sqlite")
    record = Ledger(writer).call()
    assert reader.find(record.decision_id) is not None
    writer.close()
    reader.close()


def test_no_question_walks_through_the_whole_index(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "index.sqlite")
    ledger = Ledger(store)
    for number in range(50):
        ledger.call(call_id=f"t{number}")
    asked: list[str] = []
    store._connection.set_trace_callback(asked.append)
    assert len(store.search(Query(limit=5)).rows) == 5
    assert store.find("t7") is not None
    assert store.find("no such id") is None
    store._connection.set_trace_callback(None)
    for statement in asked:
        plan = store._connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        assert not [step for *_, step in plan if step.startswith("SCAN") and "INDEX" not in step], statement
    store.close()
