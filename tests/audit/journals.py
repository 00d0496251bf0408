"""Journals on a temporary directory, with a clock that steps and ids that count."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

from gateway.audit.beginning import open_journal
from gateway.audit.journal import FileJournal
from gateway.domain.record import Record
from gateway.domain.vocabulary import RECORD_SCHEMA

_ids = itertools.count(1)


def fresh_id() -> str:
    """An id in the form of a UUIDv7, later than every one before."""
    time = f"{next(_ids):012x}"
    return f"{time[:8]}-{time[8:]}-7000-8000-000000000000"


def steady_clock() -> int:
    """The same nanosecond for ever."""
    return 1_700_000_000_000_000_000


def begin(audit_dir: Path, **changes: Any) -> FileJournal:
    """A chain of the worker `gate` of the instance `test`."""
    settings: dict[str, Any] = {
        "instance": "test",
        "worker": "gate",
        "clock": steady_clock,
        "new_id": fresh_id,
        "versions": {"ostiary": "0"},
    }
    return open_journal(audit_dir, **{**settings, **changes})


def record(number: int = 1, **fields: Any) -> Record:
    """A call's record."""
    base: dict[str, Any] = {
        "schema": RECORD_SCHEMA,
        "type": "call",
        "decision_id": fresh_id(),
        "call_id": f"c{number}",
    }
    return Record(**{**base, **fields})


async def write(journal: FileJournal, *records: Record) -> list[Exception | None]:
    """Submit records in one turn of the loop; what each one's caller was told."""
    loop = asyncio.get_running_loop()
    futures: list[asyncio.Future[Exception | None]] = []
    for item in records:
        future: asyncio.Future[Exception | None] = loop.create_future()
        futures.append(future)
        journal.submit(item, future.set_result)
    return list(await asyncio.gather(*futures))


def lines(audit_dir: Path) -> list[bytes]:
    """Every line of every chain, in order."""
    return [
        line
        for path in sorted(audit_dir.glob("*/*.jsonl"))
        for line in path.read_bytes().splitlines(keepends=True)
    ]


def segment_files(audit_dir: Path) -> list[Path]:
    """Every segment of every chain, in order."""
    return sorted(audit_dir.glob("*/*.jsonl"))
