"""Follows the journal as it grows: complete, committed records with their place, from where one left off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from gateway.audit.chain import is_commit
from gateway.audit.tail import is_chain, segments

MAX_BATCH_BYTES = 512 * 1024


class Position(Struct, frozen=True):
    """How far a chain was read: the segment's name and a byte offset just after a commit line."""

    segment: str = ""
    offset: int = 0


class Batch(Struct, frozen=True):
    """Records of one chain that were committed since a position, as stored, and the position after them."""

    chain: str
    lines: tuple[bytes, ...]
    position: Position


def unread(
    audit_dir: Path, positions: Mapping[str, Position], block_bytes: int = MAX_BATCH_BYTES
) -> Iterator[Batch]:
    """Committed records after the given positions, chain by chain. Uncommitted ones are left for the next time."""
    if not audit_dir.is_dir():
        return
    for directory in sorted(path for path in audit_dir.iterdir() if is_chain(path)):
        yield from _unread_chain(directory, positions.get(directory.name, Position()), block_bytes)


def unread_bytes(audit_dir: Path, positions: Mapping[str, Position]) -> int:
    """How many bytes of the journal stand after the given positions, what is not committed yet included."""
    if not audit_dir.is_dir():
        return 0
    total = 0
    for directory in (path for path in audit_dir.iterdir() if is_chain(path)):
        position = positions.get(directory.name, Position())
        for path in segments(directory):
            size = path.stat().st_size
            if path.name == position.segment:
                total += max(0, size - position.offset)
            elif path.name > position.segment:
                total += size - (_header_bytes(path) if int(path.stem) == 1 else 0)
    return total


def _header_bytes(path: Path) -> int:
    """The length of a chain's first line, which is no record."""
    with path.open("rb") as file:
        return len(file.readline())


def _unread_chain(directory: Path, position: Position, block_bytes: int) -> Iterator[Batch]:
    for path in segments(directory):
        if path.name < position.segment:
            continue
        offset = position.offset if path.name == position.segment else 0
        with path.open("rb") as file:
            file.seek(offset)
            while data := _committed(file, block_bytes):
                first = offset == 0 and int(path.stem) == 1
                lines = data.splitlines(keepends=True)[1 if first else 0 :]
                offset += len(data)
                file.seek(offset)
                records = tuple(line for line in lines if not is_commit(line))
                yield Batch(directory.name, records, Position(path.name, offset))


def _committed(file: BinaryIO, block_bytes: int) -> bytes:
    """The next bytes up to a commit line, about a block of them unless one write was larger; nothing when none is there."""
    data = b""
    while block := file.read(block_bytes):
        data += block
        end = _after_last_commit(data)
        if end:
            return data[:end]
    return b""


def _after_last_commit(data: bytes) -> int:
    """The number of bytes up to and with the last complete commit line."""
    end = data.rfind(b"\n") + 1
    while end > 0:
        start = data.rfind(b"\n", 0, end - 1) + 1
        if is_commit(data[start:end]):
            return end
        end = start
    return 0
