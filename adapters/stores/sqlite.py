"""The audit index in SQLite: a projection of the journal, rebuildable at any time, searched by the command line.

The text index is FTS5 on `unicode61`; a user's words are quoted before they reach it, so that no query language is exposed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec import UNSET

from adapters.stores.sqlite_query import Statement, search_statement, single_statement
from gateway.domain.query import Page, Query, Row
from gateway.domain.record import Record
from gateway.errors import StoreError

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE positions (chain TEXT PRIMARY KEY, segment TEXT NOT NULL, offset INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE records (
    number INTEGER PRIMARY KEY,
    chain TEXT NOT NULL, seq INTEGER NOT NULL,
    id TEXT NOT NULL, short TEXT NOT NULL, ts INTEGER NOT NULL, type TEXT NOT NULL,
    principal TEXT NOT NULL, session TEXT NOT NULL, call TEXT NOT NULL,
    agent TEXT NOT NULL, event TEXT NOT NULL, tool TEXT NOT NULL,
    decision TEXT NOT NULL, answer TEXT NOT NULL, first TEXT NOT NULL, synthetic INTEGER NOT NULL,
    line BLOB NOT NULL,
    UNIQUE (chain, seq)
);
CREATE INDEX records_ts ON records (ts);
CREATE INDEX records_id ON records (id);
CREATE INDEX records_short ON records (short);
CREATE INDEX records_call ON records (session, call);
CREATE INDEX records_first ON records (first) WHERE first <> '';
CREATE TABLE rules (number INTEGER NOT NULL, rule TEXT NOT NULL, PRIMARY KEY (rule, number)) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='unicode61');
"""
_AFTER = {
    "PostToolUse": "ran",
    "PostToolUseFailure": "failed",
    "PermissionDenied": "declined_by_person",
}
_DECODER = msgspec.json.Decoder(Record)


class SqliteIndex:
    """Implements `AuditIndex`, and takes batches from whoever follows the journal. One writer; readers beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = self._open()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def positions(self) -> dict[str, tuple[str, int]]:
        """How far each chain is indexed: segment and offset."""
        rows = self._connection.execute("SELECT chain, segment, offset FROM positions")
        return {chain: (segment, offset) for chain, segment, offset in rows}

    def append(self, chain: str, lines: Iterable[bytes], segment: str, offset: int) -> int:
        """Index committed lines and move the chain's position, both or neither; lines already there count for nothing."""
        added = 0
        try:
            with self._connection:
                for line in lines:
                    added += self._add(chain, line)
                self._connection.execute(
                    "INSERT INTO positions VALUES (?, ?, ?) ON CONFLICT (chain) DO UPDATE SET segment = ?2, offset = ?3",
                    (chain, segment, offset),
                )
        except sqlite3.Error as error:
            raise StoreError(
                f"The index cannot be written: {error}.", number=11, remedy="Look at the disk."
            ) from None
        return added

    def search(self, query: Query) -> Page:
        """One page of records, with what later events told of them."""
        rows = self._run(search_statement(query))
        more = len(rows) > query.limit
        rows = rows[: query.limit]
        cursor = f"{rows[-1][3]}.{rows[-1][0]}" if more and rows else ""
        return Page(rows=tuple(self._row(chain, line) for _, chain, line, _ in rows), cursor=cursor)

    def find(self, identifier: str) -> Row | None:
        """The record of a decision id, its short form, or a call id; the newest when several have it."""
        for statement in single_statement(identifier):
            rows = self._run(statement)
            if rows:
                return self._row(rows[0][1], rows[0][2])
        return None

    def _run(self, statement: Statement) -> list[tuple[int, str, bytes, int]]:
        try:
            return self._connection.execute(statement.text, statement.values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(
                f"The index cannot be read: {error}.", number=12, remedy="Remove it; it is built anew."
            ) from None

    def _row(self, chain: str, line: bytes) -> Row:
        record = _DECODER.decode(line)
        outcome, flags, repeats = "unknown", list(record.flags), 0
        if record.type == "call" and record.event == "PreToolUse" and record.call_id:
            outcome, later = self._outcome(record)
            flags += [flag for flag in later if flag not in flags]
        if record.type == "call":
            counted = self._connection.execute(
                "SELECT count(*) FROM records WHERE first = ?", (record.decision_id,)
            )
            repeats = counted.fetchone()[0]
        return Row(record=record, outcome=outcome, flags=tuple(flags), repeats=repeats, chain=chain)

    def _outcome(self, record: Record) -> tuple[str, Sequence[str]]:
        """What happened to a call, from the events after it; a stopped one was not run unless an event says so."""
        rows = self._connection.execute(
            "SELECT event, line FROM records WHERE session = ? AND call = ? AND event IN (?, ?, ?)",
            (record.session_id, record.call_id, *_AFTER),
        ).fetchall()
        if not rows:
            return ("not_run" if record.answer == "deny" else "unknown"), ()
        flags = [flag for _, line in rows for flag in _DECODER.decode(line).flags]
        return _AFTER[rows[-1][0]], flags

    def _add(self, chain: str, line: bytes) -> int:
        try:
            record = _DECODER.decode(line)
        except msgspec.MsgspecError:
            return 0
        principal = record.principal.id if record.principal is not UNSET else ""
        cursor = self._connection.execute(
            "INSERT OR IGNORE INTO records (chain, seq, id, short, ts, type, principal, session, call, agent, event, tool,"
            " decision, answer, first, synthetic, line) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                chain,
                record.seq,
                record.decision_id,
                record.decision_id.replace("-", "")[-10:],
                record.ts,
                record.type,
                principal,
                record.session_id,
                record.call_id,
                record.agent,
                record.event,
                record.tool,
                record.decision,
                record.answer,
                record.first,
                int(record.synthetic),
                line,
            ),
        )
        if not cursor.rowcount:
            return 0
        number = cursor.lastrowid
        rules = {reason.rule for reason in record.reasons if reason.rule}
        self._connection.executemany(
            "INSERT OR IGNORE INTO rules VALUES (?, ?)", [(number, rule) for rule in rules]
        )
        self._connection.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (number, _words(record)))
        return 1

    def _open(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self._path, isolation_level="DEFERRED")
            self._path.chmod(0o600)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA trusted_schema = OFF")
            found = connection.execute("PRAGMA user_version").fetchone()[0]
            if found == SCHEMA_VERSION:
                return connection
            if found == 0 and not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
                return connection
            connection.close()
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise StoreError(
                    f"The index {self._path} is in use.", number=13, remedy="Try again."
                ) from None
        return self._rebuild()

    def _rebuild(self) -> sqlite3.Connection:
        """A damaged or foreign index is thrown away: the journal has everything."""
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        return self._open()


def _words(record: Record) -> str:
    """The text people search: commands, paths, hosts, reasons."""
    found: list[str] = [record.tool, record.detail, record.project_dir]
    if record.input is not UNSET:
        found += [value for value in record.input.values() if isinstance(value, str)]
    for operation in record.operations:
        found.append(operation.id)
    for reason in record.reasons:
        found += (reason.rule, reason.text)
    if record.gate is not UNSET:
        found += [str(value) for value in record.gate.values()]
    return "\n".join(text for text in found if text)
