"""RFC 3339 times of suite files, with the sentence that Go's parser says of a wrong one (the layout Cerbos prints)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

LAYOUT = "2006-01-02T15:04:05.999999999Z07:00"
_ELEMENTS: tuple[tuple[str, str], ...] = (
    ("2006", r"\d{4}"),
    ("-", "-"),
    ("01", r"\d{2}"),
    ("-", "-"),
    ("02", r"\d{2}"),
    ("T", "T"),
    ("15", r"\d{2}"),
    (":", ":"),
    ("04", r"\d{2}"),
    (":", ":"),
    ("05", r"\d{2}(?:\.\d+)?"),
    ("Z07:00", r"Z|[+-]\d{2}:\d{2}"),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS = 1_000_000_000


def parse_instant(text: str) -> int:
    """Nanoseconds since the epoch. Raises ValueError with Go's sentence."""
    at = 0
    parts: list[str] = []
    for element, pattern in _ELEMENTS:
        match = re.compile(pattern).match(text, at)
        if match is None:
            raise ValueError(f'{_parsing(text)}: cannot parse "{text[at:]}" as "{element}"')
        parts.append(match.group())
        at = match.end()
    if at != len(text):
        raise ValueError(f'{_parsing(text)}: extra text: "{text[at:]}"')
    year, month, day, hour, minute = (parts[index] for index in (0, 2, 4, 6, 8))
    second, _, fraction = parts[10].partition(".")
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC
        ) - _offset(parts[11])
    except (ValueError, OverflowError):
        raise ValueError(f"{_parsing(text)}: value out of range") from None
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * _NANOSECONDS + int(fraction[:9].ljust(9, "0") or 0)


def _offset(zone: str) -> timedelta:
    if zone == "Z":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset


def _parsing(text: str) -> str:
    return f'parsing time "{text}" as "{LAYOUT}"'
