"""The query API: search the record. Served on a Unix socket in the data directory; every search is a record itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from gateway.domain.ports import AuditIndex
from gateway.domain.query import Query, Row
from gateway.errors import StoreError
from gateway.web.guards import error

_NUMBERS = frozenset({"since", "until", "limit"})
_FLAGS = frozenset({"synthetic", "newest_first"})
_LISTS = frozenset({"decision", "answer", "type"})


class QueryRoutes:
    """Serves searches over an index. `catch_up` brings it up to date first; `audited` records who asked for what."""

    def __init__(
        self,
        *,
        index: AuditIndex,
        find: Callable[[str], Row | None],
        catch_up: Callable[[], int],
        audited: Callable[[str, Mapping[str, Any]], None],
    ) -> None:
        self._index = index
        self._find = find
        self._catch_up = catch_up
        self._audited = audited

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [web.get("/v1/records", self.search), web.get("/v1/records/{id}", self.one)]

    async def search(self, request: web.Request) -> web.Response:
        """A page of records; parameters are the fields of `Query`."""
        try:
            query = parse_query(request.query.items())
        except ValueError as wrong:
            return error(
                400, "OST-REQ-400", f"The query cannot be read: {wrong}.", "docs/cli.md lists the filters."
            )
        try:
            self._catch_up()
            page = self._index.search(query)
        except StoreError as failed:
            return error(503, failed.code, failed.message, failed.remedy)
        if not query.synthetic:
            self._audited("search", dict(request.query))
        return web.Response(body=msgspec.json.encode(page), content_type="application/json")

    async def one(self, request: web.Request) -> web.Response:
        """The record of a decision id, its short form or a call id; `last` is the newest decided call."""
        identifier = request.match_info["id"]
        try:
            self._catch_up()
            row = self._last() if identifier == "last" else self._find(identifier)
        except StoreError as failed:
            return error(503, failed.code, failed.message, failed.remedy)
        if row is None:
            return error(
                404,
                "OST-REQ-404",
                f"No record has the id {identifier[:64]!r}.",
                "`ostiary audit search` lists ids.",
            )
        if not row.record.synthetic:
            self._audited("read", {"id": row.record.decision_id})
        return web.Response(body=msgspec.json.encode(row), content_type="application/json")

    def _last(self) -> Row | None:
        page = self._index.search(
            Query(limit=1, type=("call",), decision=("deny", "ask", "error", "allow", "no_policy"))
        )
        return page.rows[0] if page.rows else None


def parse_query(items: Any) -> Query:
    """A query of name and value pairs. Raises ValueError that names the wrong one."""
    values: dict[str, Any] = {}
    for name, value in items:
        if name in _NUMBERS:
            values[name] = _number(name, value)
        elif name in _FLAGS:
            values[name] = value == "true"
        elif name in _LISTS:
            values.setdefault(name, []).extend(part for part in value.split(",") if part)
        else:
            values[name] = value
    unknown = set(values) - set(Query.__struct_fields__)
    if unknown:
        raise ValueError(f"there is no filter {min(unknown)!r}")
    return msgspec.convert(values, Query)


def _number(name: str, value: str) -> int:
    if not value.isdigit() or len(value) > 19:
        raise ValueError(f"{name} is no number")
    return int(value)
