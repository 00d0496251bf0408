"""Reading the audit is audited: who asked for what, with which filter, and how many rows he got, in a chain of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from gateway.domain.ports import Clock, Journal, NewId, Redactor
from gateway.domain.reader import Reader
from gateway.domain.record import Record, RecordedPrincipal
from gateway.domain.vocabulary import RECORD_SCHEMA


class Readings:
    """Journals every reading before its answer leaves. What was searched for is redacted like everything else."""

    def __init__(
        self, *, journal: Journal, redactor: Redactor, instance: str, worker: str, clock: Clock, new_id: NewId
    ) -> None:
        self._journal = journal
        self._redactor = redactor
        self._instance = instance
        self._worker = worker
        self._clock = clock
        self._new_id = new_id

    async def record(self, reader: Reader, what: str, filters: Mapping[str, Any], rows: int) -> None:
        """Record one reading. Raises StoreError when it cannot be recorded."""
        record = Record(
            schema=RECORD_SCHEMA,
            type="gate",
            decision_id=self._new_id(),
            ts=self._clock(),
            instance=self._instance,
            worker=self._worker,
            principal=RecordedPrincipal(id=reader.id, roles=(reader.reader_class,)),
            gate={"action": "audit_read", "what": what, "filter": dict(filters), "rows": rows},
        )
        done: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._journal.submit(
            self._redactor.redact(record), lambda error: None if done.done() else done.set_result(error)
        )
        error = await done
        if error is not None:
            raise error
