"""The journal's writer: one write a turn, whole chains whatever breaks, and a chain that goes on after every end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audit.chain import is_commit, parse_header
from gateway.audit.proof import prove
from gateway.audit.reserve import LAST_BYTES, keep_reserve
from gateway.audit.verify import verify
from gateway.domain.record import Record
from gateway.errors import StoreError
from tests.audit.journals import begin, fresh_id, lines, record, segment_files, write


def records_in(audit_dir: Path) -> list[Record]:
    found = [line for line in lines(audit_dir) if line.startswith(b'{"schema":"ostiary.record/1"')]
    return [msgspec.json.decode(line, type=Record) for line in found]


async def test_the_records_of_one_turn_share_one_commit(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    assert await write(journal, *(record(number) for number in range(20))) == [None] * 20
    assert [is_commit(line) for line in lines(tmp_path)] == [False] * 21 + [True]
    assert [item.seq for item in records_in(tmp_path)] == list(range(1, 21))


async def test_a_record_is_in_the_file_when_its_caller_is_told(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    seen: list[int] = []
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def told(_error: Exception | None) -> None:
        seen.append(len(records_in(tmp_path)))
        done.set_result(None)

    journal.submit(record(), told)
    await done
    assert seen == [1]


async def test_a_clean_stop_is_written_as_such(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    await write(journal, record())
    journal.close()
    report = verify(tmp_path)
    assert report.intact
    assert not report.findings
    assert [chain.closed for chain in report.chains] == [True]


async def test_a_restart_continues_the_chain(tmp_path: Path) -> None:
    for number in range(3):
        journal = begin(tmp_path)
        await write(journal, record(number))
        journal.close()
    report = verify(tmp_path)
    assert report.intact
    assert len(report.chains) == 3
    headers = [
        parse_header(path.read_bytes().splitlines(keepends=True)[0]) for path in segment_files(tmp_path)
    ]
    assert headers[0].predecessor is None
    assert [header.predecessor.chain for header in headers[1:] if header.predecessor] == [
        header.chain for header in headers[:2]
    ]


async def test_a_clock_that_went_back_does_not_reorder_chains(tmp_path: Path) -> None:
    ids = iter([fresh_id(), fresh_id(), fresh_id()][::-1])
    for _ in range(3):
        begin(tmp_path, new_id=lambda: next(ids)).close()
    assert not verify(tmp_path).findings


async def test_a_torn_tail_is_left_as_it_is_and_named_by_the_successor(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    await write(journal, record(1))
    path = segment_files(tmp_path)[0]
    torn = b'{"schema":"ostiary.record/1","type":"call","deci'
    with path.open("ab") as file:
        file.write(torn)
    before = path.read_bytes()
    successor = begin(tmp_path)
    await write(successor, record(2))
    successor.close()
    assert path.read_bytes() == before
    report = verify(tmp_path)
    assert report.intact
    assert any(f"{len(torn)} bytes" in finding.message for finding in report.findings)


async def test_a_start_that_a_crash_cut_off_leaves_no_chain(tmp_path: Path) -> None:
    first = begin(tmp_path)
    first.close()
    unborn = tmp_path / f"test.gate.{fresh_id()}.new"
    unborn.mkdir()
    (unborn / "0000000000000001.jsonl").write_bytes(b'{"schema":"ost')
    assert verify(tmp_path).intact
    begin(tmp_path).close()
    assert not unborn.exists()
    assert not verify(tmp_path).findings


async def test_a_poison_record_fails_its_own_call_only(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    poison = record(50, input={"command": "\ud800"})
    told = await write(journal, *(record(n) for n in range(50)), poison, *(record(n) for n in range(50)))
    assert isinstance(told[50], StoreError)
    assert [error for error in told if error is not None] == [told[50]]
    journal.close()
    assert not verify(tmp_path).findings
    assert [item.seq for item in records_in(tmp_path)] == list(range(1, 101))


@contextlib.contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """A real short write: the kernel takes what fits and refuses the rest."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_short_write_fails_its_batch_and_leaves_the_chain_whole(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    await write(journal, record(1))
    path = segment_files(tmp_path)[0]
    size = path.stat().st_size
    with file_size_limit(size + 300):
        told = await write(journal, *(record(n) for n in range(100)))
        assert all(isinstance(error, StoreError) for error in told)
        assert not journal.healthy
        assert path.stat().st_size == size
    assert await write(journal, record(2)) == [None]
    assert journal.healthy
    journal.close()
    assert not verify(tmp_path).findings
    assert [item.seq for item in records_in(tmp_path)] == [1, 2]


async def test_half_a_batch_that_could_not_be_cut_off_at_once_is_cut_off_before_the_next_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = begin(tmp_path)
    await write(journal, record(1))
    cut = os.ftruncate

    def refuse(_file: int, _size: int) -> None:
        raise OSError(errno.EIO, "I/O error")

    with file_size_limit(segment_files(tmp_path)[0].stat().st_size + 300):
        monkeypatch.setattr(os, "ftruncate", refuse)
        assert isinstance((await write(journal, *(record(n) for n in range(9))))[0], StoreError)
    assert isinstance((await write(journal, record(2)))[0], StoreError)
    monkeypatch.setattr(os, "ftruncate", cut)
    assert await write(journal, record(3)) == [None]
    journal.close()
    assert not verify(tmp_path).findings


class FullDisk:
    """os.write on a disk with so many bytes left; what a reserve gives back counts."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._write = os.write

    def __call__(self, file: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._write(file, data[: self.room])
        self.room -= written
        return written


async def test_a_full_disk_uses_the_reserve_and_its_last_record_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = keep_reserve(tmp_path)
    last = record(0, type="gate", gate={"action": "recording_stopped"})
    journal = begin(tmp_path / "audit", reserve=reserve, epitaph=lambda _problem: last)
    disk = FullDisk(1000)
    monkeypatch.setattr(os, "write", disk)
    free = reserve.free

    def give_back() -> str:
        before = reserve.held
        room = free()
        disk.room += before - reserve.held
        return room

    monkeypatch.setattr(reserve, "free", give_back)
    assert await write(journal, *(record(n) for n in range(10))) == [None] * 10
    assert reserve.held == LAST_BYTES
    disk.room = 200
    assert isinstance((await write(journal, record(11)))[0], StoreError)
    assert [item.gate for item in records_in(tmp_path / "audit")][-1] == {"action": "recording_stopped"}
    disk.room = 0
    assert isinstance((await write(journal, record(12)))[0], StoreError)
    disk.room = 10**6
    assert await write(journal, record(13)) == [None]
    journal.close()
    assert not verify(tmp_path / "audit").findings


async def test_in_memory_durability_an_answer_does_not_wait_for_the_write(tmp_path: Path) -> None:
    journal = begin(tmp_path, durability="memory")
    told: list[int] = []
    journal.submit(record(), lambda _error: told.append(len(records_in(tmp_path))))
    assert told == [0]
    journal.close()
    assert len(records_in(tmp_path)) == 1


async def test_on_disk_durability_answers_wait_for_the_sync_and_fail_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = begin(tmp_path, durability="disk", segment_bytes=1000)
    assert await write(journal, *(record(n) for n in range(50))) == [None] * 50

    def broken(_file: int) -> None:
        raise OSError(errno.EIO, "I/O error")

    monkeypatch.setattr(os, "fdatasync", broken)
    assert isinstance((await write(journal, record(51)))[0], StoreError)
    assert not journal.healthy
    monkeypatch.undo()
    assert await write(journal, record(52)) == [None]
    journal.close()
    assert not verify(tmp_path).findings


async def test_segments_roll_at_their_size_and_are_named_after_their_first_record(tmp_path: Path) -> None:
    journal = begin(tmp_path, segment_bytes=2000)
    for number in range(60):
        await write(journal, record(number))
    journal.close()
    names = sorted(path.name for path in segment_files(tmp_path))
    assert len(names) > 3
    firsts = [records_in_file(path)[0].seq for path in segment_files(tmp_path)]
    assert names == [f"{first:016d}.jsonl" for first in firsts]
    assert not verify(tmp_path).findings


def records_in_file(path: Path) -> list[Record]:
    found = [
        line for line in path.read_bytes().splitlines() if line.startswith(b'{"schema":"ostiary.record/1"')
    ]
    return [msgspec.json.decode(line, type=Record) for line in found]


async def test_a_segment_that_cannot_be_begun_fails_its_batch_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = begin(tmp_path, segment_bytes=500)
    await write(journal, *(record(n) for n in range(9)))

    def refuse(*_arguments: Any, **_named: Any) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        assert isinstance((await write(journal, record(10)))[0], StoreError)
    assert await write(journal, record(11)) == [None]
    journal.close()
    assert not verify(tmp_path).findings


def test_a_place_that_cannot_be_written_is_refused_with_a_remedy(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(StoreError, match="OST-STO-001"):
        begin(file / "audit")


texts = st.text(max_size=30)
payloads = st.dictionaries(
    texts, st.one_of(texts, st.integers(), st.lists(texts, max_size=3), st.none()), max_size=4
)


@settings(max_examples=40, deadline=None)
@given(
    turns=st.lists(st.lists(payloads, max_size=5), max_size=6), segment=st.sampled_from([300, 3000, 10**6])
)
def test_whatever_is_recorded_verifies_and_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, turns: list[list[dict[str, Any]]], segment: int
) -> None:
    audit_dir = tmp_path_factory.mktemp("audit")

    async def run() -> None:
        journal = begin(audit_dir, segment_bytes=segment)
        for turn in turns:
            await write(journal, *(record(n, input=item) for n, item in enumerate(turn)))
        journal.close()

    asyncio.run(run())
    assert not verify(audit_dir).findings
    assert [item.input for item in records_in(audit_dir)] == [item for turn in turns for item in turn]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_chain_cut_at_any_byte_is_continued_and_verifies(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    audit_dir = tmp_path_factory.mktemp("audit")

    async def run() -> None:
        journal = begin(audit_dir)
        for number in range(4):
            await write(journal, record(number), record(number))
        os.close(journal._file)
        path = next(audit_dir.glob("*/*.jsonl"))
        header = path.read_bytes().index(b"\n") + 1
        os.truncate(path, data.draw(st.integers(header, path.stat().st_size)))
        successor = begin(audit_dir)
        await write(successor, record(9))
        successor.close()

    asyncio.run(run())
    report = verify(audit_dir)
    assert report.intact, report.findings


async def test_a_records_proof_is_its_place_and_the_commit_that_fits_it(tmp_path: Path) -> None:
    journal = begin(tmp_path, segment_bytes=900)
    for turn in range(8):
        await write(journal, *(record(turn * 10 + number) for number in range(3)))
    journal.close()
    for seq in range(1, 25):
        proof = prove(tmp_path, journal.chain, seq)
        assert proof is not None
        assert proof.fits
        file = next(path for path in segment_files(tmp_path) if str(path) == proof.file)
        stands = file.read_bytes().splitlines()[proof.line - 1]
        assert msgspec.json.decode(stands, type=Record).seq == seq
    assert prove(tmp_path, journal.chain, 25) is None
    assert prove(tmp_path, "none", 1) is None


async def test_the_proof_of_a_changed_record_does_not_fit(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    await write(journal, record(1), record(2))
    path = segment_files(tmp_path)[0]
    path.write_bytes(path.read_bytes().replace(b'"c1"', b'"c9"'))
    proof = prove(tmp_path, journal.chain, 2)
    assert proof is not None
    assert not proof.fits
