"""Reading a record while no gateway runs: indexed in place, and recorded as a reading where the directory may be written."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gateway.audit.journal import FileJournal
from gateway.domain.ports import AuditStore
from gateway.domain.query import DECIDED, Page, Query, Row
from gateway.domain.reader import Reader
from gateway.processes.indexing import Indexing
from gateway.readings import Readings

_SLICE_NANOSECONDS = 1_000_000_000


class OfflineReader:
    """Searches the index of a data directory; `recorded` says whether readings can be recorded there."""

    def __init__(
        self,
        *,
        store: AuditStore,
        indexing: Indexing,
        readings: Callable[[], tuple[FileJournal, Readings]] | None,
        reader: Reader,
        temporary: Path | None,
    ) -> None:
        self._store = store
        self._indexing = indexing
        self._readings = readings
        self._reader = reader
        self._temporary = temporary

    @property
    def recorded(self) -> bool:
        """Whether what is read here is recorded."""
        return self._readings is not None

    def search(self, query: Query, told: Mapping[str, Any]) -> Page:
        """One page; `told` are the filters as they are recorded."""
        self._catch_up()
        page = self._store.search(query)
        self._record("search", told, len(page.rows))
        return page

    def find(self, identifier: str) -> Row | None:
        """One record; `last` is the newest that policy decided."""
        self._catch_up()
        if identifier == "last":
            page = self._store.search(Query(limit=1, type=("call",), decision=DECIDED))
            row = page.rows[0] if page.rows else None
        else:
            row = self._store.find(identifier)
        self._record("read", {"id": identifier}, 0 if row is None else 1)
        return row

    def close(self) -> None:
        """Close the index, and remove it where it had to be built elsewhere."""
        self._store.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _catch_up(self) -> None:
        while not self._indexing.catch_up(_SLICE_NANOSECONDS):
            pass

    def _record(self, what: str, told: Mapping[str, Any], rows: int) -> None:
        if self._readings is None:
            return
        journal, readings = self._readings()

        async def run() -> None:
            await readings.record(self._reader, what, told, rows)
            journal.close()

        asyncio.run(run())
