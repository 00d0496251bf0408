"""gRPC over HTTP/2 without TLS: cerbos.svc.v1.CerbosService/CheckResources, one call at a time on each connection.

Just enough of RFC 9113 and RFC 7541 (literals only) and of protobuf's encoding to send prepared calls and tell where a
reply ends: no client library is among the project's parts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_ACK, _END_STREAM, _END_HEADERS = 1, 1, 4
_WINDOW_BYTES = 2**30


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode()) if value else b""


def _map(field: int, entries: Iterable[tuple[str, Any]]) -> bytes:
    """A map<string, google.protobuf.Value>."""
    return b"".join(_bytes(field, _text(1, key) + _bytes(2, _value(value))) for key, value in entries)


def _value(value: Any) -> bytes:
    """A google.protobuf.Value."""
    if value is None:
        return b"\x08\x00"
    if isinstance(value, bool):
        return b"\x20" + (b"\x01" if value else b"\x00")
    if isinstance(value, int | float):
        return b"\x11" + struct.pack("<d", value)
    if isinstance(value, str):
        return _bytes(3, value.encode())
    if isinstance(value, list):
        return _bytes(6, b"".join(_bytes(1, _value(item)) for item in value))
    return _bytes(5, _map(1, value.items()))


def check_message(body: dict[str, Any]) -> bytes:
    """A CheckResourcesRequest (cerbos/request/v1/request.proto) of its JSON."""
    principal = body["principal"]
    found = _text(1, body["requestId"])
    found += _bytes(
        3,
        _text(1, principal["id"])
        + b"".join(_text(3, role) for role in principal["roles"])
        + _map(4, principal["attr"].items()),
    )
    for entry in body["resources"]:
        resource = entry["resource"]
        shape = _text(1, resource["kind"]) + _text(3, resource["id"]) + _map(4, resource["attr"].items())
        found += _bytes(4, b"".join(_text(1, action) for action in entry["actions"]) + _bytes(2, shape))
    return found


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _literal(name: bytes, value: bytes) -> bytes:
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


_HEADER_BLOCK = b"".join(
    _literal(name, value)
    for name, value in (
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", b"/cerbos.svc.v1.CerbosService/CheckResources"),
        (b":authority", b"127.0.0.1"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
    )
)


class GrpcConversation:
    """One connection, a new stream for every call."""

    def __init__(self, messages: Sequence[bytes]) -> None:
        self._messages = [b"\x00" + struct.pack(">I", len(message)) + message for message in messages]
        self._stream = -1
        self._pending = bytearray()
        self._received = bytearray()
        self.last = b""
        """The last reply's message, for a look at what was answered."""

    def opening(self) -> bytes:
        """The preface, our settings and a wide window."""
        settings = struct.pack(">HI", 4, 2**31 - 1)  # initial window of streams
        return (
            _PREFACE
            + _frame(_SETTINGS, 0, 0, settings)
            + _frame(_WINDOW, 0, 0, struct.pack(">I", _WINDOW_BYTES))
        )

    def request(self, number: int) -> bytes:
        """Headers and the one message."""
        self._stream += 2
        return _frame(_HEADERS, _END_HEADERS, self._stream, _HEADER_BLOCK) + _frame(
            _DATA, _END_STREAM, self._stream, self._messages[number % len(self._messages)]
        )

    def taken(self, data: bytearray) -> bool:
        """Whether the trailers came."""
        while len(data) >= 9:
            length = int.from_bytes(data[:3])
            if len(data) < 9 + length:
                return False
            kind, flags = data[3], data[4]
            payload = bytes(data[9 : 9 + length])
            del data[: 9 + length]
            if kind == _DATA:
                self._received += payload
                # Credit for the whole connection; that of a stream is never used up.
                self._pending += _frame(_WINDOW, 0, 0, struct.pack(">I", length)) if length else b""
            elif kind in (_SETTINGS, _PING) and not flags & _ACK:
                self._pending += _frame(kind, _ACK, 0, payload if kind == _PING else b"")
            elif kind in (_RESET, _GOAWAY):
                raise ValueError(payload)
            if kind == _HEADERS and flags & _END_STREAM:
                if len(self._received) <= 5:
                    raise ValueError("a call ended without a message")
                self.last = bytes(self._received[5:])
                self._received.clear()
                return True
        return False

    def pending(self) -> bytes:
        """Acknowledgements and credit."""
        found = bytes(self._pending)
        self._pending.clear()
        return found
