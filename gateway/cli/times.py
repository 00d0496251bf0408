"""Times as people type them: `2h`, `3d`, `2026-05-01`, `2026-05-01T12:00`, to nanoseconds since the epoch, and back."""

from __future__ import annotations

import re
from datetime import datetime

_AGO = re.compile(r"(?P<count>\d{1,6})(?P<unit>[smhdw])\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BILLION = 1_000_000_000


def parse_time(text: str, now: int) -> int:
    """A point in time: so long before `now`, or an ISO 8601 date or time, local where it names no zone. Raises ValueError."""
    ago = _AGO.match(text.strip())
    if ago is not None:
        return now - int(ago["count"]) * _SECONDS[ago["unit"]] * _BILLION
    try:
        return int(datetime.fromisoformat(text.strip()).astimezone().timestamp() * _BILLION)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text!r} is no time such as 2h, 3d or 2026-05-01T12:00") from None


def shown_time(nanoseconds: int, *, seconds: bool = True) -> str:
    """A point in time as people read it, in local time."""
    moment = datetime.fromtimestamp(nanoseconds / _BILLION).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M:%S" if seconds else "%m-%d %H:%M")
