"""Every admin route against every credential class: the table is made from the routes, so a new one must be entered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.assurance.readiness import Readiness
from gateway.identity.tokens import hash_token
from gateway.telemetry import Telemetry
from gateway.web.admin import AdminRoutes
from gateway.web.hooks import HOOKS_ROUTE, LEGACY_ROUTE
from gateway.web.query_forward import QueryForward
from tests.support.http import get, post, send, word
from tests.support.payloads import PROJECT, pre_tool_use
from tests.support.processes import GatewayProcess, wait_until

CLASSES = ("agent", "application", "viewer", "auditor", "operator")
READERS = {"viewer", "auditor", "operator"}
CALL = pre_tool_use("Read", {"file_path": f"{PROJECT}/a"})
ANYBODY: set[str] = {"", "unknown", *CLASSES}

MAY_READ: dict[str, set[str]] = {
    "GET /metrics": ANYBODY,
    "GET /livez": ANYBODY,
    "GET /readyz": ANYBODY,
    "GET /readyz?verbose": READERS,
    "GET /v1/status": READERS,
    "GET /v1/records": READERS,
    "GET /v1/records/{id}": READERS,
}
"""Route -> who may use it; "" is a request without a credential. A route that is missing here fails the first test."""


def token(name: str) -> str:
    return f"ost_{name:x<32}"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory) -> Iterator[GatewayProcess]:
    entries = [
        {"hash": hash_token(token(name)), "user": name, "roles": ["engineer"], "class": name}
        for name in CLASSES
    ]
    settings = {"mode": "enforce", "identity.tokens": json.dumps(entries)}
    with GatewayProcess(tmp_path_factory.mktemp("admin"), settings) as running:
        wait_until((running.data_dir / "query.sock").exists, "the clerk's socket")
        yield running


def test_every_route_has_its_line_in_the_table():
    telemetry = Telemetry(agents=(), tools=(), rules=(), version="1")
    admin = AdminRoutes(telemetry=telemetry, readiness=Readiness(), identities=None, status=dict)
    queries = QueryForward(identities=None, socket=Path("query.sock"))
    routes = [*admin.routes(), *queries.routes()]
    assert {f"{route.method} {route.path}" for route in routes} <= set(MAY_READ)


@pytest.mark.parametrize("route", MAY_READ)
@pytest.mark.parametrize("name", ["", "unknown", *CLASSES])
def test_a_route_serves_exactly_the_classes_of_the_table(gateway, route, name):
    method, _, path = route.partition(" ")
    headers = {"Authorization": f"Bearer {token(name)}"} if name else {}
    reply = send(f"{gateway.admin_url}{path.replace('{id}', 'none')}", method=method, headers=headers)
    served = {404} if "{id}" in path else {200}
    assert reply.status in (served if name in MAY_READ[route] else {401})
    if reply.status == 401:
        assert set(reply.json) == {"code", "message", "remedy"}


@pytest.mark.parametrize("route", MAY_READ)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_is_changed_over_http(gateway, route, method):
    path = route.partition(" ")[2].replace("{id}", "none")
    headers = {"Authorization": f"Bearer {token('operator')}"}
    assert send(f"{gateway.admin_url}{path}", b"{}", method=method, headers=headers).status == 405


@pytest.mark.parametrize("path", [f"{HOOKS_ROUTE}/claude-code", LEGACY_ROUTE])
@pytest.mark.parametrize("name", CLASSES)
def test_hooks_take_an_agents_credential_and_no_other(gateway, path, name):
    assert word(post(gateway, CALL, token(name), path=path)) == ("pass" if name == "agent" else "deny")


def test_probes_say_one_word(gateway):
    assert get(f"{gateway.admin_url}/livez").body == b"ok\n"
    assert get(f"{gateway.admin_url}/readyz").body == b"ok\n"


def test_the_data_listener_has_no_admin_route_and_the_other_way_round(gateway):
    headers = {"Authorization": f"Bearer {token('operator')}"}
    for path in ("/metrics", "/livez", "/readyz", "/v1/status", "/v1/records"):
        assert send(f"http://127.0.0.1:{gateway.port}{path}", method="GET", headers=headers).status == 404
    assert send(f"{gateway.admin_url}{LEGACY_ROUTE}", b"{}", headers=headers).status == 404


def test_the_detail_of_readiness_names_every_check(gateway):
    reply = send(
        f"{gateway.admin_url}/readyz?verbose",
        method="GET",
        headers={"Authorization": f"Bearer {token('viewer')}"},
    )
    assert reply.json["checks"] == dict.fromkeys(["policies", "journal", "canary", "serving"], "ok")


def test_the_unix_socket_is_its_owners_alone(gateway):
    socket = gateway.data_dir / "admin.sock"
    assert socket.stat().st_mode & 0o777 == 0o600
    assert gateway.data_dir.stat().st_mode & 0o777 == 0o700
