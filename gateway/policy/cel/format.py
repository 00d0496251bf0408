"""`string.format`: printf-like templates over CEL values (cel-go extension strings, version 4)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.errors import EvaluationError
from gateway.policy.cel.gotext import duration_text, plain_text, timestamp_text
from gateway.policy.cel.values import CelMap, Duration, Timestamp, TypeValue, Uint, items_of, kind_of

MAX_PRECISION: Final = 100
_DEFAULT_PRECISION: Final = 6
_NUMERIC: Final = frozenset({"int", "uint", "double"})
_PRINTABLE: Final = _NUMERIC | {
    "string",
    "bool",
    "bytes",
    "map",
    "list",
    "type",
    "null_type",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
}
_HEX: Final = (
    frozenset({"int", "uint", "string", "bytes"}),
    "only ints, uints, bytes, and strings can be formatted as hex",
)
_CLAUSES: Final = {
    "s": (
        _PRINTABLE,
        "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
    ),
    "d": (_NUMERIC, "decimal clause can only be used on ints, uints, and doubles"),
    "f": (_NUMERIC, "fixed-point clause can only be used on ints, uints, and doubles"),
    "e": (_NUMERIC, "scientific clause can only be used on ints, uints, and doubles"),
    "b": (frozenset({"int", "uint", "bool"}), "only ints, uints, and bools can be formatted as binary"),
    "o": (frozenset({"int", "uint"}), "octal clause can only be used on ints and uints"),
    "x": _HEX,
    "X": _HEX,
}
"""For every clause the types it takes, and what to say of others."""
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


def pieces(template: str, count: int) -> Iterator[str | tuple[str, int]]:
    """The parts of `template` for `count` arguments: text, or (clause, precision) for the next argument.

    Raises `EvaluationError` at the first part that is malformed or has no argument left.
    """
    position, used = 0, 0
    while True:
        start = template.find("%", position)
        if start < 0:
            yield template[position:]
            return
        yield template[position:start]
        if template.startswith("%%", start):
            yield "%"
            position = start + 2
            continue
        if used >= count:
            raise EvaluationError(f"index {used} out of range", "value")
        precision, clause, position = _clause(template, start + 1)
        yield clause, precision
        used += 1


def format_text(ctx: Activation, template: str, args: list[Any]) -> str:
    """`template` with its clauses filled from `args`. Raises `EvaluationError`."""
    ctx.budget.charge_text(len(template))
    result: list[str] = []
    used = 0
    for piece in pieces(template, len(args)):
        if isinstance(piece, str):
            result.append(piece)
        else:
            text = _fill(ctx, args[used], *piece)
            ctx.budget.charge_text(len(text))
            result.append(text)
            used += 1
    return "".join(result)


def check_format(template: str, kinds: list[str]) -> str:
    """What is wrong with `template` for arguments of the types `kinds` ("dyn" where unknown), "" if nothing is."""
    used = 0
    try:
        for piece in pieces(template, len(kinds)):
            if isinstance(piece, str):
                continue
            allowed, what = _CLAUSES[piece[0]]
            if kinds[used] not in allowed and kinds[used] not in ("dyn", "error"):
                return f"error during formatting: {what}, was given {kinds[used]}"
            used += 1
    except EvaluationError as error:
        return error.message
    if used < len(kinds):
        return f"too many arguments supplied to string.format (expected {used}, got {len(kinds)})"
    return ""


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


def _refused(clause: str, value: Any) -> EvaluationError:
    message = f"error during formatting: {_CLAUSES[clause][1]}, was given {kind_of(value)}"
    return EvaluationError(message, "type")


def _fill(ctx: Activation, value: Any, clause: str, precision: int) -> str:
    if clause == "s":
        return _text(ctx, value)
    if kind_of(value) not in _CLAUSES[clause][0]:
        raise _refused(clause, value)
    if clause in "fe":
        number = float(value)
        return _special(number) or f"{number:.{precision}{clause}}"
    if type(value) is float:
        return _special(value) or plain_text(value)
    if type(value) is str or type(value) is bytes:
        digits = (value.encode("utf-8", "replace") if isinstance(value, str) else value).hex()
        return digits.upper() if clause == "X" else digits
    return f"{int(value):{clause}}"


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
    raise _refused("s", value)


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
