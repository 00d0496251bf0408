"""What generated code calls: shortcuts that are right whenever they return, and raise whenever they are unsure.

`Undecided` (or any other exception) sends the whole expression to the exact evaluator.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.equality import contains, equal
from gateway.policy.cel.gotext import parse_duration, parse_timestamp
from gateway.policy.cel.operators import MAX_TIME, MIN_TIME
from gateway.policy.cel.regex import ABSENT, UNANCHORED, Pattern
from gateway.policy.cel.values import (
    MAX_INT,
    MIN_INT,
    Duration,
    Timestamp,
    Undecided,
    sorted_items,
    sorted_keys,
)

_SMALL: Final = 512
"""Elements of a list, or characters of a string, that may be handled without being charged."""
_EXACT: Final = 2**53
"""Integers below this are doubles too, so Python's comparison and CEL's agree."""
_SIMPLE_LENGTH: Final = len("YYYY-MM-DDThh:mm:ssZ")
_SIMPLE_MARKS: Final = "YYYY-MM-DDThh:mm:ssZ"[4::3]
_read: Final = datetime.fromisoformat
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SIZED: Final = frozenset({str, list, dict, bytes})


def truth(value: Any) -> bool:
    """`value` if it is a bool."""
    if value is True or value is False:
        return bool(value)
    raise Undecided


def number(value: Any) -> float:
    """`value` if it is a number that Python orders as CEL does; beside NaN no relation holds in either."""
    if type(value) is float:
        return value
    if type(value) is int and -_EXACT < value < _EXACT:
        return value
    raise Undecided


def length(value: Any) -> int:
    """`size(value)`."""
    if type(value) in _SIZED:
        return len(value)
    raise Undecided


def same(ctx: Activation, left: Any, right: Any) -> bool:
    """`left == right`."""
    if type(left) is str and type(right) is str:
        if len(left) > _SMALL:
            ctx.budget.charge_text(len(left))
        return left == right
    return equal(ctx, left, right)


def box(value: Any) -> Any:
    """`value` if it is a small list or a map, for Python's `in` with a string, outside of macros."""
    if (type(value) is list and len(value) < _SMALL) or type(value) is dict:
        return value
    raise Undecided


def within(ctx: Activation, item: Any, container: Any) -> bool:
    """`item in container`."""
    if type(item) is str and (type(container) is list or type(container) is dict):
        if type(container) is list:
            # Texts that only differ at their ends are read whole.
            ctx.budget.charge(len(container) * (1 + len(item) // 64))
        return item in container
    return contains(ctx, item, container)


def among(ctx: Activation, item: Any, container: Any) -> bool:
    """`container.exists(x, x == item)`, for a macro that is one lookup."""
    if type(container) is not list:
        raise Undecided
    if type(item) is str:
        ctx.budget.charge(len(container) * (1 + len(item) // 64))
        return item in container
    ctx.budget.charge(len(container))
    return any(equal(ctx, element, item) for element in container)


def table(value: Any) -> dict[str, Any]:
    """`value` if it is a map with string keys."""
    if type(value) is dict:
        return value
    raise Undecided


def holds(ctx: Activation, text: Any, part: Any) -> bool:
    """`text.contains(part)`."""
    if type(text) is not str or type(part) is not str:
        raise Undecided
    if len(text) > _SMALL:
        ctx.budget.charge_text(len(text))
    return part in text


def finder(pattern: Pattern) -> Callable[[Activation, Any], bool]:
    """`text.matches(pattern)` for a pattern of the expression."""
    match, price = pattern.match, pattern.price
    free = _SMALL if pattern.size <= _SMALL else -1

    def found(ctx: Activation, text: Any) -> bool:
        if type(text) is not str:
            raise Undecided
        # A lone surrogate raises, and the exact evaluator replaces it.
        data = text.encode()
        size = len(data)
        if size > free:
            ctx.budget.charge(price(size))
        absent: bool = match(UNANCHORED, data, 0, size)[0] == ABSENT
        return not absent

    return found


def charged_finder(pattern: Pattern) -> Callable[[Activation, Any], bool]:
    """`finder` for use inside a macro, where the smallest text counts."""
    found, price = finder(pattern), pattern.price

    def paid(ctx: Activation, text: Any) -> bool:
        ctx.budget.charge(price(len(text)))
        return found(ctx, text)

    return paid


def rounds(ctx: Activation, value: Any, weight: int) -> Any:
    """What a macro with one variable runs over, paid for in advance: `weight` units for every round."""
    if type(value) is list:
        ctx.budget.charge(len(value) * weight)
        return value
    if type(value) is dict:
        ctx.budget.charge(len(value) * weight)
        return sorted_keys(value)
    raise Undecided


def rounds_of_two(ctx: Activation, value: Any, weight: int) -> Any:
    """What a macro with two variables runs over, paid for in advance."""
    if type(value) is list:
        ctx.budget.charge(len(value) * weight)
        return enumerate(value)
    if type(value) is dict:
        ctx.budget.charge(len(value) * weight)
        return sorted_items(value)
    raise Undecided


def timestamp_at(text: Any) -> int:
    """`timestamp(text)` as nanoseconds since 1970."""
    if type(text) is not str:
        raise Undecided
    # Python reads more of ISO 8601 than RFC 3339 allows; of `YYYY-MM-DDThh:mm:ssZ` they read the same but for midnight.
    if len(text) == _SIMPLE_LENGTH and text[4::3] == _SIMPLE_MARKS and text[11:13] != "24":
        since_1970 = _read(text) - _EPOCH
        return (since_1970.days * 86_400 + since_1970.seconds) * 1_000_000_000
    parsed = parse_timestamp(text)
    if parsed is None or not MIN_TIME <= parsed[0] <= MAX_TIME:
        raise Undecided
    return parsed[0]


def duration_of(text: Any) -> int:
    """`duration(text)` in nanoseconds."""
    ns = parse_duration(text) if type(text) is str else None
    if ns is None:
        raise Undecided
    return ns


def instant(value: Any) -> int:
    """The nanoseconds of a timestamp."""
    if type(value) is Timestamp:
        return value.ns
    raise Undecided


def span(value: Any) -> int:
    """The nanoseconds of a duration."""
    if type(value) is Duration:
        return value.ns
    raise Undecided


def since(ctx: Activation, then: int) -> int:
    """`timeSince()` of nanoseconds since 1970."""
    return max(MIN_INT, min(MAX_INT, ctx.now - then))


NAMES: Final[dict[str, Any]] = {
    "truth": truth,
    "number": number,
    "length": length,
    "same": same,
    "box": box,
    "within": within,
    "among": among,
    "table": table,
    "holds": holds,
    "rounds": rounds,
    "rounds_of_two": rounds_of_two,
    "timestamp_at": timestamp_at,
    "duration_of": duration_of,
    "instant": instant,
    "span": span,
    "since": since,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "all": all,
    "any": any,
    "len": len,
    "list": list,
    "sum": sum,
    "kind": type,
}
"""The global names of generated code, besides its constants."""
