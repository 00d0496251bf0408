"""The clock and the parts of timestamps and durations (CEL "Standard definitions"; Cerbos `now`, `timeSince`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.errors import EvaluationError
from gateway.policy.cel.operators import checked_duration
from gateway.policy.cel.values import Duration, Timestamp

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_OFFSET_MINUTES: Final = 24 * 60


def now(ctx: Activation) -> Timestamp:
    """`now()`: the same instant for a whole check."""
    return Timestamp(ctx.now)


def time_since(ctx: Activation, then: Timestamp) -> Duration:
    """`timeSince(then)`."""
    return checked_duration(ctx.now - then.ns)


def _zone(name: str) -> tzinfo:
    if ":" in name:
        return timezone(timedelta(minutes=_offset(name)))
    if name in ("", "UTC", "Local"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise EvaluationError(f"unknown time zone {name}", "value") from None


def _offset(name: str) -> int:
    hours, _, minutes = name.partition(":")
    try:
        # int() takes the digits of every script, Go those of ASCII only.
        parts = [int(part.encode("ascii")) for part in (hours, minutes)]
    except ValueError:
        raise EvaluationError(f'strconv.Atoi: parsing "{hours}": invalid syntax', "value") from None
    east = parts[0] * 60 + (-parts[1] if name.startswith("-") else parts[1])
    if not -_MAX_OFFSET_MINUTES < east < _MAX_OFFSET_MINUTES:
        raise EvaluationError(f"time zone offset out of range: {name}", "value")
    return east


def _local(value: Timestamp, zone: tuple[str, ...]) -> datetime:
    moment = _EPOCH + timedelta(seconds=value.ns // 10**9)
    if not zone:
        return moment
    try:
        return moment.astimezone(_zone(zone[0]))
    except OverflowError:
        raise EvaluationError("timestamp overflow", "overflow") from None


def _part(of: Callable[[datetime], int]) -> Callable[..., int]:
    def read(_ctx: Activation, value: Timestamp, *zone: str) -> int:
        return of(_local(value, zone))

    return read


def _clock(of: Callable[[datetime], int], unit: int) -> Callable[..., int]:
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
    "getFullYear": _part(lambda moment: moment.year),
    "getMonth": _part(lambda moment: moment.month - 1),
    "getDayOfYear": _part(lambda moment: moment.timetuple().tm_yday - 1),
    "getDayOfMonth": _part(lambda moment: moment.day - 1),
    "getDate": _part(lambda moment: moment.day),
    "getDayOfWeek": _part(lambda moment: moment.isoweekday() % 7),
    "getHours": _clock(lambda moment: moment.hour, 3600 * 10**9),
    "getMinutes": _clock(lambda moment: moment.minute, 60 * 10**9),
    "getSeconds": _clock(lambda moment: moment.second, 10**9),
    "getMilliseconds": _milliseconds,
}
