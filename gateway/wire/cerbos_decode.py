"""The JSON form of the messages of a Cerbos PDP (protojson): bytes to plain values, refused as the PDP refuses them.

The quick way takes what every client sends. At the first doubt the exact reader starts over and says what is wrong and
where, so that the quick way never has to explain.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from gateway.wire.cerbos_exact import read_exactly
from gateway.wire.cerbos_messages import MESSAGES, Field, Message
from gateway.wire.cerbos_rules import check_rules

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class _Doubt(Exception):
    """The quick way is not sure."""


def decode_message(name: str, body: bytes) -> dict[str, Any]:
    """A message as {field: value}, absent fields left out, numbers as floats. Raises CerbosError."""
    message = MESSAGES[name]
    try:
        value = _read(body)
        found = _take(message, value)
    except (_Doubt, ValueError, RecursionError):
        found = read_exactly(message, body)
    check_rules(message, found)
    return found


def _read(body: bytes) -> Any:
    text = body.decode("utf-8").lstrip(" \t\r\n")
    if not text:
        return {}
    if _SURROGATE.search(text):
        raise _Doubt
    value, _ = _DECODER.raw_decode(text)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Doubt
    return found


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _Doubt
    return value


def _constant(_text: str) -> float:
    raise _Doubt


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_number, parse_float=_number, parse_constant=_constant
)


def _take(message: Message, value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise _Doubt
    found: dict[str, Any] = {}
    by_name = message.by_name
    for key, item in value.items():
        field = by_name.get(key)
        if field is None or field.name in found:
            raise _Doubt
        if item is not None:
            found[field.name] = _field(field, item)
    return found


def _field(field: Field, item: Any) -> Any:
    if field.many == "list":
        if type(item) is not list:
            raise _Doubt
        if field.kind == "message":
            below = MESSAGES[field.message]
            return [_take(below, member) for member in item]
        for member in item:
            if type(member) is not str:
                raise _Doubt
        return item
    if field.many == "map":
        if type(item) is not dict:
            raise _Doubt
        if field.kind == "message":
            below = MESSAGES[field.message]
            return {key: _take(below, member) for key, member in item.items()}
        return item
    if field.kind == "message":
        return _take(MESSAGES[field.message], item)
    wanted = bool if field.kind == "bool" else str
    if type(item) is not wanted:
        raise _Doubt
    return item
