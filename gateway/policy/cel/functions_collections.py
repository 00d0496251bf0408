"""Lists, sets and optional values (cel-go extensions lists, sets, optional types; Cerbos's own set functions)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.equality import compare, contains, equal, same
from gateway.policy.cel.errors import EvaluationError, no_such_overload
from gateway.policy.cel.operators import shown
from gateway.policy.cel.values import CelMap, Duration, Optional, Timestamp, Uint

_MAX_RANGE: Final = 1_000_000
_COMPARABLE: Final = frozenset({bool, int, Uint, float, str, bytes, Timestamp, Duration})


def distinct(ctx: Activation, items: list[Any]) -> list[Any]:
    """`items.distinct()`: the first of equal elements stays."""
    if all(type(item) is str for item in items):
        ctx.budget.charge(len(items))
        return list(dict.fromkeys(items))
    result: list[Any] = []
    for item in items:
        ctx.budget.charge(1 + len(result))
        if not any(same(ctx, item, other) for other in result):
            result.append(item)
    return result


def flatten(ctx: Activation, items: list[Any], depth: int = 1) -> list[Any]:
    """`items.flatten(depth)`."""
    if depth < 0:
        raise EvaluationError("level must be non-negative", "value")
    result: list[Any] = []
    # Own stack: the nesting of a request's data must not become Python's recursion.
    stack = [(iter(items), depth)]
    while stack:
        iterator, level = stack[-1]
        for item in iterator:
            ctx.budget.charge(1)
            if type(item) is list and level > 0:
                stack.append((iter(item), level - 1))
                break
            result.append(item)
        else:
            stack.pop()
    return result


def slice_list(ctx: Activation, items: list[Any], start: int, end: int) -> list[Any]:
    """`items.slice(start, end)`."""
    if start < 0 or end < 0:
        raise EvaluationError(f"cannot slice({start}, {end}), negative indexes not supported", "value")
    if start > end:
        message = f"cannot slice({start}, {end}), start index must be less than or equal to end index"
        raise EvaluationError(message, "value")
    if len(items) < end:
        raise EvaluationError(f"cannot slice({start}, {end}), list is length {len(items)}", "value")
    ctx.budget.charge(end - start)
    return items[start:end]


def numbers(ctx: Activation, count: int) -> list[int]:
    """`lists.range(count)`."""
    if count < 0:
        raise EvaluationError(f"lists.range: size must be non-negative, got {count}", "value")
    if count > _MAX_RANGE:
        message = f"lists.range: size {count} exceeds maximum allowed ({_MAX_RANGE})"
        raise EvaluationError(message, "value")
    ctx.budget.charge(count)
    return list(range(count))


def sort_by_keys(ctx: Activation, items: list[Any], keys: list[Any]) -> list[Any]:
    """`items` in the order of `keys`, which must be of one comparable type."""
    if not items:
        return items
    cls = type(keys[0])
    if cls not in _COMPARABLE:
        raise EvaluationError("list elements must be comparable", "type")
    if any(type(key) is not cls for key in keys):
        raise EvaluationError("list elements must have the same type", "type")
    ctx.budget.charge(len(keys) * max(1, len(keys).bit_length()))
    pairs: list[tuple[Any, Any]] = list(zip(keys, items, strict=True))
    pairs.sort(key=cmp_to_key(_order_pairs))
    return [item for _key, item in pairs]


def _order_pairs(left: tuple[Any, Any], right: tuple[Any, Any]) -> int:
    return _order(left[0], right[0])


def _order(left: Any, right: Any) -> int:
    return compare(left, right, "sort") or 0  # NaN is as large as anything, as in cel-go's sort


def sort(ctx: Activation, items: list[Any]) -> list[Any]:
    """`items.sort()`."""
    return sort_by_keys(ctx, items, items)


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise no_such_overload()
    return value


def _lookup(ctx: Activation, items: list[Any]) -> Callable[[Any], bool]:
    # Strings are looked up in a set; the others are compared one by one, as equality across numbers demands.
    texts = {item for item in items if type(item) is str}
    others = [item for item in items if type(item) is not str]
    ctx.budget.charge(len(items))

    def found(item: Any) -> bool:
        if type(item) is str and item in texts:
            return True
        if not others:
            return False
        ctx.budget.charge(len(others))
        return any(same(ctx, item, other) for other in others)

    return found


def except_list(ctx: Activation, left: Any, right: Any) -> list[Any]:
    """`left.except(right)`: the elements of `left` that are not in `right`."""
    items, found = _list(left), _lookup(ctx, _list(right))
    ctx.budget.charge(len(items))
    return [item for item in items if not found(item)]


def intersect(ctx: Activation, left: Any, right: Any) -> list[Any]:
    """`left.intersect(right)`: the elements of the shorter list that are in the other."""
    shorter, longer = _list(left), _list(right)
    if len(shorter) > len(longer):
        shorter, longer = longer, shorter
    found = _lookup(ctx, longer)
    ctx.budget.charge(len(shorter))
    return [item for item in shorter if found(item)]


def has_intersection(ctx: Activation, left: Any, right: Any) -> bool:
    """`left.hasIntersection(right)`."""
    items, found = _list(left), _lookup(ctx, _list(right))
    ctx.budget.charge(len(items))
    return any(found(item) for item in items)


def is_subset(ctx: Activation, left: Any, right: Any) -> bool:
    """`left.isSubset(right)`."""
    items, found = _list(left), _lookup(ctx, _list(right))
    ctx.budget.charge(len(items))
    return all(found(item) for item in items)


def sets_contains(ctx: Activation, whole: list[Any], part: list[Any]) -> bool:
    """`sets.contains(whole, part)`."""
    return all(contains(ctx, item, whole) for item in part)


def sets_equivalent(ctx: Activation, left: list[Any], right: list[Any]) -> bool:
    """`sets.equivalent(left, right)`."""
    return sets_contains(ctx, left, right) and sets_contains(ctx, right, left)


def sets_intersects(ctx: Activation, left: list[Any], right: list[Any]) -> bool:
    """`sets.intersects(left, right)`."""
    return any(contains(ctx, item, right) for item in left)


def first(_ctx: Activation, items: list[Any]) -> Optional:
    """`items.first()`."""
    return Optional(items[0], present=True) if items else Optional(present=False)


def last(_ctx: Activation, items: list[Any]) -> Optional:
    """`items.last()`."""
    return Optional(items[-1], present=True) if items else Optional(present=False)


def of_non_zero(ctx: Activation, value: Any) -> Optional:
    """`optional.ofNonZeroValue(value)`."""
    cls = type(value)
    if cls in (Timestamp, Duration):
        zero = value.ns == (0 if cls is Duration else -62_135_596_800 * 10**9)
    elif cls in (list, dict, CelMap, str, bytes):
        zero = len(value) == 0
    else:
        zero = value is None or value is False or (cls in (int, Uint, float) and equal(ctx, value, 0))
    return Optional(present=False) if zero else Optional(value, present=True)


def unwrap(ctx: Activation, items: list[Any]) -> list[Any]:
    """`optional.unwrap(items)`: the values that are there."""
    ctx.budget.charge(len(items))
    result = []
    for item in items:
        if type(item) is not Optional:
            raise EvaluationError(f"value {shown(item)} is not optional", "type")
        if item.present:
            result.append(item.value)
    return result


def optional_value(_ctx: Activation, optional: Optional) -> Any:
    """`optional.value()`. Raises where there is none."""
    if not optional.present:
        raise EvaluationError("optional.none() dereference", "value")
    return optional.value


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "distinct": distinct,
    "flatten": flatten,
    "slice": slice_list,
    "lists.range": numbers,
    "sort": sort,
    "@sortByAssociatedKeys": sort_by_keys,
    "except": except_list,
    "intersect": intersect,
    "hasIntersection": has_intersection,
    "has_intersection": has_intersection,
    "isSubset": is_subset,
    "is_subset": is_subset,
    "sets.contains": sets_contains,
    "sets.equivalent": sets_equivalent,
    "sets.intersects": sets_intersects,
    "first": first,
    "last": last,
    "optional.of": lambda _ctx, value: Optional(value, present=True),
    "optional.ofNonZeroValue": of_non_zero,
    "optional.none": lambda _ctx: Optional(present=False),
    "optional.unwrap": unwrap,
    "unwrapOpt": unwrap,
    "hasValue": lambda _ctx, optional: optional.present,
    "value": optional_value,
    "or": lambda _ctx, optional, other: optional if optional.present else other,
    "orValue": lambda _ctx, optional, other: optional.value if optional.present else other,
}
