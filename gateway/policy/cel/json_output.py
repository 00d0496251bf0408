"""A CEL value as the JSON that Cerbos puts into outputs (google.protobuf.Value)."""

from __future__ import annotations

import base64
import math
from typing import Any, Final

from gateway.policy.cel.budget import Budget
from gateway.policy.cel.errors import EvaluationError
from gateway.policy.cel.gotext import double_text, duration_text, timestamp_text
from gateway.policy.cel.values import (
    Address,
    CelMap,
    Duration,
    Hierarchy,
    Message,
    Network,
    Optional,
    SpiffeId,
    SpiffeMatcher,
    SpiffeTrustDomain,
    Timestamp,
    Uint,
    items_of,
    kind_of,
)

_SAFE: Final = 2**53 - 1
_TARGET: Final = "'*structpb.Value'"
_REFUSALS: Final[dict[type, str]] = {
    Optional: "optional.none() dereference",
    Hierarchy: f"unsupported native conversion from hierarchy to {_TARGET}",
    SpiffeId: f"unsupported native conversion from SPIFFEID to {_TARGET}",
    SpiffeTrustDomain: f"unsupported native conversion from SPIFFETrustDomain to {_TARGET}",
    SpiffeMatcher: f"unsupported native conversion from SPIFFEMatcher to {_TARGET}",
    Address: f"unsupported type conversion to {_TARGET}",
    Network: f"unsupported type conversion to {_TARGET}",
}

_NAMES: Final[dict[type, str]] = {
    float: "Double",
    bool: "bool",
    list: "list",
    dict: "map",
    CelMap: "map",
    type(None): "'null_type'",
}


def to_json(value: Any, budget: Budget | None = None) -> Any:
    """`value` as JSON: numbers are floats, integers beyond 2^53 are strings, bytes are base64.

    `budget` pays for every part, one of its own where none is given: a small value can hold the same list a million
    times. Raises `EvaluationError` for what JSON cannot hold: an infinite number, a type, an address, a hierarchy.
    """
    try:
        return _json(value, Budget() if budget is None else budget)
    except RecursionError:
        raise EvaluationError("data nests too deeply", "limit") from None


def _json(value: Any, budget: Budget) -> Any:
    cls = type(value)
    if cls is str or cls is bytes:
        budget.charge_text(len(value))
        return value if cls is str else base64.b64encode(value).decode()
    budget.charge(1)
    if value is None or cls is bool:
        return value
    if cls is float:
        if not math.isfinite(value):
            message = f"proto: google.protobuf.Value.number_value: invalid {double_text(value)} value"
            raise EvaluationError(message, "value")
        return value
    if cls is int or cls is Uint:
        return float(value) if -_SAFE <= value <= _SAFE else str(int(value))
    if cls is list:
        return [_json(item, budget) for item in value]
    if cls is dict or cls is CelMap:
        return {_key(key): _json(item, budget) for key, item in items_of(value)}
    if cls is Timestamp:
        return timestamp_text(value.ns, value.offset)
    if cls is Duration:
        return duration_text(value.ns)
    if cls is Optional and value.present:
        return _json(value.value, budget)
    if cls is Message:
        return {name: _json(item, budget) for name, item in value.fields.items() if not _unset(item)}
    raise EvaluationError(_REFUSALS.get(cls, f"type conversion not supported for '{kind_of(value)}'"), "type")


def _unset(item: Any) -> bool:
    """Whether protobuf's JSON leaves the field out: empty, or a record with nothing in it."""
    return all(map(_unset, item.fields.values())) if type(item) is Message else not item


def _key(key: Any) -> str:
    if type(key) is str:
        return key
    raise EvaluationError(no_text(key), "type")


def no_text(value: Any) -> str:
    """Why a value cannot be a string of Go's."""
    if type(value) in _NAMES:
        return f"type conversion error from {_NAMES[type(value)]} to 'string'"
    return f"unsupported type conversion from '{kind_of(value)}' to string"
