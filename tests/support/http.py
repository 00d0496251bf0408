"""Requests to a gateway under test, and what it says of itself: metrics, records, logs."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tests.support.processes import GatewayProcess, wait_until


class Reply(msgspec.Struct, frozen=True):
    """A reply: status, headers by lower-case name, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as the agent parses it."""
        return json.loads(self.body)


def send(
    url: str, body: bytes | None = None, *, method: str = "POST", headers: Mapping[str, str] | None = None
) -> Reply:
    """One request on a connection of its own; every status is a reply."""
    request = urllib.request.Request(
        url, body, {"Content-Type": "application/json", **(headers or {})}, method=method
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as reply:
            return Reply(reply.status, {k.lower(): v for k, v in reply.headers.items()}, reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())


def post(
    gateway: GatewayProcess,
    payload: Any,
    token: str = "",
    path: str = "/v1/hooks/claude-code",
    **headers: str,
) -> Reply:
    """Post a hook event as the client does. Header names are given with underscores."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return send(f"http://127.0.0.1:{gateway.port}{path}", body, headers=sent)


def get(url: str, **headers: str) -> Reply:
    """A GET."""
    return send(url, method="GET", headers={name.replace("_", "-"): value for name, value in headers.items()})


def word(reply: Reply) -> str:
    """What a reply to a guarded event tells the agent: `pass`, `ask`, `deny`, `allow`, or its status."""
    if reply.status != 200:
        return str(reply.status)
    output = reply.json.get("hookSpecificOutput", {})
    found = output.get("permissionDecision") or output.get("decision", {}).get("behavior")
    return str(found or ("deny" if reply.json.get("decision") == "block" else "pass"))


def metric(gateway: GatewayProcess, name: str, **labels: str) -> float:
    """The sum of a metric's samples that carry the labels."""
    total = 0.0
    for line in get(f"{gateway.admin_url}/metrics").body.decode().splitlines():
        series, _, value = line.rpartition(" ")
        if series.partition("{")[0] == name and all(
            f'{key}="{text}"' in series for key, text in labels.items()
        ):
            total += float(value)
    return total


def records(gateway: GatewayProcess, **fields: Any) -> list[dict[str, Any]]:
    """Every journalled record of the gate that has the fields, in order."""
    return [
        record
        for record in _lines(gateway)
        if all(record.get(name) == value for name, value in fields.items())
    ]


def wait_for_record(gateway: GatewayProcess, **fields: Any) -> dict[str, Any]:
    """The first such record, once it is there."""
    wait_until(lambda: bool(records(gateway, **fields)), f"a record with {fields}")
    return records(gateway, **fields)[0]


def _lines(gateway: GatewayProcess) -> Iterator[dict[str, Any]]:
    for chain in sorted((gateway.data_dir / "audit").glob("*.gate.*")):
        for segment in sorted(chain.glob("*.jsonl")):
            for line in segment.read_bytes().splitlines():
                found = json.loads(line)
                if "decision_id" in found:
                    yield found


class Connection:
    """One kept-alive connection, and raw bytes on it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def post(self, payload: Any, path: str = "/v1/hooks/claude-code", **headers: str) -> Reply:
        """One request."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        sent = {"Content-Type": "application/json"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        self._connection.request("POST", path, body, sent)
        reply = self._connection.getresponse()
        return Reply(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())

    def close(self) -> None:
        """Close it."""
        self._connection.close()
