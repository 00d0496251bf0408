"""Sizes, types and conversions (CEL language definition, "Standard definitions")."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.errors import EvaluationError, overflow
from gateway.policy.cel.format import quote
from gateway.policy.cel.functions_network import address_text, network_text
from gateway.policy.cel.gotext import (
    double_text,
    duration_text,
    parse_duration,
    parse_timestamp,
    timestamp_text,
)
from gateway.policy.cel.operators import checked_int, checked_timestamp, checked_uint
from gateway.policy.cel.values import (
    MAX_INT,
    MAX_UINT,
    MIN_INT,
    Address,
    Duration,
    Hierarchy,
    Network,
    SpiffeId,
    SpiffeTrustDomain,
    Timestamp,
    TypeValue,
    Uint,
    kind_of,
)

_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,64}")
_UNSIGNED: Final = re.compile(r"[0-9]{1,64}")
_DOUBLE: Final = re.compile(
    r"[+-]?(?:(?:[0-9](?:_?[0-9])*(?:\.(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9]+)?"
    r"|inf|infinity|nan)",
    re.IGNORECASE,
)
_HEX_DOUBLE: Final = re.compile(
    r"[+-]?0[xX](?:(?:_?[0-9a-fA-F])+\.?(?:[0-9a-fA-F](?:_?[0-9a-fA-F])*)?|\.[0-9a-fA-F](?:_?[0-9a-fA-F])*)"
    r"[pP][+-]?[0-9]+"
)
_BOOLS: Final = dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True) | dict.fromkeys(
    ("0", "f", "F", "false", "FALSE", "False"), False
)
_MAX_NUMBER_TEXT: Final = 400


def conversion_error(value: Any, target: str) -> EvaluationError:
    """The error of a conversion between types that has no result."""
    return EvaluationError(f"type conversion error from '{kind_of(value)}' to '{target}'", "type")


def size(_ctx: Activation, value: Any) -> int:
    """Code points, bytes, elements, entries or parts."""
    return len(value.parts) if type(value) is Hierarchy else len(value)


def type_value(_ctx: Activation, value: Any) -> TypeValue:
    """`type(value)`."""
    return TypeValue(kind_of(value))


def identity(_ctx: Activation, value: Any) -> Any:
    """`dyn(value)` and `id(value)`."""
    return value


def to_bool(_ctx: Activation, value: Any) -> bool:
    """`bool(value)`."""
    if type(value) is bool:
        return value
    result = _BOOLS.get(value)
    if result is None:
        raise conversion_error(value, "bool")
    return result


def to_bytes(ctx: Activation, value: Any) -> bytes:
    """`bytes(value)`: UTF-8."""
    if type(value) is bytes:
        return value
    ctx.budget.charge_text(len(value))
    return bytes(value.encode("utf-8", "replace"))


def to_double(_ctx: Activation, value: Any) -> float:
    """`double(value)`."""
    if type(value) is not str:
        return float(value)
    if len(value) > _MAX_NUMBER_TEXT:
        raise conversion_error(value, "double")
    try:
        if _HEX_DOUBLE.fullmatch(value):
            return float.fromhex(value.replace("_", ""))
        result = float(value) if _DOUBLE.fullmatch(value) else math.nan
    except OverflowError:
        raise conversion_error(value, "double") from None
    name = value.lower().lstrip("+-")
    if (math.isinf(result) and not name.startswith("inf")) or (math.isnan(result) and name != "nan"):
        raise conversion_error(value, "double")
    return result


def to_int(_ctx: Activation, value: Any) -> int:
    """`int(value)`: a double truncates, a timestamp gives seconds, a duration nanoseconds."""
    cls = type(value)
    if cls is int:
        return int(value)
    if cls is Uint:
        return checked_int(int(value))
    if cls is float:
        # cel-go refuses the border itself, where a double no longer tells neighbouring integers apart.
        if math.isnan(value) or value <= MIN_INT or value >= MAX_INT:
            raise overflow("integer")
        return int(value)
    if cls is str:
        if _DECIMAL.fullmatch(value) and MIN_INT <= int(value) <= MAX_INT:
            return int(value)
        raise conversion_error(value, "int")
    return int(value.ns // 10**9) if cls is Timestamp else int(value.ns)


def to_uint(_ctx: Activation, value: Any) -> Uint:
    """`uint(value)`."""
    cls = type(value)
    if cls is float:
        if math.isnan(value) or value < 0 or value >= MAX_UINT:
            raise overflow("unsigned integer")
        return Uint(int(value))
    if cls is str:
        if _UNSIGNED.fullmatch(value) and int(value) <= MAX_UINT:
            return Uint(int(value))
        raise conversion_error(value, "uint")
    return checked_uint(int(value))


def to_string(ctx: Activation, value: Any) -> str:
    """`string(value)`."""
    cls = type(value)
    if cls is bytes:
        ctx.budget.charge_text(len(value))
        try:
            return str(value.decode("utf-8"))
        except UnicodeDecodeError:
            raise EvaluationError("invalid UTF-8 in bytes, cannot convert to string", "type") from None
    write = _TEXTS.get(cls)
    if write is None:
        raise conversion_error(value, "string")
    return write(value)


_TEXTS: Final[dict[type, Callable[[Any], str]]] = {
    str: str,
    bool: lambda value: "true" if value else "false",
    int: str,
    Uint: str,
    float: double_text,
    Timestamp: lambda value: timestamp_text(value.ns, value.offset),
    Duration: lambda value: duration_text(value.ns),
    Address: address_text,
    Network: network_text,
    Hierarchy: lambda value: ".".join(value.parts),
    SpiffeId: str,
    SpiffeTrustDomain: lambda value: str(value.name),
    TypeValue: lambda value: str(value.name),
}
"""How a value of each class is written; bytes are decoded instead."""


def to_duration(_ctx: Activation, value: Any) -> Duration:
    """`duration(value)`."""
    if type(value) is Duration:
        return value
    ns = parse_duration(value)
    if ns is None:
        raise conversion_error(value, "google.protobuf.Duration")
    return Duration(ns)


def to_timestamp(_ctx: Activation, value: Any) -> Timestamp:
    """`timestamp(value)`: RFC 3339, or seconds since 1970."""
    if type(value) is Timestamp:
        return value
    if type(value) is int:
        return checked_timestamp(value * 10**9)
    parsed = parse_timestamp(value)
    if parsed is None:
        raise EvaluationError(f"invalid RFC 3339 timestamp {quote(value)}", "type")
    return checked_timestamp(*parsed)


FUNCTIONS: Final = {
    "size": size,
    "type": type_value,
    "dyn": identity,
    "id": identity,
    "bool": to_bool,
    "bytes": to_bytes,
    "double": to_double,
    "int": to_int,
    "uint": to_uint,
    "string": to_string,
    "duration": to_duration,
    "timestamp": to_timestamp,
}
