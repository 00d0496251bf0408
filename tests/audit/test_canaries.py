"""A secret in every text of every recorded request: none is found afterwards in anything the gateway wrote or tells."""

from __future__ import annotations

import hashlib
import http.client
import json
from pathlib import Path
from typing import Any

from gateway.cli.gateway_api import QUERY_SOCKET, ask_socket
from tests.support.payloads import recorded
from tests.support.processes import GatewayProcess, wait_until

KEPT = frozenset({"hook_event_name", "tool_name"})


def canary(name: str) -> str:
    """A secret of a known shape that belongs to one place of one request."""
    return "ghp_" + hashlib.sha256(name.encode()).hexdigest()[:36]


def planted(value: Any, name: str, secrets: list[str]) -> Any:
    """The value with a canary behind every text, and one as a field's name in every object."""
    if isinstance(value, str):
        secrets.append(canary(name))
        return f"{value} {secrets[-1]}"
    if isinstance(value, dict):
        return {
            key: item if key in KEPT else planted(item, f"{name}.{key}", secrets)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [planted(item, f"{name}[{at}]", secrets) for at, item in enumerate(value)]
    return value


def test_no_canary_of_any_recorded_request_reaches_disk_log_metric_or_search(tmp_path: Path) -> None:
    secrets: list[str] = []
    settings = {"mode": "enforce", "telemetry.log_level": "debug"}
    with GatewayProcess(tmp_path / "gateway", settings) as gateway:
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
        for name, payload in recorded().items():
            for at, body in enumerate(
                (payload, {**payload, "tool_input": "no object"}, {**payload, "cwd": 7})
            ):
                told = planted(body, f"{name}/{at}", secrets)
                connection.request(
                    "POST",
                    "/v1/hooks/claude-code",
                    json.dumps(told),
                    {"X-Ostiary-Home": f"/home/{canary('home')}", "Authorization": ""},
                )
                connection.getresponse().read()
        connection.request("POST", "/v1/hooks/claude-code", json.dumps({"x": canary("no event")}))
        connection.getresponse().read()
        connection.request("POST", "/v1/hooks/claude-code", f'{{"broken": "{canary("broken")}')
        connection.getresponse().read()
        connection.close()
        secrets += [canary(name) for name in ("home", "no event", "broken")]
        wait_until((gateway.data_dir / "query.sock").exists, "the clerk")
        rows = ask_socket(
            gateway.data_dir, QUERY_SOCKET, "/v1/records", {"limit": "1000", "text": secrets[0]}
        )
        assert rows.status == 200
        everything = json.dumps(
            ask_socket(gateway.data_dir, QUERY_SOCKET, "/v1/records", {"limit": "1000"}, timeout=60).body
        )
        scraped = http.client.HTTPConnection("127.0.0.1", gateway.admin_port, timeout=10)
        scraped.request("GET", "/metrics")
        everything += scraped.getresponse().read().decode()
        scraped.close()
    assert len(secrets) > 1500
    written = [path for path in (tmp_path / "gateway").rglob("*") if path.is_file()]
    assert any(path.suffix == ".jsonl" for path in written)
    kept = b"\n".join([everything.encode(), *(path.read_bytes() for path in written)])
    assert [secret for secret in secrets if secret.encode() in kept] == []
    assert kept.count(b"[erased:github_token]") > 300
