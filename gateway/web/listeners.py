"""Listening sockets, bound before anything else starts: a taken port is told with who holds it and which flag moves ours."""

from __future__ import annotations

import errno
import ipaddress
import socket
from pathlib import Path

from gateway.errors import ConfigError

_BACKLOG = 1024
_LISTEN_STATE = "0A"


def parse_listen(text: str, key: str) -> tuple[str, int]:
    """`host:port` or `[v6]:port` to its parts; port 0 lets the system choose. Raises ConfigError."""
    host, separator, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        address = ipaddress.ip_address(host)
        number = int(port)
    except ValueError:
        separator = ""
    if not separator or not 0 <= number <= 65535:
        raise ConfigError(
            f"{key}: {text!r} is no address.",
            number=20,
            remedy="Write an IP address and a port: 127.0.0.1:8787.",
        )
    return str(address), number


def bind(listen: str, key: str, flag: str) -> socket.socket:
    """A bound, listening socket. Raises ConfigError that names the holder of a taken port."""
    host, port = parse_listen(listen, key)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(_BACKLOG)
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            holder = _holder(port)
            raise ConfigError(
                f"{key}: {listen} is taken{f' by {holder}' if holder else ''}.",
                number=21,
                remedy=f"Stop that process, or choose another port with {flag}.",
            ) from None
        raise ConfigError(
            f"{key}: {listen} cannot be listened on: {error.strerror}.",
            number=22,
            remedy=f"Choose another with {flag}.",
        ) from None
    return bound


def address_of(bound: socket.socket) -> str:
    """Where a socket listens, `host:port`."""
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _holder(port: int) -> str:
    """`name (process id)` of who listens on a port, where the system lets us see it (Linux), else ""."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not inodes:
        return ""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in inodes for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            continue
    return "a process of another user"


def _listening_inodes(port: int) -> list[str]:
    found: list[str] = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN_STATE and int(fields[1].rpartition(":")[2], 16) == port:
                found.append(fields[9])
    return found
