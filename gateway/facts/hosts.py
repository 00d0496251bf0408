"""Hosts as written in a URL to one spelling, and the groups they are in. No name is ever resolved."""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Iterable, Iterator
from importlib import resources

import msgspec
import yaml
from cachetools import LRUCache
from msgspec import Struct

from gateway.domain.vocabulary import HOST_GROUPS
from gateway.facts.urls import authorities

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NUMERIC = re.compile(r"(?:0[xX][0-9a-fA-F]*|\d+)(?:\.(?:0[xX][0-9a-fA-F]*|\d+)){0,3}\Z")
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\Z")
_DOTTED = re.compile(r"(?<![0-9])(\d{1,3})[.-](\d{1,3})[.-](\d{1,3})[.-](\d{1,3})(?![0-9])")
_HEXADECIMAL = re.compile(r"(?<![0-9a-z])[0-9a-f]{8}(?![0-9a-z])")
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_ISATAP = 0x5EFE
_MAX_NAME = 255


class Names(Struct, frozen=True, forbid_unknown_fields=True):
    """Names of hosts, whole or by their ending."""

    names: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()

    def hold(self, name: str) -> bool:
        """Whether a canonical name is one of them."""
        return name in self.names or name.endswith(self.suffixes)


class Metadata(Struct, frozen=True, forbid_unknown_fields=True):
    """Where machines of a cloud find their own credentials."""

    names: frozenset[str]
    networks: tuple[str, ...]


class HostData(Struct, frozen=True, forbid_unknown_fields=True):
    """The data file."""

    ports: dict[str, int]
    special: frozenset[str]
    hostless: frozenset[str]
    loopback: Names
    here: frozenset[str]
    loopback_by_dns: frozenset[str]
    address_by_dns: frozenset[str]
    private: Names
    metadata: Metadata


def _names(patterns: Iterable[str]) -> Names:
    """Names as an operator writes them, `*.name` for every host below one."""
    texts = tuple(patterns)
    return Names(
        names=frozenset(canonical_host(text) for text in texts if not text.startswith("*.")),
        suffixes=tuple(f".{canonical_host(text[2:])}" for text in texts if text.startswith("*.")),
    )


def host_data() -> HostData:
    """The shipped data file."""
    text = resources.files("gateway.facts").joinpath("hosts.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), HostData)


class Host(Struct, frozen=True):
    """A host: its canonical name or address, port (0 when unknown), scheme and groups. No name: it could not be read."""

    name: str
    port: int
    scheme: str
    groups: tuple[str, ...]


class Hosts:
    """The hosts of one installation; `own_names` and `own_ports` are where the gateway itself listens.

    `project` are names of the project's own hosts, `registries` of package registries that an option
    of an install may name; `*.name` stands for all below a name.
    """

    def __init__(
        self,
        data: HostData,
        own_ports: frozenset[int] = frozenset(),
        own_names: Iterable[str] = (),
        *,
        project: Iterable[str] = (),
        registries: Iterable[str] = (),
    ) -> None:
        self._data = data
        self.own_ports = own_ports
        """Ports the gateway itself listens on."""
        self._own_names = frozenset(canonical_host(name) for name in own_names)
        self._project = _names(project)
        self._registries = _names(registries)
        self._metadata = tuple(ipaddress.ip_network(text) for text in data.metadata.networks)
        self._known: LRUCache[tuple[str, int], tuple[str, ...]] = LRUCache(maxsize=4096)

    def of_url(self, url: str) -> tuple[Host, ...]:
        """Every host that a client may take a URL to name; none when its scheme names none."""
        found: list[Host] = []
        for authority in authorities(url, self._data.special):
            if authority.scheme in self._data.hostless:
                continue
            default = self._data.ports.get(authority.scheme, 0)
            port = default if authority.port is None else authority.port
            found.append(self.of_name(authority.host, port, authority.scheme))
        return tuple(found)

    def of_name(self, name: str, port: int = 0, scheme: str = "") -> Host:
        """A host by the name or address that a field gives."""
        canonical = canonical_host(name)
        if not canonical:
            return Host("", port, scheme, ())
        key = (canonical, port)
        groups = self._known.get(key)
        if groups is None:
            groups = self._known[key] = self._groups(canonical, port)
        return Host(canonical, port, scheme, groups)

    def is_metadata_name(self, name: str) -> bool:
        """Whether a name, in any case, is one under which a machine's own credentials are found."""
        return name.lower().removesuffix(".") in self._data.metadata.names

    def is_registry(self, name: str) -> bool:
        """Whether packages from a host come from a registry that people here use."""
        return self._registries.hold(canonical_host(name) or name)

    def _groups(self, name: str, port: int) -> tuple[str, ...]:
        address = _address(name)
        if address is None:
            found = self._of_name(name)
        else:
            found = {group for reading in _addresses(address) for group in self._of_address(reading)}
        if port in self.own_ports and (
            "loopback" in found or name in self._own_names or name in self._data.here
        ):
            found.add("gateway_self")
        if self._project.hold(name):
            found.add("project")
        return tuple(group for group in HOST_GROUPS if group in found)

    def _of_address(self, address: Address) -> set[str]:
        found = {"metadata"} if any(address in network for network in self._metadata) else set()
        if address.is_loopback or address.is_unspecified:
            return found | {"loopback"}
        return found | {"public" if address.is_global else "private"}

    def _of_name(self, name: str) -> set[str]:
        """The groups of a name, and those of the address it spells, since DNS may answer with that."""
        data = self._data
        found = {"metadata"} if name in data.metadata.names else set()
        if data.loopback.hold(name):
            found.add("loopback")
        elif "." not in name or data.private.hold(name):
            found.add("private")
        else:
            found.add("public")
        if _in_domains(name, data.loopback_by_dns):
            found.add("loopback")
        for address in _written_in(name, hexadecimal=_in_domains(name, data.address_by_dns)):
            found |= self._of_address(address)
        return found


def canonical_host(name: str) -> str:
    """One spelling of a host: lower case, no final dot, IDNA, numeric IPv4 in any base as dotted decimal, IPv6 compressed.

    "" when it is no host at all.
    """
    text = name.strip().strip("[]").partition("%")[0]
    if not text.isascii():
        text = _mapped(text)
    text = text.lower().removesuffix(".")
    if _NUMERIC.match(text):
        try:
            return str(ipaddress.IPv4Address(socket.inet_aton(text)))
        except (OSError, ValueError):
            return ""
    if ":" in text:
        try:
            address = ipaddress.IPv6Address(text)
        except ValueError:
            return ""
        return str(address.ipv4_mapped or address)
    return text if len(text) <= _MAX_NAME and _NAME.match(text) else ""


def _mapped(text: str) -> str:
    """A name beyond ASCII as DNS writes it (IDNA); digits and dots of other scripts become those of ASCII."""
    try:
        return text.encode("idna").decode("ascii")
    except UnicodeError:
        flat = unicodedata.normalize("NFKC", text).casefold().replace("\u3002", ".")
        return "".join(character for character in flat if unicodedata.category(character) != "Cf")


def _address(name: str) -> Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _addresses(address: Address) -> Iterator[Address]:
    """An address, and the IPv4 addresses that one of IPv6 leads to: mapped, compatible, NAT64, 6to4, Teredo, ISATAP."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    number = int(address)
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    compatible = number >> 32 == 0 and number > 0xFFFF
    if compatible or any(address in network for network in _NAT64) or (number >> 32) & 0xFFFF == _ISATAP:
        yield ipaddress.IPv4Address(number & 0xFFFFFFFF)


def _written_in(name: str, *, hexadecimal: bool) -> Iterator[Address]:
    """The IPv4 addresses that a name spells (`10.0.0.1.nip.io`, `ip-10-0-0-1.example`): DNS may answer with them."""
    for found in _DOTTED.finditer(name):
        numbers = [int(text) for text in found.groups()]
        if max(numbers) <= 255:
            yield ipaddress.IPv4Address(bytes(numbers))
    if hexadecimal:
        for found in _HEXADECIMAL.finditer(name):
            yield ipaddress.IPv4Address(int(found.group(), 16))


def _in_domains(name: str, domains: frozenset[str]) -> bool:
    at = 0
    while True:
        if name[at:] in domains:
            return True
        at = name.find(".", at) + 1
        if not at:
            return False
