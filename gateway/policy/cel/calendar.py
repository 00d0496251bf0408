"""The proleptic Gregorian calendar for the years that a time zone can push a timestamp into: 0 to 10000.

Python's own calendar ends at the years 1 and 9999, where CEL's timestamps do; a zone moves them one day further.
"""

from __future__ import annotations

from typing import Final, NamedTuple

DAY_SECONDS: Final = 86_400
_DAYS_PER_ERA: Final = 146_097
"""Days of 400 years, after which the calendar repeats."""
_EPOCH_DAYS: Final = 719_468
"""Days from 0000-03-01 to 1970-01-01; a year that begins in March has its leap day at its end."""


class Moment(NamedTuple):
    """A local date and time: `month` 1 to 12, `weekday` 0 for Sunday, `year_day` 0 for the first of January."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    weekday: int
    year_day: int


def moment(seconds: int) -> Moment:
    """The date and time `seconds` after 1970-01-01T00:00:00 (negative before)."""
    days, rest = divmod(seconds, DAY_SECONDS)
    year, month, day = date_of(days)
    return Moment(
        year,
        month,
        day,
        rest // 3600,
        rest // 60 % 60,
        rest % 60,
        (days + 4) % 7,  # 1970-01-01 was a Thursday
        days - days_to(year, 1, 1),
    )


def date_of(days: int) -> tuple[int, int, int]:
    """Year, month and day of the date `days` after 1970-01-01."""
    era, day_of_era = divmod(days + _EPOCH_DAYS, _DAYS_PER_ERA)
    # Leap days at the end of 4, 100 and 400 years do not make a year; what is left counts 365 days a year.
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_month = (5 * day_of_year + 2) // 153
    month = march_month + 3 if march_month < 10 else march_month - 9
    year = era * 400 + year_of_era + (month <= 2)
    return year, month, day_of_year - (153 * march_month + 2) // 5 + 1


def days_to(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date, which must exist."""
    march_year = year - (month <= 2)
    era, year_of_era = divmod(march_year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * _DAYS_PER_ERA + day_of_era - _EPOCH_DAYS


def days_in_month(year: int, month: int) -> int:
    """How many days a month has; 0 for a month that does not exist."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31 if 1 <= month <= 12 else 0
