"""Which user owns the other end of a loopback connection: what an address alone does not tell. Linux only.

Asked of the kernel directly (sock_diag(7), about 30 µs) and, where that is closed, read from its table (proc(5),
/proc/net/tcp, milliseconds on a busy machine).
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import struct
from pathlib import Path

Address = tuple[str, int]

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLMSG_ERROR = 2
_NLM_F_REQUEST = 1
_ANY_STATE = 0xFFFFFFFF
_NO_COOKIE = b"\xff" * 8
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBBI")
_SOCKET_ID = struct.Struct(">HH16s16s")
_UID_OFFSET = _HEADER.size + 4 + 48 + 12
_PATIENCE_SECONDS = 0.2


def owner_of(remote: Address, local: Address) -> int | None:
    """The uid that owns the socket at `remote` of a connection to `local`, None where the system does not tell."""
    try:
        return _ask_kernel(_plain_address(remote), _plain_address(local))
    except OSError:
        return owner_in_tables(remote, local)


def _ask_kernel(remote: Address, local: Address) -> int | None:
    """The uid by sock_diag(7); None when there is no such socket. Raises OSError where it cannot be asked."""
    if not hasattr(socket, "AF_NETLINK"):
        raise OSError(errno.EAFNOSUPPORT, "no netlink here")
    family = socket.AF_INET6 if ":" in remote[0] else socket.AF_INET
    ends = (socket.inet_pton(family, remote[0]), socket.inet_pton(family, local[0]))
    # The peer's socket has our remote address as its own; interface 0 is any.
    wanted = _SOCKET_ID.pack(remote[1], local[1], *ends) + bytes(4) + _NO_COOKIE
    body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, _ANY_STATE) + wanted
    message = _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0) + body
    with socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG
    ) as netlink:
        netlink.settimeout(_PATIENCE_SECONDS)
        netlink.send(message)
        reply = netlink.recv(4096)
    kind = _HEADER.unpack_from(reply)[1]
    if kind == _NLMSG_ERROR:
        code = -struct.unpack_from("=i", reply, _HEADER.size)[0]
        if code == errno.ENOENT:
            return None
        raise OSError(code, os.strerror(code))
    uid: int = struct.unpack_from("=I", reply, _UID_OFFSET)[0]
    return uid


def owner_in_tables(remote: Address, local: Address) -> int | None:
    """The uid by the kernel's tables, None when they do not name the connection."""
    wanted = (encode_address(*remote), encode_address(*local))
    for table in _TABLES:
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if (_plain_entry(fields[1]), _plain_entry(fields[2])) == wanted:
                return int(fields[7])
    return None


def encode_address(host: str, port: int) -> str:
    """An address as the kernel's table writes it, IPv4 in IPv6 as plain IPv4."""
    address = ipaddress.ip_address(_plain_address((host, port))[0])
    if isinstance(address, ipaddress.IPv4Address):
        packed = f"{struct.unpack('=I', address.packed)[0]:08X}"
    else:
        packed = "".join(f"{word:08X}" for word in struct.unpack("=4I", address.packed))
    return f"{packed}:{port:04X}"


def _plain_address(address: Address) -> Address:
    """An address without its interface, IPv4 in IPv6 as plain IPv4."""
    parsed = ipaddress.ip_address(address[0].partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(parsed), address[1]


def _plain_entry(entry: str) -> str:
    """A table entry, with an IPv4 address in IPv6 form as plain IPv4."""
    address, _, port = entry.partition(":")
    if len(address) == 32 and address[:24] == _MAPPED:
        return f"{address[24:]}:{port}"
    return entry


_MAPPED = "".join(
    f"{word:08X}" for word in struct.unpack("=4I", socket.inet_pton(socket.AF_INET6, "::ffff:0.0.0.0"))
)[:24]
