"""The HTTP backend against PDPs that misbehave: each is a failure in time, and none is an answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from adapters.pdp.cerbos_http import BATCH, CerbosHttpPdp, CerbosSettings
from gateway.clock import stopwatch
from gateway.domain.check import NO_MATCH
from gateway.errors import PdpInvalid, PdpUnavailable
from gateway.wire.cerbos import decode_check_response, encode_check_request
from tests.pdp.contract import asked, request
from tests.support.processes import free_port

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def allowed(body: dict, effect: str = "EFFECT_ALLOW", **meta) -> dict:
    """What a PDP would answer that says the same of everything."""
    return {
        "requestId": body["requestId"],
        "results": [
            {
                "resource": {key: entry["resource"].get(key, "") for key in ("kind", "id", "scope")},
                "actions": dict.fromkeys(entry["actions"], effect),
                **meta,
            }
            for entry in body["resources"]
        ],
    }


@asynccontextmanager
async def serving(handler: Handler, **settings) -> AsyncIterator[tuple[CerbosHttpPdp, list]]:
    """A PDP made of one handler, the backend that asks it, and what the backend observed."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    observed: list[tuple[str, float]] = []
    url = f"http://127.0.0.1:{port}"
    pdp = CerbosHttpPdp(
        CerbosSettings(**{"url": url, "timeout_seconds": 5.0, **settings}),
        stopwatch,
        lambda code, seconds: observed.append((code, seconds)),
    )
    try:
        yield pdp, observed
    finally:
        await pdp.close()
        await runner.cleanup()


async def test_it_asks_for_what_tells_no_policy_from_denied():
    bodies = []

    async def handle(http: web.Request) -> web.Response:
        bodies.append(await http.json())
        return web.json_response(allowed(bodies[-1]))

    async with serving(handle) as (pdp, observed):
        answer = await pdp.decide(request(asked()), 5.0)
    assert bodies[0]["includeMeta"] is True
    assert answer.results[0].actions["read"].matched_policy != NO_MATCH
    assert [code for code, _ in observed] == ["200"]


async def test_batches_hold_at_most_fifty_resources_and_run_side_by_side():
    sizes, running, most = [], 0, 0

    async def handle(http: web.Request) -> web.Response:
        nonlocal running, most
        body = await http.json()
        sizes.append(len(body["resources"]))
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        return web.json_response(allowed(body))

    async with serving(handle) as (pdp, _):
        answer = await pdp.decide(request(*(asked(name=f"n{number}") for number in range(201))), 5.0)
    assert [result.id for result in answer.results] == [f"n{number}" for number in range(201)]
    assert (max(sizes), sum(sizes), most) == (BATCH, 201, 5)


async def test_one_failed_batch_fails_the_call():
    async def handle(http: web.Request) -> web.Response:
        body = await http.json()
        if any(entry["resource"]["id"] == "n60" for entry in body["resources"]):
            return web.Response(status=503)
        return web.json_response(allowed(body))

    async with serving(handle) as (pdp, _):
        with pytest.raises(PdpUnavailable):
            await pdp.decide(request(*(asked(name=f"n{number}") for number in range(100))), 5.0)


async def test_a_slow_pdp_is_unavailable_when_the_deadline_is_reached():
    async def handle(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        raise AssertionError

    async with serving(handle) as (pdp, observed):
        with pytest.raises(PdpUnavailable, match="longer"):
            await pdp.decide(request(asked()), 0.1)
    assert "timeout" in {code for code, _ in observed}


async def test_a_pdp_that_is_not_there_is_unavailable():
    pdp = CerbosHttpPdp(
        CerbosSettings(url=f"http://127.0.0.1:{free_port()}"), stopwatch, lambda *_observed: None
    )
    with pytest.raises(PdpUnavailable, match="reached"):
        await pdp.decide(request(asked()), 5.0)
    assert await pdp.server_version() == ""
    await pdp.close()


async def test_a_redirect_is_not_followed():
    asked_paths = []

    async def handle(http: web.Request) -> web.Response:
        asked_paths.append(http.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with serving(handle) as (pdp, _):
        with pytest.raises(PdpInvalid, match="307"):
            await pdp.decide(request(asked()), 5.0)
    assert asked_paths == ["/api/check/resources"]


async def test_proxy_variables_are_ignored(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    async def handle(http: web.Request) -> web.Response:
        return web.json_response(allowed(await http.json()))

    async with serving(handle) as (pdp, _):
        assert len((await pdp.decide(request(asked()), 5.0)).results) == 1


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (400, PdpInvalid),
        (401, PdpInvalid),
        (404, PdpInvalid),
        (500, PdpInvalid),
        (429, PdpUnavailable),
        (502, PdpUnavailable),
        (503, PdpUnavailable),
        (504, PdpUnavailable),
    ],
)
async def test_a_status_that_is_no_answer_is_a_failure(status, failure):
    async def handle(_: web.Request) -> web.Response:
        return web.json_response({"code": 3, "message": "why"}, status=status)

    async with serving(handle) as (pdp, observed):
        with pytest.raises(failure, match="why"):
            await pdp.decide(request(asked()), 5.0)
    assert [code for code, _ in observed] == [str(status)]


async def test_a_body_without_end_is_cut_off():
    async def handle(http: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(http)
        for _ in range(200):
            await reply.write(b" " * 65536)
        return reply

    async with serving(handle, timeout_seconds=20.0) as (pdp, _):
        with pytest.raises(PdpInvalid, match="bytes"):
            await pdp.decide(request(asked()), 20.0)


async def test_connections_are_kept_and_counted():
    async def handle(http: web.Request) -> web.Response:
        return web.json_response(allowed(await http.json()))

    async with serving(handle) as (pdp, _):
        for _ in range(5):
            await pdp.decide(request(asked()), 5.0)
        assert pdp.connections_made == 1


QUESTION = request(asked(name="a"), asked(name="b"), asked("write", name="a", scope="site"))
GOOD = allowed(json.loads(encode_check_request(QUESTION)))


def changed(**fields) -> bytes:
    return json.dumps({**GOOD, **fields}).encode()


def first(**fields) -> bytes:
    head, *rest = GOOD["results"]
    return changed(results=[{**head, **fields}, *rest])


def test_the_good_answer_is_taken():
    assert len(decode_check_response(changed(), QUESTION).results) == 3
    assert len(decode_check_response(changed(futureField={"x": 1}), QUESTION).results) == 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"<html>",
        b"\xff\xfe",
        b'{"results": [' + b"[" * 5000,
        changed(results=[]),
        changed(results=GOOD["results"][:2]),
        changed(results=[*GOOD["results"], GOOD["results"][0]]),
        changed(results=GOOD["results"][::-1]),
        changed(results={"a": 1}),
        first(resource={"kind": "note", "id": "b"}),
        first(resource={"kind": "file", "id": "a"}),
        first(resource={"kind": "note", "id": "a", "scope": "site"}),
        first(actions={}),
        first(actions={"read": "EFFECT_MAYBE"}),
        first(actions={"read": True}),
        first(actions={"write": "EFFECT_ALLOW"}),
        first(actions={"read": "EFFECT_ALLOW", "write": "EFFECT_ALLOW"}),
        first(actions=["EFFECT_ALLOW"]),
        first(meta={"actions": []}),
        first(outputs={"val": "x"}),
    ],
)
def test_an_answer_that_does_not_fit_its_question_is_nonsense(body):
    with pytest.raises(PdpInvalid):
        decode_check_response(body, QUESTION)


@given(st.binary(max_size=300) | st.integers(0, 2**20).map(lambda at: changed()[: at % len(changed())]))
def test_no_bytes_are_taken_for_an_answer_by_accident(body):
    with pytest.raises(PdpInvalid):
        decode_check_response(body, QUESTION)
