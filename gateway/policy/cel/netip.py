"""Texts of addresses and ranges, read by the grammar of Go's netip and refused in its words, which conditions can show.

Python's own reader accepts and refuses nearly the same and says other things about it.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from gateway.policy.cel.format import quote

_OCTETS: Final = 4
_FIELD_DIGITS: Final = 4
_BYTES: Final = 16
_HEX: Final = re.compile(r"[0-9a-fA-F]*")
_PREFIX: Final = re.compile(r"0|[1-9][0-9]{0,17}")


class ParsedAddress(NamedTuple):
    """An address as a number; `zone` is "" without one."""

    version: int
    bits: int
    zone: str = ""


class AddressError(ValueError):
    """A text that is no address or range; its message is Go's."""


def parse_address(text: str) -> ParsedAddress:
    """The address of a text. Raises AddressError."""
    first = next((character for character in text if character in ".:%"), "")
    if first == ".":
        return ParsedAddress(4, _v4(text, text))
    if first == ":":
        return _v6(text)
    raise _wrong(text, "missing IPv6 address" if first else "unable to parse IP")


def parse_prefix(text: str) -> tuple[ParsedAddress, int]:
    """The address and the length of a range. Raises AddressError."""
    host, slash, bits = text.rpartition("/")
    problem = ""
    if not slash:
        problem = "no '/'"
    else:
        try:
            address = parse_address(host)
        except AddressError as error:
            problem = str(error)
        else:
            if address.zone:
                problem = "IPv6 zones cannot be present in a prefix"
            elif _PREFIX.fullmatch(bits) is None:
                problem = f"bad bits after slash: {quote(bits)}"
            elif int(bits) > (32 if address.version == 4 else 128):
                problem = "prefix length out of range"
            else:
                return address, int(bits)
    raise AddressError(f"netip.ParsePrefix({quote(text)}): {problem}")


def _wrong(whole: str, message: str, at: str = "") -> AddressError:
    place = f" (at {quote(at)})" if at else ""
    return AddressError(f"ParseAddr({quote(whole)}): {message}{place}")


def _v4(whole: str, text: str) -> int:
    """The number of `text`, which is `whole` or its end."""
    found: list[int] = []
    value, digits = 0, 0
    for at, character in enumerate(text):
        if character in "0123456789":
            if digits == 1 and value == 0:
                raise _wrong(whole, "IPv4 field has octet with leading zero")
            value, digits = value * 10 + int(character), digits + 1
            if value > 255:
                raise _wrong(whole, "IPv4 field has value >255")
        elif character == ".":
            if at in {0, len(text) - 1} or text[at - 1] == ".":
                raise _wrong(whole, "IPv4 field must have at least one digit", text[at:])
            if len(found) == _OCTETS - 1:
                raise _wrong(whole, "IPv4 address too long")
            found.append(value)
            value, digits = 0, 0
        else:
            raise _wrong(whole, "unexpected character", text[at:])
    if len(found) < _OCTETS - 1:
        raise _wrong(whole, "IPv4 address too short")
    return int.from_bytes([*found, value], "big")


def _v6(whole: str) -> ParsedAddress:
    text, percent, zone = whole.partition("%")
    if percent and not zone:
        raise _wrong(whole, "zone must be a non-empty string")
    found = bytearray()
    ellipsis = -1
    if text.startswith("::"):
        ellipsis, text = 0, text[2:]
    while text and len(found) < _BYTES:
        text, more = _v6_field(whole, text, len(found), replaced=ellipsis >= 0)
        found += more
        if not text or len(more) == _OCTETS:
            break
        if text[0] != ":":
            raise _wrong(whole, "unexpected character, want colon", text)
        if len(text) == 1:
            raise _wrong(whole, "colon must be followed by more characters", text)
        text = text[1:]
        if text[0] == ":":
            if ellipsis >= 0:
                raise _wrong(whole, "multiple :: in address", text)
            ellipsis, text = len(found), text[1:]
    if text:
        raise _wrong(whole, "trailing garbage after address", text)
    if len(found) < _BYTES and ellipsis < 0:
        raise _wrong(whole, "address string too short")
    if len(found) == _BYTES and ellipsis >= 0:
        raise _wrong(whole, "the :: must expand to at least one field of zeros")
    if ellipsis >= 0:
        found[ellipsis:ellipsis] = bytes(_BYTES - len(found))
    return ParsedAddress(6, int.from_bytes(found, "big"), zone)


def _v6_field(whole: str, text: str, before: int, *, replaced: bool) -> tuple[str, bytes]:
    """What follows the first field of `text`, and its bytes: two, or four of an IPv4 address at the end."""
    match = _HEX.match(text)
    digits = match.group() if match else ""
    if len(digits) > _FIELD_DIGITS:
        raise _wrong(whole, "each group must have 4 or less digits", text)
    if not digits:
        raise _wrong(whole, "each colon-separated field must have at least one digit", text)
    rest = text[len(digits) :]
    if not rest.startswith("."):
        return rest, int(digits, 16).to_bytes(2, "big")
    if not replaced and before != _BYTES - _OCTETS:
        raise _wrong(whole, "embedded IPv4 address must replace the final 2 fields of the address", text)
    if before + _OCTETS > _BYTES:
        raise _wrong(whole, "too many hex fields to fit an embedded IPv4 at the end of the address", text)
    return "", _v4(whole, text).to_bytes(_OCTETS, "big")
