"""The other end of a connection, and which user owns it: what a loopback address alone does not tell.

Source: proc(5), /proc/net/tcp: local and remote address, state, and the uid of the socket's owner.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
from pathlib import Path
from weakref import WeakKeyDictionary

from aiohttp import web

from gateway.domain.ports import Peer

_TABLES = {4: Path("/proc/net/tcp"), 6: Path("/proc/net/tcp6")}


class Peers:
    """Remembers the peer of every open connection, so that the table is read once a connection."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[asyncio.BaseTransport, Peer] = WeakKeyDictionary()

    def of(self, request: web.Request) -> Peer:
        """The peer of a request; without a transport (it is already gone) nobody."""
        transport = request.transport
        if transport is None:
            return Peer()
        peer = self._known.get(transport)
        if peer is None:
            peer = self._known[transport] = _look(transport)
        return peer


def _look(transport: asyncio.BaseTransport) -> Peer:
    remote = transport.get_extra_info("peername")
    local = transport.get_extra_info("sockname")
    if not isinstance(remote, tuple) or not isinstance(local, tuple):
        return Peer()
    try:
        address = ipaddress.ip_address(str(remote[0]).partition("%")[0])
    except ValueError:
        return Peer()
    loopback = address.is_loopback
    uid = owner_of(remote[:2], local[:2]) if loopback else None
    return Peer(address=str(address), port=int(remote[1]), uid=uid, loopback=loopback)


def owner_of(remote: tuple[str, int], local: tuple[str, int]) -> int | None:
    """The uid that owns the other end of a loopback connection, None where the system does not tell."""
    wanted = {(encode_address(*remote), encode_address(*local))}
    for table in _TABLES.values():
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if (_plain(fields[1]), _plain(fields[2])) in wanted:
                return int(fields[7])
    return None


def encode_address(host: str, port: int) -> str:
    """An address as the kernel's table writes it, IPv4 in IPv6 as plain IPv4."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if isinstance(address, ipaddress.IPv4Address):
        packed = f"{struct.unpack('=I', address.packed)[0]:08X}"
    else:
        packed = "".join(f"{word:08X}" for word in struct.unpack("=4I", address.packed))
    return f"{packed}:{port:04X}"


def _plain(entry: str) -> str:
    """A table entry, with an IPv4 address in IPv6 form as plain IPv4."""
    address, _, port = entry.partition(":")
    if len(address) == 32 and address[:24] == _MAPPED:
        return f"{address[24:]}:{port}"
    return entry


_MAPPED = "".join(
    f"{word:08X}" for word in struct.unpack("=4I", socket.inet_pton(socket.AF_INET6, "::ffff:0.0.0.0"))
)[:24]
