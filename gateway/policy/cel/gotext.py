"""Numbers, times and quotes in the notation of Go, in which Cerbos writes and reads them."""

from __future__ import annotations

import math
import re
from typing import Final

from gateway.policy.cel.calendar import DAY_SECONDS, days_in_month, days_to, moment
from gateway.policy.cel.values import MAX_INT, MIN_INT

_DURATION: Final = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)")  # both micro signs are legal
_UNITS: Final = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,  # the Greek letter, legal too
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_TIMESTAMP: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
)
_MAX_DURATION_TEXT: Final = 1_000


def double_text(value: float) -> str:
    """A double as Go's %g prints it: shortest digits, an exponent below -4 and from 6 up."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    digits, exponent = _digits(value)
    if exponent < -4 or exponent >= 6:  # strconv's thresholds
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        sign = "-" if math.copysign(1.0, value) < 0 else ""
        return f"{sign}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return plain_text(value)


def _digits(value: float) -> tuple[str, int]:
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    power = int(exponent or 0) + len(whole) - 1
    digits = whole + fraction
    stripped = digits.lstrip("0")
    if not stripped:
        return "0", 0
    return stripped.rstrip("0") or "0", power - (len(digits) - len(stripped))


def plain_text(value: float) -> str:
    """A finite double without an exponent, shortest digits."""
    digits, exponent = _digits(value)
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    if len(digits) <= exponent + 1:
        return sign + digits + "0" * (exponent + 1 - len(digits))
    return f"{sign}{digits[: exponent + 1]}.{digits[exponent + 1 :]}"


def duration_text(ns: int) -> str:
    """Seconds with the fraction that is there, as `string(duration)`: "5400s", "1.5s"."""
    return plain_text(ns / 10**9) + "s"


def timestamp_text(ns: int, offset: int = 0) -> str:
    """RFC 3339 in the zone `offset` seconds (whole minutes) east of UTC, the fraction as short as it can be."""
    seconds, fraction = divmod(ns + offset * 10**9, 10**9)
    at = moment(seconds)
    shown = f".{fraction:09d}".rstrip("0") if fraction else ""
    minutes = abs(offset) // 60
    zone = f"{'-' if offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}" if offset else "Z"
    return f"{at.year:04d}-{at.month:02d}-{at.day:02d}T{at.hour:02d}:{at.minute:02d}:{at.second:02d}{shown}{zone}"


def parse_duration(text: str) -> int | None:
    """Nanoseconds of Go's notation ("1h30m", "-1.5s", "0"), or None."""
    if len(text) > _MAX_DURATION_TEXT:
        return None
    sign = -1 if text[:1] == "-" else 1
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return 0
    total, position = 0, 0
    while position < len(body):
        found = _DURATION.match(body, position)
        if found is None or not (found[1] or found[2]):
            return None
        unit = _UNITS[found[3]]
        total += int(found[1] or 0) * unit
        fraction = (found[2] or "")[:18]
        if fraction:
            total += int(fraction) * unit // 10 ** len(fraction)
        position = found.end()
    total *= sign
    return total if body and MIN_INT <= total <= MAX_INT else None


def parse_timestamp(text: str) -> tuple[int, int] | None:
    """Nanoseconds since 1970 and seconds east of UTC of an RFC 3339 text, or None.

    The result may lie outside the years 1 to 9999.
    """
    found = _TIMESTAMP.fullmatch(text)
    if found is None or not text.isascii():
        return None
    year, month, day, hour, minute, second = (int(found[number]) for number in range(1, 7))
    if hour > 23 or minute > 59 or second > 59 or not 1 <= day <= days_in_month(year, month):
        return None
    offset = 0
    if found[8] != "Z":
        offset = (int(found[8][1:3]) * 3600 + int(found[8][4:6]) * 60) * (-1 if found[8][0] == "-" else 1)
    seconds = days_to(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second - offset
    return seconds * 10**9 + int((found[7] or "0")[:9].ljust(9, "0")), offset
