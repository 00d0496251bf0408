"""Equality, order and membership as cel-go computes them, across types and through lists and maps."""

from __future__ import annotations

from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.errors import EvaluationError, no_such_overload
from gateway.policy.cel.spiffe import parse_domain
from gateway.policy.cel.values import (
    MAX_INT,
    MAX_UINT,
    MIN_INT,
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
    TypeValue,
    Uint,
    items_of,
)

_NUMBERS: Final = frozenset({int, Uint, float})
_TIMES: Final = frozenset({Timestamp, Duration})
_PLAIN: Final = frozenset({bool, str, bytes})
_LONG: Final = 512
"""Characters up to which texts are compared for nothing."""
_ORDERED: Final = _NUMBERS | _TIMES | _PLAIN | {SpiffeTrustDomain}
_MISSING: Final = object()
METHODS: Final = frozenset({str, Timestamp, Duration, Hierarchy, SpiffeId, SpiffeTrustDomain, SpiffeMatcher})
"""Types with methods of their own in cel-go: an operator they lack fails there without being named."""


def equal(ctx: Activation, left: Any, right: Any) -> bool:
    """`left == right`: false for values of different types, except that numbers meet by value.

    Raises `EvaluationError` where a type of Cerbos refuses the comparison, as a hierarchy and a string.
    """
    cls, other = type(left), type(right)
    if left is None or right is None:
        return left is right
    if cls is str:
        if other is str and len(left) == len(right) > _LONG:
            ctx.budget.charge_text(len(left))
        return other is str and bool(left == right)
    if cls in _PLAIN:
        return cls is other and left == right
    if cls in _NUMBERS:
        return other in _NUMBERS and _equal_numbers(left, right)
    if cls in _TIMES:
        return cls is other and left.ns == right.ns
    if cls is list:
        return other is list and _equal_lists(ctx, left, right)
    if cls is dict or cls is CelMap:
        return (other is dict or other is CelMap) and _equal_maps(ctx, left, right)
    return _equal_special(ctx, left, right)


def unequal(ctx: Activation, left: Any, right: Any) -> bool:
    """`left != right`: true for everything that `equal` does not find equal, a refused comparison included."""
    try:
        return not equal(ctx, left, right)
    except EvaluationError as error:
        if error.kind == "limit":
            raise
        return True


def _differ(ctx: Activation, left: Any, right: Any) -> bool:
    """Whether elements tell their lists or maps apart; a refused comparison does not, as in cel-go."""
    try:
        return not equal(ctx, left, right)
    except EvaluationError as error:
        if error.kind == "limit":
            raise
        return False


def _equal_numbers(left: Any, right: Any) -> bool:
    if type(left) is not float and type(right) is not float:
        return int(left) == int(right)
    return _numbers(left, right) == 0


def _numbers(left: Any, right: Any) -> int | None:
    """-1, 0, 1, or None where one is no number. An integer meets a double as a double, within the integer's range."""
    if type(left) is float and type(right) is not float:
        low, high = (0, MAX_UINT) if type(right) is Uint else (MIN_INT, MAX_INT)
        if left < low:
            return -1
        # The border as a double, one above the largest integer, still meets it.
        if left > float(high):
            return 1
        right = float(right)
    elif type(right) is float and type(left) is not float:
        flipped = _numbers(right, left)
        return None if flipped is None else -flipped
    if left == right:
        return 0
    if left < right:
        return -1
    return 1 if left > right else None


def _equal_lists(ctx: Activation, left: list[Any], right: list[Any]) -> bool:
    if len(left) != len(right):
        return False
    ctx.budget.charge(len(left))
    return not any(_differ(ctx, mine, yours) for mine, yours in zip(left, right, strict=True))


def _equal_maps(ctx: Activation, left: Any, right: Any) -> bool:
    if len(left) != len(right):
        return False
    ctx.budget.charge(len(left))
    for key, mine in items_of(left):
        yours = find(right, key)
        if yours is _MISSING or _differ(ctx, mine, yours):
            return False
    return True


def _equal_special(ctx: Activation, left: Any, right: Any) -> bool:
    cls, other = type(left), type(right)
    if cls is Optional:
        if other is not Optional or left.present is not right.present:
            return False
        return not left.present or equal(ctx, left.value, right.value)
    if cls is TypeValue:
        return other is TypeValue and left.name == right.name
    if cls is Message:
        return (
            other is Message and left.type_name == right.type_name and equal(ctx, left.fields, right.fields)
        )
    if cls is SpiffeMatcher:
        return False
    if cls is SpiffeId and other in (SpiffeId, str):
        return str(left) == str(right)
    if cls is SpiffeTrustDomain and other in (SpiffeTrustDomain, str):
        try:
            return bool(left.name == (right.name if other is SpiffeTrustDomain else parse_domain(right)))
        except EvaluationError:
            return False
    if cls is Address:
        return other is Address and (left.version, left.bits) == (right.version, right.bits)
    if cls is Network:
        return other is Network and left.prefix == right.prefix and equal(ctx, left.address, right.address)
    if cls is Hierarchy and other is Hierarchy:
        return bool(left.parts == right.parts)
    raise no_such_overload()


def compare(left: Any, right: Any, operator: str) -> int | None:
    """-1, 0 or 1 for values that have an order, None beside NaN, whatever its neighbour. Raises `EvaluationError` for others."""
    cls, other = type(left), type(right)
    if cls in _NUMBERS and other in _NUMBERS:
        return _numbers(left, right)
    if (cls in _ORDERED and _is_nan(right)) or _is_nan(left):
        return None
    if cls is SpiffeTrustDomain and other in (SpiffeTrustDomain, str):
        return _compare_domains(left, right)
    if cls is other:
        if cls in _PLAIN:
            return int(left > right) - int(left < right)
        if cls in _TIMES:
            return int(left.ns > right.ns) - int(left.ns < right.ns)
    ordered = cls in _NUMBERS or cls in _PLAIN or cls in METHODS
    raise no_such_overload("" if ordered else operator)


def _is_nan(value: Any) -> bool:
    return type(value) is float and value != value  # noqa: PLR0124  # the number unequal to itself


def _compare_domains(left: SpiffeTrustDomain, right: Any) -> int:
    """The order of trust domains, which Cerbos computes from right to left."""
    try:
        name = right.name if type(right) is SpiffeTrustDomain else parse_domain(right)
    except EvaluationError as error:
        raise EvaluationError(f"failed to parse trust domain: {error.message}", "value") from None
    return int(name > left.name) - int(name < left.name)


def find(container: Any, key: Any) -> Any:
    """The value of `key` in a map, or the module's marker that `missing` recognises."""
    if type(container) is dict:
        return container.get(key, _MISSING) if type(key) is str else _MISSING
    entry = container.find(key)
    return _MISSING if entry is None else entry[1]


def missing(value: Any) -> bool:
    """Whether `find` found nothing."""
    return value is _MISSING


def contains(ctx: Activation, item: Any, container: Any) -> bool:
    """`item in container` for a list or a map's keys."""
    cls = type(container)
    if cls is list:
        ctx.budget.charge(len(container))
        return any(_same(ctx, item, element) for element in container)
    if cls is dict or cls is CelMap:
        return not missing(find(container, item))
    raise no_such_overload()


def _same(ctx: Activation, item: Any, element: Any) -> bool:
    """`equal`, where a refused comparison means no, as in a list's lookup."""
    try:
        return equal(ctx, item, element)
    except EvaluationError as error:
        if error.kind == "limit":
            raise
        return False


same = _same
