"""What generated code calls: shortcuts that are right whenever they return, and raise whenever they are unsure.

`Undecided` (or any other exception) sends the whole expression to the exact evaluator.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.equality import contains, equal
from gateway.policy.cel.regex import Pattern
from gateway.policy.cel.values import Undecided, sorted_items, sorted_keys

_SMALL: Final = 512
"""Elements of a list, or characters of a string, that may be handled without being charged."""
_EXACT: Final = 2**53
"""Integers below this are doubles too, so Python's comparison and CEL's agree."""


def truth(value: Any) -> bool:
    """`value` if it is a bool."""
    if value is True or value is False:
        return bool(value)
    raise Undecided


def number(value: Any) -> float:
    """`value` if it is a number that Python orders as CEL does."""
    if type(value) is float and value == value:  # noqa: PLR0124  # NaN is the number unequal to itself
        return value
    if type(value) is int and -_EXACT < value < _EXACT:
        return value
    raise Undecided


def same(ctx: Activation, left: Any, right: Any) -> bool:
    """`left == right`."""
    if type(left) is str and type(right) is str:
        if len(left) > _SMALL:
            ctx.budget.charge_text(len(left))
        return left == right
    return equal(ctx, left, right)


def box(value: Any) -> Any:
    """`value` if it is a small list or a map, for Python's `in` with a string."""
    if (type(value) is list and len(value) < _SMALL) or type(value) is dict:
        return value
    raise Undecided


def within(ctx: Activation, item: Any, container: Any) -> bool:
    """`item in container`."""
    if type(item) is str:
        return item in box(container)
    return contains(ctx, item, container)


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


def found(ctx: Activation, pattern: Pattern, text: Any) -> bool:
    """`text.matches(pattern)` for a pattern of the expression."""
    if type(text) is not str:
        raise Undecided
    ctx.budget.charge(pattern.price(len(text)))
    return pattern.occurs(text)


def rounds(ctx: Activation, value: Any) -> Any:
    """What a macro with one variable runs over, paid for in advance."""
    if type(value) is list:
        ctx.budget.charge(len(value))
        return value
    if type(value) is dict:
        ctx.budget.charge(len(value))
        return sorted_keys(value)
    raise Undecided


def rounds_of_two(ctx: Activation, value: Any) -> Any:
    """What a macro with two variables runs over, paid for in advance."""
    if type(value) is list:
        ctx.budget.charge(len(value))
        return enumerate(value)
    if type(value) is dict:
        ctx.budget.charge(len(value))
        return sorted_items(value)
    raise Undecided


NAMES: Final[dict[str, Any]] = {
    "truth": truth,
    "number": number,
    "same": same,
    "box": box,
    "within": within,
    "contains": contains,
    "table": table,
    "holds": holds,
    "found": found,
    "rounds": rounds,
    "rounds_of_two": rounds_of_two,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "all": all,
    "any": any,
    "len": len,
    "list": list,
    "sum": sum,
}
"""The global names of generated code, besides its constants."""
