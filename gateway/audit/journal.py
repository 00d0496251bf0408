"""The journal's writer: every record of one turn of the event loop in one write, answers released when it returned.

A record exists before its answer leaves. A full disk, a short write or a record that cannot be encoded fails the calls it
concerns and leaves the chain whole; the next write is tried anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import structs

from gateway.audit.chain import (
    Commit,
    Header,
    Predecessor,
    commit_line,
    first_link,
    header_line,
    link,
    segment_name,
)
from gateway.audit.tail import last_state
from gateway.domain.ports import Clock, NewId
from gateway.domain.record import Record
from gateway.domain.vocabulary import JOURNAL_SCHEMA
from gateway.errors import StoreError

Durability = Literal["memory", "os", "disk"]
Done = Callable[[Exception | None], None]
SEGMENT_BYTES = 64 * 1024 * 1024


class FileJournal:
    """One chain: the journal of one life of one process. Made by `open_journal`; used on one event loop."""

    def __init__(
        self, directory: Path, header: Header, *, durability: Durability, clock: Clock, segment_bytes: int
    ) -> None:
        self._directory = directory
        self._durability = durability
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._encoder = msgspec.json.Encoder()
        self._seq = 0
        self._queue: list[tuple[bytes, Done]] = []
        self._scheduled = False
        self._syncs: set[asyncio.Task[None]] = set()
        self._file = -1
        self._size = 0
        self._segment_start = 1
        self.chain = header.chain
        self.failures = 0
        self._problem = ""
        first = header_line(header)
        self._link = first_link(first)
        self._open_segment()
        self._append(first)

    @property
    def healthy(self) -> bool:
        """Whether the last write succeeded."""
        return not self._problem

    @property
    def problem(self) -> str:
        """What kept the last write from succeeding, "" when nothing did."""
        return self._problem

    def submit(self, record: Record, done: Done) -> None:
        """Number, encode and queue a record; the first of a turn schedules the turn's one write."""
        try:
            line = self._encoder.encode(structs.replace(record, seq=self._seq + len(self._queue) + 1)) + b"\n"
        except (
            msgspec.MsgspecError,
            TypeError,
            ValueError,
            OverflowError,
            UnicodeError,
            RecursionError,
        ) as error:
            self.failures += 1
            done(
                StoreError(
                    f"The record cannot be encoded: {error}.", number=2, remedy="Report this as a defect."
                )
            )
            return
        self._queue.append((line, done))
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def close(self) -> None:
        """Write what is queued and the close line; the journal cannot be used afterwards."""
        if self._file < 0:
            return
        self._flush(closing=True)
        with contextlib.suppress(OSError):
            os.fsync(self._file)
        os.close(self._file)
        self._file = -1

    def _flush(self, *, closing: bool = False) -> None:
        self._scheduled = False
        batch, self._queue = self._queue, []
        if not batch and not closing:
            return
        lines = [line for line, _ in batch]
        seq = self._seq + len(batch)
        new_link = link(self._link, lines)
        commit = Commit(commit=new_link, n=len(batch), seq=seq, ts=self._clock(), close=closing)
        error: Exception | None = None
        try:
            if self._size >= self._segment_bytes and batch:
                self._next_segment()
            self._append(b"".join((*lines, commit_line(commit))))
        except OSError as caught:
            self.failures += len(batch)
            self._problem = f"The journal cannot be written: {caught.strerror or caught}."
            error = StoreError(self._problem, number=1, remedy=f"Make room for {self._directory}.")
        else:
            self._seq, self._link, self._problem = seq, new_link, ""
        if error is None and self._durability == "disk" and not closing:
            task = asyncio.get_running_loop().create_task(self._sync(batch))
            self._syncs.add(task)
            task.add_done_callback(self._syncs.discard)
            return
        for _, done in batch:
            done(error)

    async def _sync(self, batch: list[tuple[bytes, Done]]) -> None:
        """Release a turn's answers only when the disk has them."""
        error: Exception | None = None
        try:
            await asyncio.to_thread(os.fdatasync, self._file)
        except OSError as caught:
            self.failures += len(batch)
            error = StoreError(
                f"The journal cannot be synced: {caught}.", number=1, remedy="Look at the disk."
            )
        for _, done in batch:
            done(error)

    def _append(self, data: bytes) -> None:
        """All of the data or none of it: what a short write left behind is cut off again."""
        written = 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)

    def _open_segment(self) -> None:
        path = self._directory / segment_name(self._segment_start)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = 0

    def _next_segment(self) -> None:
        previous, start = self._file, self._segment_start
        self._segment_start = self._seq + 1
        try:
            self._open_segment()
        except OSError:
            self._file, self._segment_start = previous, start
            raise
        with contextlib.suppress(OSError):
            os.fsync(previous)
        os.close(previous)


def open_journal(
    audit_dir: Path,
    *,
    instance: str,
    worker: str,
    clock: Clock,
    new_id: NewId,
    versions: Mapping[str, str],
    durability: Durability = "os",
    segment_bytes: int = SEGMENT_BYTES,
) -> FileJournal:
    """Begin a chain that continues the worker's previous one. Raises StoreError when nothing can be written."""
    try:
        audit_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        prefix = f"{instance}.{worker}."
        earlier = sorted(
            path for path in audit_dir.iterdir() if path.name.startswith(prefix) and path.is_dir()
        )
        predecessor = _predecessor(earlier[-1]) if earlier else None
        chain = prefix + new_id()
        directory = audit_dir / chain
        directory.mkdir(mode=0o700)
        header = Header(
            schema=JOURNAL_SCHEMA,
            chain=chain,
            instance=instance,
            worker=worker,
            started=clock(),
            versions=versions,
            predecessor=predecessor,
        )
        return FileJournal(directory, header, durability=durability, clock=clock, segment_bytes=segment_bytes)
    except OSError as error:
        raise StoreError(
            f"The journal cannot be begun under {audit_dir}: {error.strerror or error}.",
            number=1,
            remedy="Make the directory writable for the gateway, and see that the disk has room.",
        ) from None


def _predecessor(directory: Path) -> Predecessor:
    state = last_state(directory)
    return Predecessor(chain=directory.name, commit=state.commit, seq=state.seq, torn_bytes=state.torn_bytes)
