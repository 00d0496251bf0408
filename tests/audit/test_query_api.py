"""The query API: who sees what, what is recorded of it, and that no parameter breaks it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.stores.sqlite import SqliteStore
from gateway.audit.redact import RecordRedactor, redaction_data
from gateway.clock import stopwatch
from gateway.domain.query import Page, Query, Row, parse_query
from gateway.domain.reader import Reader
from gateway.domain.record import Record, RecordedOperation, RecordedPrincipal, RecordedReason
from gateway.errors import StoreError
from gateway.processes.indexing import Indexing
from gateway.readings import Readings
from gateway.web.guards import plain_errors
from gateway.web.query_api import READER_HEADER, QueryRoutes
from tests.audit.journals import begin, fresh_id, record, steady_clock, write

VIEWER = Reader(id="ann", reader_class="viewer")
AUDITOR = Reader(id="carl", reader_class="auditor")


class Served:
    """A record of two users behind the routes, on a Unix socket."""

    def __init__(self, directory: Path) -> None:
        self.audit_dir = directory / "audit"
        self.socket = directory / "q.sock"
        self.store = SqliteStore(directory / "index.sqlite")
        self.indexing = Indexing(self.audit_dir, self.store, stopwatch)
        self.gate = begin(self.audit_dir)
        self.own = begin(self.audit_dir, worker="clerk")
        readings = Readings(
            journal=self.own,
            redactor=RecordRedactor(b"k" * 32, "kid", redaction_data()),
            instance="test",
            worker="clerk",
            clock=steady_clock,
            new_id=fresh_id,
        )
        routes = QueryRoutes(store=self.store, indexing=self.indexing, audited=readings.record)
        application = web.Application(middlewares=[plain_errors])
        application.add_routes(routes.routes())
        self.runner = web.AppRunner(application)

    async def get(
        self, path: str, reader: Reader | None = None, params: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        headers = {} if reader is None else {READER_HEADER: msgspec.json.encode(reader).decode()}
        connector = aiohttp.UnixConnector(path=str(self.socket))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"http://x{path}", headers=headers, params=params) as reply,
        ):
            return reply.status, await reply.read()

    async def page(self, reader: Reader | None = None, **filters: str) -> Page:
        status, body = await self.get("/v1/records", reader, filters)
        assert status == 200, body
        return msgspec.json.decode(body, type=Page)

    def readings(self) -> list[Record]:
        self.indexing.catch_up(10**9)
        return [row.record for row in self.store.search(Query(type=("gate",), newest_first=False)).rows]


def call(user: str, **fields: Any) -> Record:
    return record(
        principal=RecordedPrincipal(id=user, roles=("engineer",), provider="token", subject=user),
        event="PreToolUse",
        tool="Bash",
        decision="deny",
        answer="deny",
        **{
            "session_id": f"of-{user}",
            "cwd": "/home/ann/project",
            "input": {"command": "cat /etc/shadow", "n": 3},
            "operations": (
                RecordedOperation(
                    kind="file",
                    action="read",
                    id="/etc/shadow",
                    attr={"path": "/etc/shadow", "groups": ["secrets"]},
                ),
            ),
            "reasons": (
                RecordedReason(
                    rule="secrets.files",
                    text="Closed to agents",
                    resource="/etc/shadow",
                    policy="resource.file.vdefault",
                    file="baseline/file.yaml",
                    line=40,
                ),
            ),
            **fields,
        },
    )


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    serving = Served(tmp_path)
    await serving.runner.setup()
    await web.UnixSite(serving.runner, str(serving.socket)).start()
    await write(serving.gate, call("ann", call_id="a1"), call("bob", call_id="b1"))
    yield serving
    await serving.runner.cleanup()
    serving.store.close()


async def test_whoever_opens_the_socket_sees_everything(served: Served) -> None:
    page = await served.page()
    assert {row.record.call_id for row in page.rows} == {"a1", "b1"}
    assert page.lag_bytes == 0


async def test_an_auditor_sees_everything_unmasked(served: Served) -> None:
    page = await served.page(AUDITOR)
    assert {row.record.call_id for row in page.rows} == {"a1", "b1"}
    assert page.rows[0].record.reasons[0].file == "baseline/file.yaml"


async def test_a_viewer_sees_his_own_records_and_nothing_of_what_was_done(served: Served) -> None:
    status, body = await served.get("/v1/records", VIEWER)
    assert status == 200
    page = msgspec.json.decode(body, type=Page)
    assert [row.record.call_id for row in page.rows] == ["a1"]
    for hidden in (b"shadow", b"/home/ann", b"cat ", b"file.yaml", b"resource.file"):
        assert hidden not in body
    shown = page.rows[0].record
    assert shown.reasons[0].rule == "secrets.files"
    assert shown.reasons[0].text == "Closed to agents"
    assert shown.operations[0].attr == {"groups": ["secrets"]}


async def test_a_viewer_cannot_ask_for_anothers_records(served: Served) -> None:
    assert [row.record.call_id for row in (await served.page(VIEWER, principal="bob")).rows] == ["a1"]
    assert (await served.get("/v1/records/b1", VIEWER))[0] == 404
    assert (await served.get("/v1/records/a1", VIEWER))[0] == 200


async def test_the_last_decision_of_a_viewer_is_his_own(served: Served) -> None:
    _, body = await served.get("/v1/records/last", VIEWER)
    assert msgspec.json.decode(body, type=Row).record.call_id == "a1"
    _, body = await served.get("/v1/records/last")
    assert msgspec.json.decode(body, type=Row).record.call_id == "b1"


@pytest.mark.parametrize(
    "told", ["{broken", '{"id":"","reader_class":"viewer"}', '{"id":"x","reader_class":"agent"}', ""]
)
async def test_a_reader_without_a_name_or_class_is_nobody(served: Served, told: str) -> None:
    connector = aiohttp.UnixConnector(path=str(served.socket))
    for path in ("/v1/records", "/v1/records/a1"):
        async with (
            aiohttp.ClientSession(connector=connector, connector_owner=False) as session,
            session.get(f"http://x{path}", headers={READER_HEADER: told}) as reply,
        ):
            assert reply.status == 403
            assert b"shadow" not in await reply.read()
    await connector.close()


async def test_every_reading_is_recorded_with_reader_filter_and_rows(served: Served) -> None:
    await served.page(AUDITOR, text="shadow", synthetic="true")
    await served.get("/v1/records/b1", VIEWER)
    await served.page()
    told = [(item.principal, item.gate) for item in served.readings()]
    assert [(principal.id, principal.roles) for principal, _ in told][:2] == [  # type: ignore[union-attr]
        ("carl", ("auditor",)),
        ("ann", ("viewer",)),
    ]
    assert told[0][1] == {
        "action": "audit_read",
        "what": "search",
        "filter": {"text": "shadow", "synthetic": "true"},
        "rows": 2,
    }
    assert told[1][1] == {"action": "audit_read", "what": "read", "filter": {"id": "b1"}, "rows": 0}
    assert told[2][0].id.startswith("uid:")  # type: ignore[union-attr]


async def test_a_secret_that_was_searched_for_is_not_recorded(served: Served) -> None:
    secret = "ghp_" + "a1B2" * 9
    await served.page(text=secret)
    assert all(secret.encode() not in path.read_bytes() for path in served.audit_dir.glob("*/*.jsonl"))


async def test_a_reading_that_cannot_be_recorded_gives_nothing(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_record: Record, done: Any) -> None:
        done(StoreError("full", number=1))

    monkeypatch.setattr(served.own, "submit", refuse)
    status, body = await served.get("/v1/records")
    assert status == 503
    assert b"shadow" not in body


@pytest.mark.parametrize(
    "params",
    [
        {"since": "x"},
        {"limit": "-1"},
        {"limit": "٣"},
        {"nonsense": "1"},
        {"synthetic": "yes"},
        {"cursor": "1;DROP"},
    ],
)
async def test_a_query_that_cannot_be_read_is_refused_with_its_reason(
    served: Served, params: dict[str, str]
) -> None:
    status, body = await served.get("/v1/records", None, params)
    assert status == 400
    assert next(iter(params)).encode() in body


async def test_positions_are_those_of_the_index(served: Served) -> None:
    await served.page()
    _, body = await served.get("/v1/positions")
    assert msgspec.json.decode(body)[served.gate.chain] == list(served.gate.place)


@settings(max_examples=100, deadline=None)
@given(items=st.lists(st.tuples(st.sampled_from([*Query.__struct_fields__, "x"]), st.text(max_size=25))))
def test_a_query_is_read_or_refused_and_nothing_else(items: list[tuple[str, str]]) -> None:
    try:
        query = parse_query(items)
    except ValueError:
        return
    assert isinstance(query, Query)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(identifier=st.text(min_size=1, max_size=30))
def test_no_id_breaks_a_lookup(tmp_path_factory: pytest.TempPathFactory, identifier: str) -> None:
    async def run() -> None:
        serving = Served(tmp_path_factory.mktemp("s"))
        await serving.runner.setup()
        await web.UnixSite(serving.runner, str(serving.socket)).start()
        status, _ = await serving.get(f"/v1/records/{quote(identifier, safe='')}")
        assert status == 404
        await serving.runner.cleanup()
        serving.store.close()

    asyncio.run(run())
