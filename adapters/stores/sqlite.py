"""The audit index in SQLite: a projection of the journal, rebuildable at any time, searched by the command line.

The text index is FTS5 on `unicode61`; a user's words are quoted before they reach it, so that no query language is exposed.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from adapters.stores.rows import Columns, columns_of, marks_of, words_of
from adapters.stores.sqlite_query import (
    Statement,
    limit_of,
    prompt_statement,
    same_call_statement,
    search_statement,
    single_statements,
    turn_end_statement,
)
from gateway.domain.outcome import join
from gateway.domain.query import Page, Query, Row
from gateway.domain.record import Record
from gateway.errors import StoreError

SCHEMA_VERSION = 2
_COLUMNS = Columns.__struct_fields__
_SCHEMA = f"""
CREATE TABLE positions (chain TEXT PRIMARY KEY, segment TEXT NOT NULL, offset INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE records (
    number INTEGER PRIMARY KEY,
    {", ".join(f"{name} NOT NULL" for name in _COLUMNS)},
    line BLOB NOT NULL,
    UNIQUE (chain, seq)
);
CREATE INDEX records_ts ON records (ts);
CREATE INDEX records_id ON records (id);
CREATE INDEX records_short ON records (short);
CREATE INDEX records_call ON records (session, call) WHERE call <> '';
CREATE INDEX records_event ON records (session, event, ts) WHERE call = '';
CREATE INDEX records_by_call ON records (call) WHERE call <> '';
CREATE INDEX records_first ON records (first) WHERE first <> '';
CREATE TABLE marks (kind TEXT NOT NULL, value TEXT NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (kind, value, number)) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='unicode61');
"""
_NAMES = ", ".join((*_COLUMNS, "line"))
_PLACES = ", ".join("?" * (len(_COLUMNS) + 1))
_INSERT = f"INSERT OR IGNORE INTO records ({_NAMES}) VALUES ({_PLACES})"  # noqa: S608 - names of our own Struct
_DECODER = msgspec.json.Decoder(Record)


class SqliteStore:
    """Implements `AuditStore`. One writer; readers beside it. A damaged or foreign file is thrown away and built anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = self._open()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def positions(self) -> dict[str, tuple[str, int]]:
        """How far each chain is indexed: segment and offset."""
        rows = self._run(Statement("SELECT 0, chain, segment, offset FROM positions"))
        return {chain: (segment, offset) for _, chain, segment, offset in rows}

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
            self._repair(error)
            raise StoreError(
                f"The index cannot be written: {error}.", number=11, remedy="Look at the disk."
            ) from None
        return added

    def search(self, query: Query) -> Page:
        """One page of records, with what later events told of them."""
        rows = self._run(search_statement(query))
        more = len(rows) > limit_of(query)
        rows = rows[: limit_of(query)]
        cursor = f"{rows[-1][3]}.{rows[-1][0]}" if more and rows else ""
        return Page(rows=tuple(self._row(chain, line) for _, chain, line, _ in rows), cursor=cursor)

    def find(self, identifier: str) -> Row | None:
        """The record of a decision id, its short form, or a call id; the newest when several have it."""
        for statement in single_statements(identifier):
            rows = self._run(statement)
            if rows:
                return self._row(rows[0][1], rows[0][2])
        return None

    def _run(self, statement: Statement) -> list[tuple[int, str, Any, int]]:
        try:
            return self._connection.execute(statement.text, statement.values).fetchall()
        except sqlite3.Error as error:
            self._repair(error)
            raise StoreError(
                f"The index cannot be read: {error}.", number=12, remedy="It is built anew; ask again."
            ) from None

    def _row(self, chain: str, line: bytes) -> Row:
        record = _DECODER.decode(line)
        columns = columns_of(record, chain)
        same = self._records(same_call_statement(columns)) if record.type == "call" and record.call_id else []
        prompt, ended = False, False
        if record.event == "PreToolUse" and record.answer != "deny":
            shown = self._run(prompt_statement(columns))
            prompt = bool(shown)
            ended = prompt and bool(self._run(turn_end_statement(columns, shown[0][3])))
        joined = join(record, same, prompted=prompt, turn_ended=ended)
        repeats = 0
        if record.type == "call":
            counted = Statement(
                "SELECT count(*) FROM records WHERE first = ? AND first <> ''", (record.decision_id,)
            )
            repeats = self._run(counted)[0][0]
        flags = tuple(dict.fromkeys((*record.flags, *joined.flags)))
        return Row(record=record, outcome=joined.outcome, flags=flags, repeats=repeats, chain=chain)

    def _records(self, statement: Statement) -> list[Record]:
        return [_DECODER.decode(line) for _, _, line, _ in self._run(statement)]

    def _add(self, chain: str, line: bytes) -> int:
        try:
            record = _DECODER.decode(line)
        except (msgspec.MsgspecError, ValueError):
            return 0
        cursor = self._connection.execute(_INSERT, (*structs.astuple(columns_of(record, chain)), line))
        if not cursor.rowcount:
            return 0
        number = cursor.lastrowid
        self._connection.executemany(
            "INSERT OR IGNORE INTO marks VALUES (?, ?, ?)",
            [(kind, value, number) for kind, value in marks_of(record)],
        )
        self._connection.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (number, words_of(record)))
        return 1

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.touch(mode=0o600)
            connection = sqlite3.connect(self._path, isolation_level="DEFERRED")
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"The index {self._path} cannot be opened: {error}.",
                number=13,
                remedy="Make its directory writable.",
            ) from None
        try:
            return _prepared(connection)
        except sqlite3.OperationalError as error:
            connection.close()
            raise StoreError(
                f"The index {self._path} cannot be used: {error}.", number=13, remedy="Try again."
            ) from None
        except sqlite3.DatabaseError:
            connection.close()
        self._remove()
        self._path.touch(mode=0o600)
        return _prepared(sqlite3.connect(self._path, isolation_level="DEFERRED"))

    def _repair(self, error: sqlite3.Error) -> None:
        """A file that turned out damaged is thrown away: the journal has everything, and following it starts over."""
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._remove()
            self._connection = self._open()

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    """The connection with its settings and, in an empty file, the schema. Raises DatabaseError for anything foreign."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA trusted_schema = OFF")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if found == 0 and not tables:
        connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    elif found != SCHEMA_VERSION:
        raise sqlite3.DatabaseError(f"schema {found}")
    return connection
