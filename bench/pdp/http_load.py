"""HTTP/1.1 with kept connections: POST /api/check/resources."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def encode(bodies: Sequence[dict[str, Any]]) -> list[bytes]:
    """The requests as bytes."""
    found = []
    for body in bodies:
        text = json.dumps(body, separators=(",", ":")).encode()
        head = (
            "POST /api/check/resources HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(text)}\r\n\r\n"
        )
        found.append(head.encode() + text)
    return found


class HttpConversation:
    """One kept connection."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self._requests = requests

    def opening(self) -> bytes:
        """Nothing."""
        return b""

    def request(self, number: int) -> bytes:
        """One of the prepared requests."""
        return self._requests[number % len(self._requests)]

    def taken(self, data: bytearray) -> bool:
        """By Content-Length, or the last chunk."""
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(data[:end]).lower()
        if not head.startswith(b"http/1.1 200"):
            raise ValueError(bytes(data[:200]))
        at = head.find(b"content-length:")
        if at >= 0:
            length = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(data) < end + 4 + length:
                return False
            del data[: end + 4 + length]
            return True
        if data.endswith(b"\r\n0\r\n\r\n"):
            data.clear()
            return True
        return False

    def pending(self) -> bytes:
        """Nothing."""
        return b""
