"""IP addresses and CIDR ranges: `ip()`, `cidr()` (cel-go extension network) and Cerbos's `inIPAddrRange`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.errors import EvaluationError
from gateway.policy.cel.format import quote
from gateway.policy.cel.netip import AddressError, ParsedAddress, parse_address, parse_prefix
from gateway.policy.cel.values import Address, Network

_BITS: Final = {4: 32, 6: 128}
_LENIENT_PREFIX: Final = re.compile(r"0*[0-9]{1,3}")
_MAPPED: Final = 0xFFFF << 32
_MAPPED_BITS: Final = 96
"""The bits before the IPv4 address in ::ffff:a.b.c.d."""
_MAX_TEXT: Final = 64


def _object(address: Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return (ipaddress.IPv4Address if address.version == 4 else ipaddress.IPv6Address)(address.bits)


def address_text(address: Address) -> str:
    """The canonical text of an address (RFC 5952)."""
    return str(_object(address))


def network_text(network: Network) -> str:
    """The range as it was written, its address canonical."""
    return f"{address_text(network.address)}/{network.prefix}"


def _allowed(parsed: ParsedAddress, shown: str) -> Address:
    """An address without zone that is no IPv4 address inside IPv6."""
    if parsed.zone:
        raise EvaluationError(f"IP address {quote(shown)} with zone value is not allowed", "value")
    if parsed.version == 6 and parsed.bits >> 32 == _MAPPED >> 32:
        raise EvaluationError(f"IPv4-mapped IPv6 address {quote(shown)} is not allowed", "value")
    return Address(parsed.version, parsed.bits)


def _is(parse: Callable[[Activation, str], Any]) -> Callable[[Activation, str], bool]:
    """Whether `parse` accepts a text."""

    def check(ctx: Activation, text: str) -> bool:
        try:
            parse(ctx, text)
        except EvaluationError:
            return False
        return True

    return check


def to_ip(_ctx: Activation, value: Any) -> Address:
    """`ip(text)`, or `range.ip()`."""
    if type(value) is Network:
        return value.address
    malformed = f"IP Address {quote(value)} parse error during conversion from string"
    if len(value) > _MAX_TEXT:
        raise EvaluationError(malformed, "value")
    try:
        parsed = parse_address(value)
    except AddressError as error:
        raise EvaluationError(f"{malformed}: {error}", "value") from None
    return _allowed(parsed, value)


def to_cidr(_ctx: Activation, text: str) -> Network:
    """`cidr(text)`."""
    malformed = f"CIDR {quote(text)} parse error during conversion from string"
    if len(text) > _MAX_TEXT:
        raise EvaluationError(malformed, "value")
    try:
        parsed, prefix = parse_prefix(text)
    except AddressError as error:
        raise EvaluationError(f"{malformed}: {error}", "value") from None
    return Network(_allowed(parsed, text), prefix)


def is_canonical(ctx: Activation, text: str) -> bool:
    """`ip.isCanonical(text)`."""
    return address_text(to_ip(ctx, text)) == text


def _within(address: Address, network: Network, prefix: int) -> bool:
    shift = _BITS[network.address.version] - prefix
    return (
        address.version == network.address.version and address.bits >> shift == network.address.bits >> shift
    )


def contains_ip(ctx: Activation, network: Network, value: Any) -> bool:
    """`range.containsIP(address or text)`."""
    address = value if type(value) is Address else to_ip(ctx, value)
    return _within(address, network, network.prefix)


def contains_cidr(ctx: Activation, network: Network, value: Any) -> bool:
    """`range.containsCIDR(range or text)`."""
    inner = value if type(value) is Network else to_cidr(ctx, value)
    return network.prefix <= inner.prefix and _within(inner.address, network, network.prefix)


def masked(_ctx: Activation, network: Network) -> Network:
    """`range.masked()`: the host bits cleared."""
    shift = _BITS[network.address.version] - network.prefix
    return Network(Address(network.address.version, network.address.bits >> shift << shift), network.prefix)


def is_mask(ctx: Activation, network: Network) -> bool:
    """`range.isMask()`: whether no host bit is set."""
    return masked(ctx, network).address.bits == network.address.bits


def _is_global_unicast(address: Address) -> bool:
    parsed = _object(address)
    broadcast = address.version == 4 and address.bits == 2**32 - 1
    return not (
        broadcast
        or parsed.is_unspecified
        or parsed.is_loopback
        or parsed.is_multicast
        or _is_link_local_unicast(address)
    )


def _is_link_local_unicast(address: Address) -> bool:
    if address.version == 4:
        return address.bits >> 16 == 0xA9FE  # 169.254.0.0/16
    return address.bits >> 118 == 0xFE80 >> 6


def _is_link_local_multicast(address: Address) -> bool:
    if address.version == 4:
        return address.bits >> 8 == 0xE00000  # 224.0.0.0/24
    return address.bits >> 112 & 0xFF0F == 0xFF02  # ff02::/16


def in_ip_addr_range(_ctx: Activation, text: str, range_text: str) -> bool:
    """`text.inIPAddrRange(range)`: an IPv4 address inside IPv6 counts as IPv4, as Go's net.IP has it."""
    address = _lenient(text)
    if address is None:
        raise EvaluationError(f"invalid IP address: {text}", "value")
    host, slash, prefix = range_text.partition("/")
    base = _lenient(host) if slash else None
    bits = 128 if ":" in host else 32
    if base is None or _LENIENT_PREFIX.fullmatch(prefix) is None or int(prefix) > bits:
        raise EvaluationError(f"invalid CIDR address: {range_text}", "value")
    length = int(prefix)
    if base.version == 4 and bits == 128:  # ::ffff:a.b.c.d/n counts its prefix in 128 bits
        if length < _MAPPED_BITS:
            base = Address(6, _MAPPED | base.bits)
        else:
            length -= _MAPPED_BITS
    return _within(address, Network(base, length), length)


def _lenient(text: str) -> Address | None:
    if len(text) > _MAX_TEXT or "%" in text:
        return None
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return Address(4, int(mapped)) if mapped is not None else Address(parsed.version, int(parsed))


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "isIP": _is(to_ip),
    "isCIDR": _is(to_cidr),
    "ip": to_ip,
    "cidr": to_cidr,
    "ip.isCanonical": is_canonical,
    "family": lambda _ctx, address: address.version,
    "isLoopback": lambda _ctx, address: _object(address).is_loopback,
    "isUnspecified": lambda _ctx, address: address.bits == 0,
    "isGlobalUnicast": lambda _ctx, address: _is_global_unicast(address),
    "isLinkLocalUnicast": lambda _ctx, address: _is_link_local_unicast(address),
    "isLinkLocalMulticast": lambda _ctx, address: _is_link_local_multicast(address),
    "containsIP": contains_ip,
    "containsCIDR": contains_cidr,
    "masked": masked,
    "isMask": is_mask,
    "prefixLength": lambda _ctx, network: network.prefix,
    "inIPAddrRange": in_ip_addr_range,
}
