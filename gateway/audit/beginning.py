"""The beginning of a chain: named after every earlier one, tied to the end of the last, and complete or not there at all.

A chain is made beside the others under a name that counts for nothing and renamed once its first line is on the disk, so
that a crash on the way leaves no chain without a header.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from gateway.audit.chain import Header, Predecessor, header_line, segment_name
from gateway.audit.journal import SEGMENT_BYTES, Durability, Epitaph, FileJournal, sync_directory
from gateway.audit.reserve import NO_RESERVE, Reserve
from gateway.audit.tail import last_state
from gateway.domain.ports import Clock, NewId
from gateway.domain.vocabulary import JOURNAL_SCHEMA
from gateway.errors import StoreError

UNBORN_SUFFIX = ".new"
_TIME_DIGITS = 12


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
    reserve: Reserve = NO_RESERVE,
    epitaph: Epitaph | None = None,
) -> FileJournal:
    """Begin a chain that continues the worker's previous one. Raises StoreError when nothing can be written."""
    try:
        audit_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        prefix = f"{instance}.{worker}."
        earlier = _earlier(audit_dir, prefix)
        chain = prefix + _later_id(new_id(), earlier[-1].name.removeprefix(prefix) if earlier else "")
        header = Header(
            schema=JOURNAL_SCHEMA,
            chain=chain,
            instance=instance,
            worker=worker,
            started=clock(),
            versions=versions,
            predecessor=_predecessor(earlier[-1]) if earlier else None,
        )
        line = header_line(header)
        directory = _bear(audit_dir, chain, line)
        return FileJournal(
            directory,
            line,
            durability=durability,
            clock=clock,
            segment_bytes=segment_bytes,
            reserve=reserve,
            epitaph=epitaph,
        )
    except OSError as error:
        raise StoreError(
            f"The journal cannot be begun under {audit_dir}: {error.strerror or error}.",
            number=1,
            remedy="Make the directory writable for the gateway, and see that the disk has room.",
        ) from None


def _earlier(audit_dir: Path, prefix: str) -> list[Path]:
    """The worker's chains in order; what a crash left unborn is cleared away, since nothing was ever recorded in it."""
    found: list[Path] = []
    for path in audit_dir.iterdir():
        if not path.name.startswith(prefix) or not path.is_dir():
            continue
        if path.name.endswith(UNBORN_SUFFIX):
            shutil.rmtree(path)
        else:
            found.append(path)
    return sorted(found)


def _later_id(identifier: str, previous: str) -> str:
    """The id, moved after the previous chain's where the clock went back: the order of names is the order of chains."""
    if identifier > previous:
        return identifier
    time = int(previous.replace("-", "")[:_TIME_DIGITS], 16) + 1
    digits = f"{time:012x}"
    return f"{digits[:8]}-{digits[8:]}{identifier[13:]}"


def _bear(audit_dir: Path, chain: str, line: bytes) -> Path:
    unborn = audit_dir / (chain + UNBORN_SUFFIX)
    unborn.mkdir(mode=0o700)
    file = os.open(unborn / segment_name(1), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, line)
        os.fsync(file)
    finally:
        os.close(file)
    born = audit_dir / chain
    unborn.rename(born)
    for directory in (born, audit_dir):
        sync_directory(directory)
    return born


def _predecessor(directory: Path) -> Predecessor:
    state = last_state(directory)
    return Predecessor(chain=directory.name, commit=state.commit, seq=state.seq, torn_bytes=state.torn_bytes)
