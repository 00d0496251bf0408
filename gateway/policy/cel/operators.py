"""Arithmetic, indexing and selection on values, with CEL's overflow checks and Cerbos's error messages."""

from __future__ import annotations

import math
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.equality import METHODS, find, missing
from gateway.policy.cel.errors import EvaluationError, no_such_key, no_such_overload, overflow
from gateway.policy.cel.gotext import double_text
from gateway.policy.cel.values import (
    MAX_INT,
    MAX_UINT,
    MIN_INT,
    CelMap,
    Duration,
    Hierarchy,
    Message,
    Optional,
    Timestamp,
    Uint,
    go_name,
    kind_of,
)

MIN_TIME: Final = -62_135_596_800 * 10**9
MAX_TIME: Final = 253_402_300_799 * 10**9 + 999_999_999
"""Years 1 to 9999, the range of google.protobuf.Timestamp."""

# A type that has the operator, but not for the other operand, fails without naming it too.
_ARITHMETIC: Final = METHODS | {int, Uint, float}


def checked_int(value: int) -> int:
    """`value` if it fits an int."""
    if MIN_INT <= value <= MAX_INT:
        return value
    raise overflow("integer")


def checked_uint(value: int) -> Uint:
    """`value` as a uint if it fits one."""
    if 0 <= value <= MAX_UINT:
        return Uint(value)
    raise overflow("unsigned integer")


def checked_duration(ns: int) -> Duration:
    """A duration of `ns` if it fits 64 bits."""
    if MIN_INT <= ns <= MAX_INT:
        return Duration(ns)
    raise overflow("integer")  # cel-go counts a duration's nanoseconds


def checked_timestamp(ns: int, offset: int = 0) -> Timestamp:
    """A timestamp at `ns` if it lies in the years 1 to 9999."""
    if MIN_TIME <= ns <= MAX_TIME:
        return Timestamp(ns, offset)
    raise overflow("timestamp")


def add(ctx: Activation, left: Any, right: Any) -> Any:
    """`left + right`."""
    cls, other = type(left), type(right)
    if cls is other:
        if cls is str or cls is bytes:
            ctx.budget.charge_text(len(left) + len(right))
            return left + right
        if cls is int:
            return checked_int(left + right)
        if cls is float:
            return left + right
        if cls is list:
            ctx.budget.charge(len(left) + len(right))
            return left + right
        if cls is Uint:
            return checked_uint(int(left) + int(right))
        if cls is Duration:
            return checked_duration(left.ns + right.ns)
    if cls is Timestamp and other is Duration:
        return checked_timestamp(left.ns + right.ns, left.offset)
    if cls is Duration and other is Timestamp:
        return checked_timestamp(left.ns + right.ns, right.offset)
    raise no_such_overload("" if cls in _ARITHMETIC or cls in (bytes, list) else "_+_")


def subtract(_ctx: Activation, left: Any, right: Any) -> Any:
    """`left - right`."""
    cls, other = type(left), type(right)
    if cls is other:
        if cls is int:
            return checked_int(left - right)
        if cls is float:
            return left - right
        if cls is Uint:
            return checked_uint(int(left) - int(right))
        if cls in (Duration, Timestamp):
            return checked_duration(left.ns - right.ns)
    if cls is Timestamp and other is Duration:
        return checked_timestamp(left.ns - right.ns, left.offset)
    raise no_such_overload("" if cls in _ARITHMETIC else "_-_")


def multiply(_ctx: Activation, left: Any, right: Any) -> Any:
    """`left * right`."""
    cls = type(left)
    if cls is type(right):
        if cls is int:
            return checked_int(left * right)
        if cls is float:
            return left * right
        if cls is Uint:
            return checked_uint(int(left) * int(right))
    raise no_such_overload("" if cls in _ARITHMETIC else "_*_")


def divide(_ctx: Activation, left: Any, right: Any) -> Any:
    """`left / right`; integers truncate towards zero, doubles follow IEEE 754."""
    cls = type(left)
    if cls is type(right):
        if cls is float:
            return _divide_doubles(left, right)
        if cls is int or cls is Uint:
            if right == 0:
                raise EvaluationError("division by zero", "division")
            quotient = abs(int(left)) // abs(int(right))
            return (
                Uint(quotient)
                if cls is Uint
                else checked_int(quotient if (left < 0) == (right < 0) else -quotient)
            )
    raise no_such_overload("" if cls in _ARITHMETIC else "_/_")


def _divide_doubles(left: float, right: float) -> float:
    if right:
        return left / right
    if left == 0 or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def modulo(_ctx: Activation, left: Any, right: Any) -> Any:
    """`left % right` for integers; the sign is that of `left`."""
    cls = type(left)
    if cls is type(right) and (cls is int or cls is Uint):
        if right == 0:
            raise EvaluationError("modulus by zero", "division")
        if cls is int and left == MIN_INT and right == -1:
            raise overflow("integer")
        remainder = abs(int(left)) % abs(int(right))
        return Uint(remainder) if cls is Uint else (remainder if left >= 0 else -remainder)
    raise no_such_overload("" if cls in (int, Uint) or cls in METHODS else "_%_")


def negate(_ctx: Activation, value: Any) -> Any:
    """`-value`."""
    cls = type(value)
    if cls is int:
        return checked_int(-value)
    if cls is float:
        return -value
    if cls is Duration:
        return checked_duration(-value.ns)
    raise no_such_overload("" if cls is bool or cls in METHODS else "-_")


_KEYS: Final = frozenset({str, int, Uint, float, bool})


def require_key(key: Any) -> None:
    """Refuse what cel-go does not take between brackets, whatever stands before them."""
    if type(key) not in _KEYS:
        raise EvaluationError(f"invalid qualifier type: {go_name(key)}", "type")


def list_index(index: Any) -> int:
    """The position a list index stands for: an int, a uint or a whole double."""
    cls = type(index)
    if cls is int or cls is Uint:
        return int(index)
    if cls is float and abs(index) < MAX_INT and index == int(index):
        return int(index)
    if cls is float:
        raise EvaluationError(f"unsupported index value {double_text(index)} in list", "value")
    raise EvaluationError(f"unsupported index type '{kind_of(index)}' in list", "type")


def index(_ctx: Activation, container: Any, key: Any) -> Any:
    """`container[key]`; an optional container stays optional."""
    require_key(key)
    cls = type(container)
    if cls is Optional:
        if not container.present:
            return container
        inner = lookup(container.value, key)
        return Optional(present=False) if inner is None else Optional(inner[0], present=True)
    if cls is dict or cls is CelMap:
        value = find(container, key)
        if missing(value):
            raise no_such_key(shown(key))
        return value
    if cls is list:
        position = list_index(key)
        if 0 <= position < len(container):
            return container[position]
        raise EvaluationError(f"index out of bounds: {position}", "value")
    if cls is Hierarchy:
        return _part(container, key)
    if cls is Message and type(key) is str and key in container.fields:
        return container.fields[key]
    raise no_such_key(shown(key))


def _part(hierarchy: Hierarchy, key: Any) -> str:
    if type(key) is not int:
        raise EvaluationError(f"unsupported index type '{kind_of(key)}'", "type")
    if 0 <= key < len(hierarchy.parts):
        return hierarchy.parts[key]
    raise EvaluationError("index out of range", "value")


def shown(key: Any) -> str:
    """How an error shows a value."""
    cls = type(key)
    if cls is bool:
        return "true" if key else "false"
    if cls is float:
        return double_text(key)
    return str(key) if cls is str or cls is int or cls is Uint else kind_of(key)


def optional_index(_ctx: Activation, container: Any, key: Any) -> Optional:
    """`container[?key]`."""
    require_key(key)
    if type(container) is Optional:
        if not container.present:
            return container
        container = container.value
    found = lookup(container, key)
    return Optional(present=False) if found is None else Optional(found[0], present=True)


def lookup(container: Any, key: Any) -> tuple[Any] | None:
    """The value at `key` as a 1-tuple, None where there is none; a list refuses what is no index."""
    cls = type(container)
    if cls is dict or cls is CelMap:
        value = find(container, key)
        return None if missing(value) else (value,)
    if cls is list:
        position = list_index(key)
        return (container[position],) if 0 <= position < len(container) else None
    if cls is Message:
        value = container.fields.get(key)
        present = any(value.fields.values()) if type(value) is Message else bool(value)
        return (value,) if present else None
    return (_part(container, key),) if cls is Hierarchy else None


def select(ctx: Activation, operand: Any, field: str) -> Any:
    """`operand.field`."""
    if type(operand) is dict:
        try:
            return operand[field]
        except KeyError:
            raise no_such_key(field) from None
    return index(ctx, operand, field)


def has_field(operand: Any, field: str) -> bool:
    """`has(operand.field)`."""
    if type(operand) is Optional:
        return operand.present and lookup(operand.value, field) is not None
    return lookup(operand, field) is not None
