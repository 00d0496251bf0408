"""Hosts as written in a URL to one spelling, and the groups they are in. No name is ever resolved."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from msgspec import Struct

_METADATA = frozenset(
    {
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
        "metadata.google.internal",
        "metadata.goog",
        "metadata",
        "instance-data",
        "instance-data.ec2.internal",
    }
)
_PORTS = {"http": 80, "https": 443, "ftp": 21, "ws": 80, "wss": 443, "ssh": 22, "git": 9418}
_NUMERIC = re.compile(r"(?:0[xX][0-9a-fA-F]*|\d+)(?:\.(?:0[xX][0-9a-fA-F]*|\d+)){0,3}\.?\Z")
_PRIVATE_SUFFIXES = (
    ".internal",
    ".local",
    ".lan",
    ".intranet",
    ".corp",
    ".home.arpa",
    ".svc",
    ".cluster.local",
)


class Host(Struct, frozen=True):
    """A host: its canonical name or address, port (0 when unknown), scheme and groups."""

    name: str
    port: int
    scheme: str
    groups: tuple[str, ...]


def host_of_url(url: str, self_ports: frozenset[int]) -> Host | None:
    """The host of a URL, None when it names none. A URL without a scheme is read as a client would complete it."""
    text = "".join(character for character in url.strip() if character not in "\t\r\n").replace("\\", "/")
    if "://" not in text:
        text = f"https://{text.lstrip('/')}"
    try:
        parts = urlsplit(text)
        name = parts.hostname or ""
        port = parts.port or _PORTS.get(parts.scheme.lower(), 0)
    except ValueError:
        return Host("", 0, "", ("public",))
    if not name:
        return None
    if parts.scheme.lower() not in _PORTS:
        return None
    canonical = canonical_host(name)
    return Host(canonical, port, parts.scheme.lower(), groups_of(canonical, port, self_ports))


def canonical_host(name: str) -> str:
    """One spelling of a host: lower case, no final dot, IDNA, numeric IPv4 in any base as dotted decimal, IPv6 compressed."""
    text = name.strip().rstrip(".").lower().strip("[]").partition("%")[0]
    if _NUMERIC.match(text):
        try:
            return str(ipaddress.IPv4Address(socket.inet_aton(text)))
        except (OSError, ValueError):
            return text
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        pass
    else:
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return str(mapped or address)
    try:
        encoded = text.encode("idna").decode("ascii")
    except UnicodeError:
        return text
    return canonical_host(encoded) if encoded != text and _NUMERIC.match(encoded) else encoded.lower()


def groups_of(name: str, port: int, self_ports: frozenset[int]) -> tuple[str, ...]:
    """The groups of a canonical host."""
    found: list[str] = []
    try:
        address: ipaddress.IPv4Address | ipaddress.IPv6Address | None = ipaddress.ip_address(name)
    except ValueError:
        address = None
    if address is not None:
        loopback = address.is_loopback or address.is_unspecified
        private = not address.is_global
    else:
        loopback = (
            name == "localhost" or name.endswith((".localhost", ".localdomain")) or name == "ip6-localhost"
        )
        private = "." not in name or name.endswith(_PRIVATE_SUFFIXES)
    if name in _METADATA:
        found.append("metadata")
    if loopback:
        found.append("loopback")
        if port in self_ports:
            found.append("gateway_self")
    elif private:
        found.append("private")
    else:
        found.append("public")
    return tuple(found)
