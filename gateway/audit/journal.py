"""The journal's writer: every record of one turn of the event loop in one write, answers released when it returned.

A record exists before its answer leaves. A full disk, a short write or a record that cannot be encoded fails the calls it
concerns and leaves the chain whole; the next write is tried anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import structs

from gateway.audit.chain import Commit, commit_line, first_link, link, segment_name
from gateway.audit.reserve import Reserve
from gateway.domain.ports import Clock
from gateway.domain.record import Record
from gateway.errors import StoreError

Durability = Literal["memory", "os", "disk"]
Done = Callable[[Exception | None], None]
Epitaph = Callable[[str], Record]
"""Makes the last record of a full disk: it says why recording stopped."""
SEGMENT_BYTES = 64 * 1024 * 1024
_Batch = list[tuple[bytes, Done]]
_UNENCODABLE = (msgspec.MsgspecError, TypeError, ValueError, OverflowError, UnicodeError, RecursionError)


class FileJournal:
    """One chain: the journal of one life of one process. Made by `open_journal`; used on one event loop.

    `header` is the first line as it stands in the first segment. `durability` says what has happened before `done` is
    called: `memory` handed over, `os` write(2) returned, `disk` fdatasync(2) returned.
    """

    def __init__(
        self,
        directory: Path,
        header: bytes,
        *,
        durability: Durability,
        clock: Clock,
        segment_bytes: int,
        reserve: Reserve,
        epitaph: Epitaph | None = None,
    ) -> None:
        self._directory = directory
        self._durability = durability
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._reserve = reserve
        self._epitaph = epitaph
        self._encoder = msgspec.json.Encoder()
        self._seq = 0
        self._queue: _Batch = []
        self._scheduled = False
        self._syncs: set[asyncio.Task[None]] = set()
        self._file = os.open(directory / segment_name(1), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._size = len(header)
        self._segment_start = 1
        self._torn = False
        self._link = first_link(header)
        self._problem = ""
        self.chain = directory.name
        self.failures = 0

    @property
    def seq(self) -> int:
        """The number of the last record that was written."""
        return self._seq

    @property
    def place(self) -> tuple[str, int]:
        """Where the chain ends: its segment's name and size; ("", 0) while nothing is recorded."""
        return (segment_name(self._segment_start), self._size) if self._seq else ("", 0)

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
            line = self._line(record, self._seq + len(self._queue) + 1)
        except _UNENCODABLE as error:
            self.failures += 1
            message = f"The record cannot be encoded: {error}."
            done(StoreError(message, number=2, remedy="Report this as a defect."))
            return
        if self._durability == "memory":
            done(None)
            done = _ignore
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
        self._reserve.free()

    def _line(self, record: Record, seq: int) -> bytes:
        return self._encoder.encode(structs.replace(record, seq=seq)) + b"\n"

    def _flush(self, *, closing: bool = False) -> None:
        self._scheduled = False
        batch, self._queue = self._queue, []
        if not batch and not closing:
            return
        try:
            self._write(batch, closing=closing)
        except OSError as error:
            self._release(batch, self._failed(error, len(batch)))
            return
        self._problem = ""
        if self._durability == "disk" and not closing:
            task = asyncio.get_running_loop().create_task(self._sync(batch, os.dup(self._file)))
            self._syncs.add(task)
            task.add_done_callback(self._syncs.discard)
        else:
            self._release(batch, None)

    def _write(self, batch: _Batch, *, closing: bool) -> None:
        """One group commit; where the disk is full, with the room that was kept for that day. Raises OSError."""
        try:
            self._commit([line for line, _ in batch], closing=closing)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            room = self._reserve.free()
            if room == "none":
                raise
            if room == "last" and self._epitaph is not None:
                with contextlib.suppress(OSError):
                    self._commit([self._line(self._epitaph(str(error)), self._seq + 1)], closing=False)
                raise
            self._write(batch, closing=closing)

    def _commit(self, lines: list[bytes], *, closing: bool) -> None:
        seq = self._seq + len(lines)
        new_link = link(self._link, lines)
        commit = Commit(commit=new_link, n=len(lines), seq=seq, ts=self._clock(), close=closing)
        if self._size >= self._segment_bytes and lines:
            self._next_segment()
        self._append(b"".join((*lines, commit_line(commit))))
        self._seq, self._link = seq, new_link

    async def _sync(self, batch: _Batch, file: int) -> None:
        """Release a turn's answers only when the disk has them. `file` is a descriptor of its own: segments roll."""
        error: Exception | None = None
        try:
            await asyncio.to_thread(os.fdatasync, file)
        except OSError as caught:
            error = self._failed(caught, len(batch))
        finally:
            os.close(file)
        self._release(batch, error)

    def _failed(self, error: OSError, records: int) -> StoreError:
        self.failures += records
        self._problem = f"The journal cannot be written: {error.strerror or error}."
        return StoreError(self._problem, number=1, remedy=f"Make room for {self._directory}.")

    @staticmethod
    def _release(batch: _Batch, error: Exception | None) -> None:
        for _, done in batch:
            done(error)

    def _append(self, data: bytes) -> None:
        """All of the data or none of it: what a short write left behind is cut off before anything else is written."""
        if self._torn:
            os.ftruncate(self._file, self._size)
            self._torn = False
        written = 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError:
            self._torn = written > 0
            if self._torn:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._file, self._size)
                    self._torn = False
            raise
        self._size += len(data)

    def _next_segment(self) -> None:
        """Begin the next file; the one before is on the disk first, so that a later file never outlives an earlier one."""
        path = self._directory / segment_name(self._seq + 1)
        os.fsync(self._file)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.close(self._file)
        self._file, self._segment_start, self._size, self._torn = file, self._seq + 1, 0, False
        sync_directory(self._directory)


def sync_directory(directory: Path) -> None:
    """Put the names in a directory on the disk. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _ignore(_error: Exception | None) -> None:
    """The answer has left already; failures are counted by the journal itself."""
