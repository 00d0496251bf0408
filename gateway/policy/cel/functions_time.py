"""The clock and the parts of timestamps and durations (CEL "Standard definitions"; Cerbos `now`, `timeSince`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.calendar import DAY_SECONDS, Moment, moment
from gateway.policy.cel.errors import EvaluationError
from gateway.policy.cel.values import MAX_INT, MIN_INT, Duration, Timestamp

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = -62_135_510_400
_LAST: Final = 253_402_214_400
"""Seconds of 0001-01-02 and 9999-12-31: a day inside what Python's own times hold in any zone."""
_MINUTE: Final = 60 * 10**9
_WORD: Final = 1 << 64
_ATOI: Final = re.compile(r"[+-]?[0-9]+")
_MAX_DIGITS: Final = 24


def now(ctx: Activation) -> Timestamp:
    """`now()`: the same instant for a whole check."""
    return Timestamp(ctx.now)


def time_since(ctx: Activation, then: Timestamp) -> Duration:
    """`timeSince(then)`; a span too long for a duration is the longest one, as Go's `Sub` has it."""
    return Duration(max(MIN_INT, min(MAX_INT, ctx.now - then.ns)))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo | int:
    """A zone by its name, or seconds east of UTC for "+05:30"."""
    if ":" in name:
        return _offset(name)
    if name in ("", "UTC", "Local"):
        return 0
    if ".." in name or name[0] in "/\\":
        raise EvaluationError("time: invalid location name", "value")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise EvaluationError(f"unknown time zone {name}", "value") from None


def _offset(name: str) -> int:
    hours, _, minutes = name.partition(":")
    east = _integer(hours) * 60
    east += -_integer(minutes) if name.startswith("-") else _integer(minutes)
    # Go multiplies in 64 bits, so an absurd offset wraps around instead of failing.
    wrapped = (east * _MINUTE + _WORD // 2) % _WORD - _WORD // 2
    return int(wrapped / 10**9)


def _integer(text: str) -> int:
    if _ATOI.fullmatch(text) is None:
        raise EvaluationError(f'strconv.Atoi: parsing "{text}": invalid syntax', "value")
    if len(text) > _MAX_DIGITS or not MIN_INT <= int(text) <= MAX_INT:
        raise EvaluationError(f'strconv.Atoi: parsing "{text}": value out of range', "value")
    return int(text)


def _local(value: Timestamp, zone: tuple[str, ...]) -> Moment:
    seconds = value.ns // 10**9
    if not zone:
        return moment(seconds)
    where = _zone(zone[0])
    if isinstance(where, int):
        return moment(seconds + where)
    at = _EPOCH + timedelta(seconds=max(_FIRST, min(_LAST, seconds)))
    east = at.astimezone(where).utcoffset() or timedelta()
    return moment(seconds + east.days * DAY_SECONDS + east.seconds)


def _part(of: Callable[[Moment], int]) -> Callable[..., int]:
    def read(_ctx: Activation, value: Timestamp, *zone: str) -> int:
        return of(_local(value, zone))

    return read


def _clock(of: Callable[[Moment], int], unit: int) -> Callable[..., int]:
    def read(_ctx: Activation, value: Any, *zone: str) -> int:
        if type(value) is Duration:
            whole = abs(value.ns) // unit
            return whole if value.ns >= 0 else -whole
        return of(_local(value, zone))

    return read


def _milliseconds(_ctx: Activation, value: Any, *zone: str) -> int:
    if type(value) is Duration:
        whole = abs(value.ns) // 10**6
        return whole if value.ns >= 0 else -whole
    if zone:
        _zone(zone[0])
    return int(value.ns % 10**9 // 10**6)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "now": now,
    "timeSince": time_since,
    "getFullYear": _part(lambda at: at.year),
    "getMonth": _part(lambda at: at.month - 1),
    "getDayOfYear": _part(lambda at: at.year_day),
    "getDayOfMonth": _part(lambda at: at.day - 1),
    "getDate": _part(lambda at: at.day),
    "getDayOfWeek": _part(lambda at: at.weekday),
    "getHours": _clock(lambda at: at.hour, 3600 * 10**9),
    "getMinutes": _clock(lambda at: at.minute, 60 * 10**9),
    "getSeconds": _clock(lambda at: at.second, 10**9),
    "getMilliseconds": _milliseconds,
}
