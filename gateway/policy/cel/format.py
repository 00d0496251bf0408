"""`string.format`: printf-like templates over CEL values (cel-go extension strings, version 4)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.errors import EvaluationError
from gateway.policy.cel.gotext import duration_text, plain_text, timestamp_text
from gateway.policy.cel.values import CelMap, Duration, Timestamp, TypeValue, Uint, items_of, kind_of

MAX_PRECISION: Final = 1000
_DEFAULT_PRECISION: Final = 6
_INTS: Final = frozenset({int, Uint})
_NUMBERS: Final = frozenset({int, Uint, float})
_ESCAPES: Final = str.maketrans(
    {
        "\a": "\\a",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
        "\\": "\\\\",
        '"': '\\"',
    }
)


def quote(text: str) -> str:
    """`text` between double quotes, with CEL's escapes."""
    return f'"{text.translate(_ESCAPES)}"'


def format_text(ctx: Activation, template: str, args: list[Any]) -> str:
    """`template` with its clauses filled from `args`. Raises `EvaluationError`."""
    ctx.budget.charge_text(len(template))
    pieces: list[str] = []
    position, used = 0, 0
    while True:
        start = template.find("%", position)
        if start < 0:
            pieces.append(template[position:])
            return "".join(pieces)
        pieces.append(template[position:start])
        if template.startswith("%%", start):
            pieces.append("%")
            position = start + 2
            continue
        if used >= len(args):
            raise EvaluationError(f"index {used} out of range", "value")
        precision, clause, position = _clause(template, start + 1)
        piece = _fill(ctx, args[used], clause, precision)
        ctx.budget.charge_text(len(piece))
        pieces.append(piece)
        used += 1


def _clause(template: str, position: int) -> tuple[int, str, int]:
    precision = _DEFAULT_PRECISION
    if position >= len(template):
        raise EvaluationError("unexpected end of string", "value")
    if template[position] == ".":
        end = position + 1
        while end < len(template) and template[end] in "0123456789":
            end += 1
        digits = template[position + 1 : end]
        if end >= len(template) or not digits:
            raise _clause_error("error while parsing precision: could not find end of precision specifier")
        if len(digits) > 9 or int(digits) > MAX_PRECISION:  # far above the maximum
            raise _clause_error(
                f"error while parsing precision: precision {digits} exceeds maximum allowed precision {MAX_PRECISION}"
            )
        precision, position = int(digits), end
    clause = template[position]
    if clause not in "sdfebxXo":
        raise _clause_error(f'unrecognized formatting clause "{clause}"')
    return precision, clause, position + 1


def _clause_error(why: str) -> EvaluationError:
    return EvaluationError(f"could not parse formatting clause: {why}", "value")


def _refused(what: str, value: Any) -> EvaluationError:
    return EvaluationError(f"error during formatting: {what}, was given {kind_of(value)}", "type")


def _fill(ctx: Activation, value: Any, clause: str, precision: int) -> str:
    cls = type(value)
    if clause == "s":
        return _text(ctx, value)
    if clause == "d":
        if cls in _INTS:
            return str(int(value))
        if cls is float:
            return _special(value) or plain_text(value)
        raise _refused("decimal clause can only be used on ints, uints, and doubles", value)
    if clause in "fe":
        if cls not in _NUMBERS:
            name = "fixed-point" if clause == "f" else "scientific"
            raise _refused(f"{name} clause can only be used on ints, uints, and doubles", value)
        number = float(value)
        return _special(number) or f"{number:.{precision}{clause}}"
    return _based(value, clause)


def _based(value: Any, clause: str) -> str:
    cls = type(value)
    if clause == "b":
        if cls is bool or cls in _INTS:
            return f"{int(value):b}"
        raise _refused("only ints, uints, and bools can be formatted as binary", value)
    if clause == "o":
        if cls in _INTS:
            return f"{int(value):o}"
        raise _refused("octal clause can only be used on ints and uints", value)
    if cls in _INTS:
        return f"{int(value):{clause}}"
    if cls in (str, bytes):
        digits = (value if cls is bytes else value.encode("utf-8", "replace")).hex()
        return str(digits.upper() if clause == "X" else digits)
    raise _refused("only ints, uints, bytes, and strings can be formatted as hex", value)


def _special(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return ""


def _text(ctx: Activation, value: Any) -> str:
    ctx.budget.charge(1)
    cls = type(value)
    simple = _SIMPLE.get(cls)
    if simple is not None:
        return simple(value)
    if cls is list:
        return "[" + ", ".join([_text(ctx, item) for item in value]) + "]"
    if cls is dict or cls is CelMap:
        entries = sorted((_text(ctx, key), _text(ctx, item)) for key, item in items_of(value))
        return "{" + ", ".join(f"{key}: {item}" for key, item in entries) + "}"
    what = "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps"
    raise _refused(what, value)


_SIMPLE: Final[dict[type, Callable[[Any], str]]] = {
    str: str,
    bool: lambda value: "true" if value else "false",
    int: str,
    Uint: lambda value: str(int(value)),
    float: lambda value: _special(value) or plain_text(value),
    bytes: lambda value: value.decode("utf-8", "replace"),
    type(None): lambda _value: "null",
    Timestamp: lambda value: timestamp_text(value.ns),
    Duration: lambda value: duration_text(value.ns),
    TypeValue: lambda value: value.name,
}
