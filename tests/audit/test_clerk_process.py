"""The clerk beside a real gate: it may die at any time, its index may vanish, and the listener asks for a credential."""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.gateway_api import QUERY_SOCKET, NotRunning, ask_socket
from gateway.identity.tokens import hash_token
from tests.support.payloads import pre_tool_use
from tests.support.processes import GatewayProcess, wait_until

TOKENS = {name: f"ost_{name:x<32}" for name in ("agent", "viewer", "auditor", "operator", "application")}


def post(gateway: GatewayProcess, payload: dict[str, Any], token: str = "") -> bytes:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(gateway.hooks_url, json.dumps(payload).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as reply:
        body: bytes = reply.read()
        return body


def records(gateway: GatewayProcess, **filters: str) -> list[dict[str, Any]]:
    """Rows from the clerk, waited for while it is away."""
    found: list[dict[str, Any]] = []

    def asked() -> bool:
        try:
            reply = ask_socket(gateway.data_dir, QUERY_SOCKET, "/v1/records", {"limit": "1000", **filters})
        except NotRunning:
            return False
        found[:] = reply.body["rows"]
        return reply.status == 200

    wait_until(asked, "an answer of the clerk")
    return found


def clerk_of(gateway: GatewayProcess) -> int:
    children = Path(f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children").read_text().split()
    return int(children[0]) if children else 0


def metric(gateway: GatewayProcess, name: str) -> float:
    with urllib.request.urlopen(f"{gateway.admin_url}/metrics", timeout=5) as reply:
        lines = reply.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).rpartition(" ")[2])


def test_a_killed_clerk_comes_back_and_has_everything(gateway: GatewayProcess) -> None:
    post(gateway, pre_tool_use("Read", {"file_path": "/home/dev/project/a"}, tool_use_id="before"))
    assert [row["record"]["call_id"] for row in records(gateway, type="call")] == ["before"]
    first = clerk_of(gateway)
    os.kill(first, signal.SIGKILL)
    post(gateway, pre_tool_use("Read", {"file_path": "/home/dev/project/b"}, tool_use_id="meanwhile"))
    wait_until(lambda: clerk_of(gateway) not in {0, first}, "another clerk")
    assert {row["record"]["call_id"] for row in records(gateway, type="call")} == {"before", "meanwhile"}


def test_a_removed_index_is_built_anew_by_the_next_clerk(gateway: GatewayProcess) -> None:
    for number in range(20):
        post(gateway, pre_tool_use("Read", {"file_path": f"/home/dev/project/{number}"}))
    before = records(gateway, type="call")
    for path in gateway.data_dir.glob("index.sqlite*"):
        path.unlink()
    old = clerk_of(gateway)
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: clerk_of(gateway) not in {0, old}, "another clerk")
    assert records(gateway, type="call") == before
    assert len(before) == 20


def test_the_lag_of_the_index_is_measured_and_ends(gateway: GatewayProcess) -> None:
    wait_until(lambda: metric(gateway, "ostiary_audit_lag_seconds") == 0, "an index without lag")
    os.kill(clerk_of(gateway), signal.SIGSTOP)
    try:
        post(gateway, pre_tool_use("Read", {"file_path": "/home/dev/project/a"}))
        wait_until(lambda: metric(gateway, "ostiary_audit_lag_seconds") > 0, "a lag")
    finally:
        os.kill(clerk_of(gateway), signal.SIGCONT)
    wait_until(lambda: metric(gateway, "ostiary_audit_lag_seconds") == 0, "the end of the lag")


@pytest.fixture
def guarded(tmp_path: Path) -> Any:
    """A gateway with one credential of each class; the agent's and the viewer's user is ann."""
    users = {"agent": "ann", "viewer": "ann", "auditor": "carl", "operator": "olga", "application": "shop"}
    entries = [
        {"hash": hash_token(TOKENS[name]), "user": user, "roles": ["engineer"], "class": name}
        for name, user in users.items()
    ]
    other = {"hash": hash_token("ost_bob"), "user": "bob", "roles": ["engineer"], "class": "agent"}
    config = tmp_path / "ostiary.yaml"
    config.write_text(json.dumps({"identity": {"tokens": [*entries, other]}}))
    with GatewayProcess(tmp_path / "gateway", config=config) as running:
        post(
            running,
            pre_tool_use("Read", {"file_path": "/home/dev/project/.env"}, tool_use_id="of-ann"),
            TOKENS["agent"],
        )
        post(
            running,
            pre_tool_use("Read", {"file_path": "/home/dev/project/x"}, tool_use_id="of-bob"),
            "ost_bob",
        )
        records(running)
        yield running


def read(gateway: GatewayProcess, path: str, token: str | None) -> tuple[int, bytes]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(f"{gateway.admin_url}{path}", headers=headers), timeout=10
        ) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def test_the_listener_tells_the_record_to_readers_only(guarded: GatewayProcess) -> None:
    for token in (None, "", TOKENS["agent"], TOKENS["application"], "ost_bob", "wrong"):
        for path in ("/v1/records", "/v1/records/of-ann", "/v1/records/last", "/v1/records/none"):
            status, body = read(guarded, path, token)
            assert status == 401
            assert b"OST-IDN-401" in body
    status, body = read(guarded, "/v1/records?type=call", TOKENS["viewer"])
    assert status == 200
    assert [row["record"]["call_id"] for row in json.loads(body)["rows"]] == ["of-ann"]
    assert b"/home/dev" not in body
    assert b"file.yaml" not in body
    assert read(guarded, "/v1/records/of-bob", TOKENS["viewer"])[0] == 404
    for name in ("auditor", "operator"):
        _, body = read(guarded, "/v1/records?type=call", TOKENS[name])
        assert {row["record"]["call_id"] for row in json.loads(body)["rows"]} == {"of-ann", "of-bob"}


def test_no_path_of_the_listener_leads_to_the_clerks_other_routes(guarded: GatewayProcess) -> None:
    for path in (
        "/v1/positions",
        "/v1/records/../positions",
        "/v1/records/%2e%2e%2fpositions",
        "/v1/records/..%2fpositions",
    ):
        status, body = read(guarded, path, TOKENS["operator"])
        assert status in {401, 403, 404}, path
        assert b".jsonl" not in body


def test_a_header_on_the_listener_does_not_make_a_reader(guarded: GatewayProcess) -> None:
    request = urllib.request.Request(
        f"{guarded.admin_url}/v1/records?type=call",
        headers={
            "Authorization": f"Bearer {TOKENS['viewer']}",
            "X-Ostiary-Reader": '{"id":"carl","reader_class":"auditor"}',
        },
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert [row["record"]["call_id"] for row in json.load(reply)["rows"]] == ["of-ann"]


def test_readings_on_the_listener_are_recorded_by_name(guarded: GatewayProcess) -> None:
    read(guarded, "/v1/records?text=env", TOKENS["auditor"])
    told = [
        row["record"]
        for row in records(guarded, type="gate")
        if row["record"]["gate"]["action"] == "audit_read"
    ]
    assert any(
        item["principal"]["id"] == "carl"
        and item["gate"]["filter"] == {"text": "env"}
        and item["gate"]["rows"] == 1
        for item in told
    )
