"""The query API: search the record. Served on a Unix socket in the data directory; every search is a record itself.

The gate forwards the admin listener's requests here and says whose they are; whoever else opens the socket owns the data
directory. A viewer sees his own records, masked.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web
from msgspec import UNSET, structs

from gateway.audit.mask import mask
from gateway.domain.ports import AuditStore
from gateway.domain.query import DECIDED, Page, Query, Row, parse_query
from gateway.domain.reader import Reader
from gateway.errors import StoreError
from gateway.processes.indexing import Indexing
from gateway.web.guards import error

READER_HEADER = "X-Ostiary-Reader"
CATCH_UP_NANOSECONDS = 1_000_000_000

Audited = Callable[[Reader, str, Mapping[str, Any], int], Awaitable[None]]
"""Records who read what and how many rows that were. Raises StoreError when it cannot be recorded."""


class QueryRoutes:
    """Serves searches over a store, which is brought up to date first."""

    def __init__(self, *, store: AuditStore, indexing: Indexing, audited: Audited) -> None:
        self._store = store
        self._indexing = indexing
        self._audited = audited

    def routes(self) -> list[web.RouteDef]:
        """The routes of the clerk's socket."""
        return [
            web.get("/v1/records", self.search),
            web.get("/v1/records/{id}", self.one),
            web.get("/v1/positions", self.positions),
        ]

    async def search(self, request: web.Request) -> web.Response:
        """A page of records; parameters are the fields of `Query`."""
        reader = reader_of(request)
        try:
            query = parse_query(request.query.items())
        except ValueError as wrong:
            return error(
                400,
                "OST-REQ-400",
                f"The query cannot be read: {wrong}.",
                "`ostiary audit search --help` lists the filters.",
            )
        if not reader.sees_all:
            query = structs.replace(query, principal=reader.id)
        try:
            self._indexing.catch_up(CATCH_UP_NANOSECONDS)
            page = self._store.search(query)
            lag = self._indexing.lag_bytes()
            await self._audited(reader, "search", dict(request.query), len(page.rows))
        except StoreError as failed:
            return error(503, failed.code, failed.message, failed.remedy)
        rows = page.rows if reader.sees_all else tuple(mask(row) for row in page.rows)
        return _json(Page(rows=rows, cursor=page.cursor, lag_bytes=lag))

    async def one(self, request: web.Request) -> web.Response:
        """The record of a decision id, its short form or a call id; `last` is the newest decided call."""
        reader = reader_of(request)
        identifier = request.match_info["id"]
        try:
            self._indexing.catch_up(CATCH_UP_NANOSECONDS)
            row = self._last(reader) if identifier == "last" else self._store.find(identifier)
            if row is not None and not (reader.sees_all or _is_of(row, reader)):
                row = None
            await self._audited(reader, "read", {"id": identifier}, 0 if row is None else 1)
        except StoreError as failed:
            return error(503, failed.code, failed.message, failed.remedy)
        if row is None:
            return error(
                404,
                "OST-REQ-404",
                f"No record has the id {identifier[:64]!r}.",
                "`ostiary audit search` lists ids.",
            )
        return _json(row if reader.sees_all else mask(row))

    async def positions(self, _request: web.Request) -> web.Response:
        """How far each chain is indexed: what the gate's lag metric is made of."""
        try:
            return _json(self._store.positions())
        except StoreError as failed:
            return error(503, failed.code, failed.message, failed.remedy)

    def _last(self, reader: Reader) -> Row | None:
        """The newest call that policy decided."""
        principal = "" if reader.sees_all else reader.id
        page = self._store.search(Query(limit=1, type=("call",), decision=DECIDED, principal=principal))
        return page.rows[0] if page.rows else None


def reader_of(request: web.Request) -> Reader:
    """Who asks: as the gate says, else whoever is at the other end of the socket. Raises HTTPForbidden for nobody."""
    told = request.headers.get(READER_HEADER)
    if told is not None:
        try:
            reader = msgspec.json.decode(told, type=Reader)
        except (msgspec.MsgspecError, ValueError):
            reader = None
        if reader is None or not reader.id:
            # Without a name "his own records" would be everybody's.
            raise web.HTTPForbidden
        return reader
    uid = _peer_uid(request)
    return Reader(id="unknown" if uid is None else f"uid:{uid}", reader_class="owner")


def _is_of(row: Row, reader: Reader) -> bool:
    principal = row.record.principal
    return principal is not UNSET and principal.id == reader.id


def _peer_uid(request: web.Request) -> int | None:
    """The user at the other end of a Unix socket (SO_PEERCRED, unix(7)), None where the system does not tell."""
    transport = request.transport
    connection = transport.get_extra_info("socket") if transport is not None else None
    if connection is None or not hasattr(socket, "SO_PEERCRED"):
        return None
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid: int = struct.unpack("3i", data)[1]
    return uid


def _json(value: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
