"""The `math` extension of cel-go."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.equality import compare
from gateway.policy.cel.errors import EvaluationError, no_such_overload, overflow
from gateway.policy.cel.values import MAX_UINT, MIN_INT, Uint

_NUMBERS: Final = frozenset({int, Uint, float})
_WORD: Final = 64


def _extreme(name: str, keep: int) -> Callable[..., Any]:
    def choose(ctx: Activation, *args: Any) -> Any:
        values = args
        if len(args) == 1 and type(args[0]) is list:
            values = tuple(args[0])
            ctx.budget.charge(len(values))
            if not values:
                raise EvaluationError(f"{name}(list) argument must not be empty", "value")
        best = values[0]
        for value in values[1:]:
            order = compare(best, value, name)
            if order is None:
                if values is not args:
                    raise no_such_overload(name)
                raise EvaluationError(f"NaN values cannot be ordered: {name}", "value")
            if order == keep:
                best = value
        if type(best) not in _NUMBERS:
            raise no_such_overload(name)
        return best

    return choose


def _whole(rule: Callable[[float], int]) -> Callable[..., float]:
    def apply(_ctx: Activation, value: float) -> float:
        if not math.isfinite(value):
            return value
        return math.copysign(float(rule(value)), value)

    return apply


def _round(value: float) -> int:
    # Go rounds halves away from zero; floor(x + 0.5) would be wrong just below a half.
    whole = math.trunc(value)
    return whole + (int(math.copysign(1, value)) if abs(value - whole) >= 0.5 else 0)


def absolute(_ctx: Activation, value: Any) -> Any:
    """`math.abs(value)`."""
    if type(value) is int and value == MIN_INT:
        raise overflow("integer")
    return value if type(value) is Uint else abs(value)


def sign(_ctx: Activation, value: Any) -> Any:
    """`math.sign(value)`: -1, 0 or 1 of the same type; NaN stays NaN."""
    if type(value) is float:
        return value if math.isnan(value) else float((value > 0) - (value < 0))
    result = (value > 0) - (value < 0)
    return Uint(result) if type(value) is Uint else result


def square_root(_ctx: Activation, value: Any) -> float:
    """`math.sqrt(value)`; NaN for a negative number."""
    number = float(value)
    return math.nan if number < 0 else math.sqrt(number)


def _like(sample: Any, value: int) -> int:
    return Uint(value) if type(sample) is Uint else value


def bit_not(_ctx: Activation, value: Any) -> int:
    """`math.bitNot(value)`."""
    return Uint(int(value) ^ MAX_UINT) if type(value) is Uint else ~int(value)


def _signed(bits: int) -> int:
    bits &= MAX_UINT
    return bits - (1 << _WORD) if bits >> (_WORD - 1) else bits


def shift_left(_ctx: Activation, value: Any, count: int) -> int:
    """`math.bitShiftLeft(value, count)`: bits pushed out are lost."""
    if count < 0:
        raise EvaluationError(f"math.bitShiftLeft() negative offset: {count}", "value")
    bits = 0 if count >= _WORD else int(value) << count
    return Uint(bits & MAX_UINT) if type(value) is Uint else _signed(bits)


def shift_right(_ctx: Activation, value: Any, count: int) -> int:
    """`math.bitShiftRight(value, count)`: zeros come in from the left."""
    if count < 0:
        raise EvaluationError(f"math.bitShiftRight() negative offset: {count}", "value")
    bits = 0 if count >= _WORD else (int(value) & MAX_UINT) >> count
    return Uint(bits) if type(value) is Uint else _signed(bits)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "math.@max": _extreme("math.@max", -1),
    "math.@min": _extreme("math.@min", 1),
    "math.ceil": _whole(math.ceil),
    "math.floor": _whole(math.floor),
    "math.trunc": _whole(math.trunc),
    "math.round": _whole(_round),
    "math.isInf": lambda _ctx, value: math.isinf(value),
    "math.isNaN": lambda _ctx, value: math.isnan(value),
    "math.isFinite": lambda _ctx, value: math.isfinite(value),
    "math.abs": absolute,
    "math.sign": sign,
    "math.sqrt": square_root,
    "math.bitAnd": lambda _ctx, left, right: _like(left, int(left) & int(right)),
    "math.bitOr": lambda _ctx, left, right: _like(left, int(left) | int(right)),
    "math.bitXor": lambda _ctx, left, right: _like(left, int(left) ^ int(right)),
    "math.bitNot": bit_not,
    "math.bitShiftLeft": shift_left,
    "math.bitShiftRight": shift_right,
}
