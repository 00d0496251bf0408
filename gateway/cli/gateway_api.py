"""How commands speak to the running gateway: HTTP on the Unix sockets of its data directory, or on a loopback listener.

Standard library only: a command that asks one question must not load a web server.
"""

from __future__ import annotations

import http.client
import json
import socket
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from gateway.errors import ConfigError, StoreError

STATUS_SOCKET = "admin.sock"
QUERY_SOCKET = "query.sock"
_LONGEST_REPLY = 64 * 1024 * 1024


class Reply(Struct, frozen=True):
    """An HTTP reply: its status and the parsed JSON body (None where there is none)."""

    status: int
    body: Any


class NotRunning(ConfigError):
    """No gateway serves this data directory."""


class Socket(http.client.HTTPConnection):
    """An HTTP connection over a Unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask_socket(
    data_dir: Path, name: str, path: str, query: Mapping[str, str] | None = None, *, timeout: float = 10.0
) -> Reply:
    """GET a path of the running gateway. Raises NotRunning when nobody serves `data_dir`, StoreError when it fails."""
    place = data_dir / name
    if len(str(place).encode()) > _LONGEST_SOCKET:
        raise ConfigError(
            f"{place} is too long for a socket.", number=40, remedy="Use a data_dir with a shorter path."
        )
    target = f"{path}?{urllib.parse.urlencode(query)}" if query else path
    connection = Socket(place, timeout)
    try:
        return _exchange(connection, "GET", target, {}, b"")
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        raise NotRunning(
            f"No gateway runs with the data directory {data_dir}.",
            number=41,
            remedy="Start it with `ostiary serve`, or name its --data-dir.",
        ) from None
    except PermissionError:
        raise NotRunning(
            f"{place} belongs to another user.",
            number=42,
            remedy="Ask as the user the gateway runs as, or set OSTIARY_TOKEN to a viewer's credential.",
        ) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise StoreError(
            f"The gateway did not answer on {place}: {error or type(error).__name__}.",
            number=43,
            remedy="Look at its log.",
        ) from None
    finally:
        connection.close()


def ask_url(
    url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None, timeout: float = 10.0
) -> Reply:
    """GET a URL, or POST a body to it, proxy variables ignored. Raises NotRunning when nothing answers there."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    try:
        return _exchange(connection, "GET" if body is None else "POST", target, headers or {}, body or b"")
    except (OSError, http.client.HTTPException) as error:
        raise NotRunning(
            f"Nothing answers at {url}: {error or type(error).__name__}.",
            number=44,
            remedy="Start the gateway with `ostiary serve`, or name its address.",
        ) from None
    finally:
        connection.close()


def _exchange(
    connection: http.client.HTTPConnection, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> Reply:
    connection.request(method, target, body or None, dict(headers))
    answer = connection.getresponse()
    raw = answer.read(_LONGEST_REPLY)
    try:
        return Reply(answer.status, json.loads(raw) if raw else None)
    except ValueError:
        return Reply(answer.status, None)


_LONGEST_SOCKET = 107
"""Bytes of a Unix socket's path: sun_path of unix(7), less its end mark."""
