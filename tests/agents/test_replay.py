"""Recorded requests of the real client, posted to a gateway as the client posts them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.vocabulary import DECIDED_EVENTS
from tests.agents.protocol import problems
from tests.support.payloads import recorded
from tests.support.processes import GatewayProcess

RECORDED = recorded()
CLIENT_HEADERS = {
    "Accept": "application/json, text/plain, */*",
    "Content-Type": "application/json",
    "User-Agent": "axios/1.15.2",
    "Accept-Encoding": "gzip, compress, deflate, br",
}


class Poster:
    """Posts events over one kept connection."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self._connection = HTTPConnection("127.0.0.1", gateway.port, timeout=10)

    def post(self, payload: dict[str, Any], **headers: str) -> tuple[int, bytes]:
        """Status and body of the reply to one event."""
        body = json.dumps(payload).encode()
        self._connection.request("POST", "/v1/hooks/claude-code", body, {**CLIENT_HEADERS, **headers})
        reply = self._connection.getresponse()
        return reply.status, reply.read()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


@pytest.fixture(params=["observe", "enforce"])
def mode(request: pytest.FixtureRequest) -> str:
    """Each mode in turn."""
    return str(request.param)


@pytest.fixture
def poster(mode: str, tmp_path: Path) -> Iterator[Poster]:
    """A connection to a gateway in that mode."""
    with GatewayProcess(tmp_path / "gateway", {"mode": mode}) as gateway:
        poster = Poster(gateway)
        yield poster
        poster.close()


def test_every_recorded_request_is_answered_with_an_empty_object_or_a_valid_stop(
    mode: str, poster: Poster
) -> None:
    assert len(RECORDED) == 113
    replies = {name: poster.post(payload) for name, payload in RECORDED.items()}
    assert {status for status, _ in replies.values()} == {200}
    if mode == "observe":
        assert {body for _, body in replies.values()} == {b"{}"}
    for name, (_, body) in replies.items():
        event = RECORDED[name]["hook_event_name"]
        assert problems(event, body) == [], name
        assert body == b"{}" or event in DECIDED_EVENTS, name


@pytest.mark.parametrize("name", ["SessionStart-startup", "SessionStart-compact", "Setup-init"])
def test_a_hook_that_can_show_a_notice_gets_one(mode: str, poster: Poster, name: str) -> None:
    status, body = poster.post(RECORDED[name], **{"X-Ostiary-Notice": "session"})
    told = json.loads(body)
    assert status == 200
    assert problems(RECORDED[name]["hook_event_name"], body) == []
    assert set(told) == {"systemMessage"}
    assert ("is watching" if mode == "observe" else "governs") in told["systemMessage"]
