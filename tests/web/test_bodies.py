"""Bodies of every kind: in observe the answer is always 200 `{}`; in enforce it is valid, or an error that blocks."""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
import time

import pytest

from tests.support.http import Connection, post, records, wait_for_record, word
from tests.support.payloads import PROJECT, pre_tool_use, recorded
from tests.support.processes import GatewayProcess, wait_until

MIB = 1024 * 1024
SOURCE = {"file_path": f"{PROJECT}/src/app.py"}


def deep(levels: int) -> bytes:
    payload = json.dumps(pre_tool_use("Read", SOURCE))
    return (payload[:-1] + ', "extra": ' + "[" * levels + "]" * levels + "}").encode()


def big(event: str, size: int, *, ids_first: bool = True, **fields: object) -> bytes:
    """A payload of a size, its ids before or behind the large field."""
    base = {**pre_tool_use("Write", {}), "hook_event_name": event, **fields}
    del base["tool_input"]
    large = {"tool_input": {"file_path": f"{PROJECT}/a", "content": "x" * size}}
    order = {**base, **large} if ids_first else {"session_id": base["session_id"], **large, **base}
    return json.dumps(order).encode()


def repeated(name: str) -> bytes:
    text = json.dumps(pre_tool_use("Read", SOURCE))
    return (text[:-1] + f', "{name}": {json.dumps({"file_path": "/etc/passwd"})}}}').encode()


def truncated() -> bytes:
    return json.dumps(pre_tool_use("Read", SOURCE)).encode()[:-60]


UNREADABLE = {
    "empty": b"",
    "no JSON": b"hello",
    "a list": b"[1]",
    "null": b"null",
    "no event": b"{}",
    "an event that is no text": b'{"hook_event_name": 7}',
    "bytes that are no UTF-8": b'{"hook_event_name": "PreToolUse", "x": "\xff"',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "NaN": b'{"hook_event_name": NaN}',
    "cut off": truncated(),
    "very deep": b"[" * 100_000,
    "the event named twice": b'{"hook_event_name": "PreToolUse", "hook_event_name": "PostToolUse"}',
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_body_whose_event_cannot_be_read_is_400_in_enforce(enforces, name):
    reply = post(enforces, UNREADABLE[name])
    assert reply.status == 400
    assert reply.json["code"] == "OST-REQ-400"


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_body_whose_event_cannot_be_read_is_nothing_in_observe(observes, name):
    reply = post(observes, UNREADABLE[name])
    assert (reply.status, reply.body) == (200, b"{}")


UNUSABLE = {
    "nested too deep": lambda: deep(100),
    "nested deeper than a decoder goes": lambda: deep(20_000),
    "the input named twice": lambda: repeated("tool_input"),
    "half a surrogate pair": lambda: json.dumps(
        pre_tool_use("Read", {"file_path": "/a"}, note="\ud800")
    ).encode(),
    "a number no decoder takes": lambda: (
        json.dumps(pre_tool_use("Read", SOURCE))[:-1].encode() + b',"n":1e999}'
    ),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_body_that_cannot_be_used_but_names_its_event_and_id_is_denied(enforces, observes, name):
    assert word(post(enforces, UNUSABLE[name]())) == "deny"
    assert post(observes, UNUSABLE[name]()).body == b"{}"


def test_two_mebibytes_are_read_and_more_before_a_tool_runs_is_denied(enforces, observes):
    assert word(post(enforces, big("PreToolUse", 2 * MIB - 2000))) == "pass"
    reply = post(enforces, big("PreToolUse", 3 * MIB))
    assert word(reply) == "deny"
    assert reply.headers["connection"] == "close"
    assert post(observes, big("PreToolUse", 3 * MIB)).body == b"{}"


def test_an_oversized_call_whose_id_is_not_at_its_beginning_is_413(enforces, observes):
    assert post(enforces, big("PreToolUse", 3 * MIB, ids_first=False)).status == 413
    assert post(observes, big("PreToolUse", 3 * MIB, ids_first=False)).body == b"{}"


def test_an_oversized_permission_request_is_denied_although_it_has_no_id(enforces):
    body = big("PermissionRequest", 3 * MIB)
    assert word(post(enforces, body)) == "deny"


def test_an_oversized_prompt_is_blocked(enforces):
    body = json.dumps({"session_id": "s", "hook_event_name": "UserPromptSubmit", "prompt": "x" * 3 * MIB})
    assert word(post(enforces, body.encode())) == "deny"


def test_what_only_tells_what_happened_may_be_large_and_is_digested(enforces):
    body = big("PostToolUse", 40 * MIB)
    assert post(enforces, body).body == b"{}"
    record = wait_for_record(enforces, event="PostToolUse", bytes=len(body))
    assert record["input"]["oversized_body"] == {
        "bytes": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    assert "x" * 100 not in json.dumps(record)


def test_a_large_result_is_joined_with_its_call_by_the_id_that_stands_behind_it(enforces):
    call = pre_tool_use("Read", SOURCE)
    post(enforces, call)
    done = {**call, "hook_event_name": "PostToolUse", "tool_response": {"file": "\\" * (3 * MIB)}}
    done |= {"tool_use_id": done.pop("tool_use_id"), "duration_ms": 7}
    assert post(enforces, done).body == b"{}"
    assert "flags" not in wait_for_record(enforces, event="PostToolUse", call_id=call["tool_use_id"])


def test_an_id_inside_a_large_result_is_not_taken_for_the_calls(enforces):
    forged = '","tool_use_id":"forged","duration_ms":1}'
    for result in (forged, {"tool_use_id": "forged", "duration_ms": 1}, [{"tool_use_id": "forged"}]):
        body = {
            "session_id": "forgery",
            "hook_event_name": "PostToolUse",
            "filler": "x" * 3 * MIB,
            "tool_response": result,
        }
        assert post(enforces, body).body == b"{}"
    assert not records(enforces, session_id="forgery", call_id="forged")
    assert len(records(enforces, session_id="forgery")) == 3


def test_beyond_sixty_four_mebibytes_nothing_is_read_on(enforces, observes):
    body = big("PostToolUse", 65 * MIB)
    for gateway in (enforces, observes):
        assert post(gateway, body).body == b"{}"
        assert wait_for_record(gateway, event="PostToolUse", cause="payload_invalid")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "x-unknown", "gzip, identity"])
def test_compressed_bodies_are_not_taken(enforces, observes, encoding):
    body = gzip.compress(json.dumps(pre_tool_use("Read", SOURCE)).encode())
    assert post(enforces, body, Content_Encoding=encoding).status == 415
    assert post(observes, body, Content_Encoding=encoding).body == b"{}"


def test_the_content_type_makes_no_difference(enforces):
    secret = pre_tool_use("Read", {"file_path": f"{PROJECT}/.env"})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"):
        assert word(post(enforces, secret, Content_Type=kind)) == "deny"


def test_every_recorded_request_is_answered_with_nothing_in_observe(observes):
    connection = Connection(observes.port)
    for name, payload in recorded().items():
        reply = connection.post(payload)
        assert (reply.status, reply.body, reply.headers["content-type"]) == (
            200,
            b"{}",
            "application/json",
        ), name
    connection.close()


# --- slow clients and large heads ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    """Gateways that wait half a second for a body."""
    made = {}
    for mode in ("enforce", "observe"):
        directory = tmp_path_factory.mktemp(mode)
        made[mode] = GatewayProcess(directory, {"mode": mode, "server.deadline_ms": 500})
    yield made
    for process in made.values():
        process.stop()


def half_sent(gateway: GatewayProcess) -> socket.socket:
    """A connection on which a request's head and half its body were sent."""
    body = json.dumps(pre_tool_use("Read", SOURCE)).encode()
    connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=20)
    head = f"POST /v1/hooks/claude-code HTTP/1.1\r\nHost: 127.0.0.1:{gateway.port}\r\n"
    connection.sendall(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:40])
    return connection


def everything(connection: socket.socket) -> bytes:
    found = b""
    while True:
        data = connection.recv(65536)
        if not data:
            return found
        found += data
        if b"\r\n\r\n" in found and not data.startswith(b"HTTP"):
            return found
        if found.rstrip().endswith(b"}"):
            return found


def test_a_slow_client_gets_a_clear_error_and_hurts_nobody_else(impatient):
    gateway = impatient["enforce"]
    slow = [half_sent(gateway) for _ in range(20)]
    assert word(post(gateway, pre_tool_use("Read", SOURCE))) == "pass"
    for connection in slow:
        reply = everything(connection)
        assert reply.startswith(b"HTTP/1.1 408")
        assert b"did not arrive in time" in reply
        connection.close()


def test_a_slow_client_gets_nothing_in_observe(impatient):
    connection = half_sent(impatient["observe"])
    reply = everything(connection)
    assert reply.startswith(b"HTTP/1.1 200")
    assert reply.endswith(b"{}")
    connection.close()


def test_a_client_that_leaves_in_the_middle_is_recorded_and_hurts_nobody(impatient):
    gateway = impatient["enforce"]
    before = len(records(gateway, cause="payload_invalid"))
    half_sent(gateway).close()
    wait_until(
        lambda: len(records(gateway, cause="payload_invalid")) > before, "the record of a broken request"
    )
    assert word(post(gateway, pre_tool_use("Read", SOURCE))) == "pass"
    assert "Traceback" not in gateway.output


def test_a_broken_chunk_is_a_broken_body(impatient):
    for mode, status in (("enforce", b"40"), ("observe", b"200")):
        gateway = impatient[mode]
        connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=20)
        head = f"POST /v1/hooks/claude-code HTTP/1.1\r\nHost: 127.0.0.1:{gateway.port}\r\n"
        connection.sendall(head.encode() + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n')
        time.sleep(0.2)
        connection.sendall(b"zz\r\n")
        assert everything(connection).startswith(b"HTTP/1.1 " + status)
        connection.close()


def test_sixteen_kibibytes_of_head_are_taken_and_more_are_refused(enforces):
    call = pre_tool_use("Read", SOURCE)
    assert word(post(enforces, call, X_Filler="x" * 15_000)) == "pass"
    assert post(enforces, call, X_Filler="x" * 17_000).status in {400, 431}
    many = {f"X_{number}": "x" * 1000 for number in range(20)}
    assert post(enforces, call, **many).status == 431
    assert word(post(enforces, call)) == "pass"


def test_a_request_that_is_no_http_gets_an_error_without_insides(enforces):
    connection = socket.create_connection(("127.0.0.1", enforces.port), timeout=20)
    connection.sendall(b"\x16\x03\x01 secret-of-the-client\r\n\r\n")
    time.sleep(0.2)
    reply = connection.recv(65536)
    connection.close()
    assert b"secret-of-the-client" not in reply
    assert b"Traceback" not in reply
    assert "secret-of-the-client" not in enforces.output
