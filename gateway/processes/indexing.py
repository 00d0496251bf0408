"""The journal into the index: in slices, so that whoever serves searches beside it is never away for long."""

from __future__ import annotations

from pathlib import Path

from gateway.audit.follow import Position, unread, unread_bytes
from gateway.domain.ports import AuditStore, Stopwatch


class Indexing:
    """Keeps a store up to date with the journal under a directory."""

    def __init__(self, audit_dir: Path, store: AuditStore, stopwatch: Stopwatch) -> None:
        self._audit_dir = audit_dir
        self._store = store
        self._stopwatch = stopwatch

    def catch_up(self, nanoseconds: int) -> bool:
        """Index what is committed and not indexed yet, for so long at least; whether that was all. Raises StoreError."""
        end = self._stopwatch() + nanoseconds
        for batch in unread(self._audit_dir, self._positions()):
            self._store.append(batch.chain, batch.lines, batch.position.segment, batch.position.offset)
            if self._stopwatch() > end:
                return False
        return True

    def lag_bytes(self) -> int:
        """How much of the journal is not indexed yet."""
        return unread_bytes(self._audit_dir, self._positions())

    def _positions(self) -> dict[str, Position]:
        found = self._store.positions()
        return {chain: Position(segment, offset) for chain, (segment, offset) in found.items()}
