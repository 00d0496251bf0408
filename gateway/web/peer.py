"""The other end of a connection: its address, whether it is this machine, and which of its users owns it."""

from __future__ import annotations

import asyncio
import ipaddress
from weakref import WeakKeyDictionary

from aiohttp import web

from gateway.domain.ports import Peer
from gateway.web.socket_owner import owner_of


class Peers:
    """Remembers the peer of every open connection, so that the kernel is asked once a connection."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[asyncio.BaseTransport, Peer] = WeakKeyDictionary()

    def of(self, request: web.Request) -> Peer:
        """The peer of a request; without a transport (it is already gone) nobody."""
        transport = request.transport
        if transport is None:
            return Peer()
        peer = self._known.get(transport)
        if peer is None:
            peer = self._known[transport] = peer_of(
                transport.get_extra_info("peername"), transport.get_extra_info("sockname")
            )
        return peer


def peer_of(remote: object, local: object) -> Peer:
    """The peer at `remote` of a connection to `local`, both as the socket module gives them; nobody for other forms."""
    if not isinstance(remote, tuple) or not isinstance(local, tuple):
        return Peer()
    try:
        address = ipaddress.ip_address(str(remote[0]).partition("%")[0])
    except ValueError:
        return Peer()
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        # A socket that listens for both families writes IPv4 callers this way.
        address = address.ipv4_mapped
    loopback = address.is_loopback
    port = int(remote[1])
    uid = owner_of((str(remote[0]), port), (str(local[0]), int(local[1]))) if loopback else None
    return Peer(address=str(address), port=port, uid=uid, loopback=loopback)
