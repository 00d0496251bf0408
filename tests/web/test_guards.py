"""Names, browsers and heads: what every listener refuses before it looks at a request."""

from __future__ import annotations

import http.client
import json

import pytest

from gateway.web.guards import allowed_hosts
from tests.support.http import get, metric, post, records, send, word
from tests.support.payloads import PROJECT, pre_tool_use
from tests.support.processes import GatewayProcess

CALL = pre_tool_use("Read", {"file_path": f"{PROJECT}/a"})
FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:8787"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": ""},
]
OWN = [{"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}, {}]


def everywhere(gateway: GatewayProcess) -> list[tuple[str, str, bytes | None]]:
    body = json.dumps(CALL).encode()
    data = f"http://127.0.0.1:{gateway.port}"
    return [
        ("POST", f"{data}/v1/hooks/claude-code", body),
        ("POST", f"{data}/ext/claude", body),
        ("GET", f"{gateway.admin_url}/metrics", None),
        ("GET", f"{gateway.admin_url}/readyz", None),
        ("GET", f"{gateway.admin_url}/v1/status", None),
    ]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_page_in_a_browser_is_refused_on_every_listener_and_counted(observes, headers):
    before = metric(observes, "ostiary_refused_requests_total", reason="browser")
    recorded = len(records(observes))
    for method, url, body in everywhere(observes):
        assert send(url, body, method=method, headers=headers).status == 403
    assert metric(observes, "ostiary_refused_requests_total", reason="browser") == before + 5
    assert len(records(observes)) == recorded


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_a_person_who_types_the_address_is_served(observes, headers):
    assert send(f"{observes.admin_url}/readyz", method="GET", headers=headers).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example",
        "",
        "127.0.0.1:1",
        "127.0.0.2:{port}",
        "[::]",
    ],
)
def test_another_hosts_name_is_misdirected_on_every_listener(observes, host):
    for method, url, body in everywhere(observes):
        port = int(url.split(":")[2].partition("/")[0])
        name = host.format(port=port)
        assert send(url, body, method=method, headers={"Host": name}).status == 421, url


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_our_own_names_are_served(observes, host):
    name = host.format(port=observes.port)
    assert post(observes, CALL, Host=name).status == 200


def test_two_hosts_are_none(observes):
    connection = http.client.HTTPConnection("127.0.0.1", observes.port, timeout=20)
    connection.putrequest("POST", "/v1/hooks/claude-code", skip_host=True)
    for _ in range(2):
        connection.putheader("Host", f"127.0.0.1:{observes.port}")
    connection.putheader("Content-Length", "2")
    connection.endheaders(b"{}")
    assert connection.getresponse().status in {400, 421}
    connection.close()


def test_further_names_of_ours_hold_with_and_without_a_port_in_any_case():
    allowed = allowed_hosts(["0.0.0.0:8787"], ["Gateway.Example", "other.example:443"])
    assert {"gateway.example", "gateway.example:8787", "other.example:443", "127.0.0.1:8787"} <= allowed
    assert "gateway.example:1" not in allowed


def test_errors_are_json_with_a_code_and_a_remedy(observes):
    for reply in (
        get(f"http://127.0.0.1:{observes.port}/v1/hooks/claude-code"),
        get(f"http://127.0.0.1:{observes.port}/nowhere"),
        get(f"{observes.admin_url}/nowhere"),
    ):
        assert set(reply.json) == {"code", "message", "remedy"}
        assert reply.json["code"] == f"OST-REQ-{reply.status}"


@pytest.mark.parametrize("agent", ["codex", "Claude-Code", "claude-code%2f", "x" * 300, "%00"])
def test_an_agent_nobody_knows_is_404_in_enforce_and_nothing_in_observe(observes, enforces, agent):
    path = f"/v1/hooks/{agent}"
    assert post(enforces, CALL, path=path).status == 404
    assert post(observes, CALL, path=path).body == b"{}"
    assert word(post(enforces, CALL)) == "pass"
