"""Calendar, zones and the texts of times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.cel import Activation, compile_expression
from gateway.policy.cel.calendar import DAY_SECONDS, date_of, days_in_month, days_to, moment
from gateway.policy.cel.gotext import duration_text, parse_duration, parse_timestamp, timestamp_text
from gateway.policy.cel.operators import MAX_TIME, MIN_TIME
from gateway.policy.cel.values import MAX_INT, MIN_INT

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = (
    "UTC",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Kiritimati",
    "Europe/Amsterdam",
    "Africa/Monrovia",
)
GETTERS = {
    "getFullYear": lambda at: at.year,
    "getMonth": lambda at: at.month - 1,
    "getDate": lambda at: at.day,
    "getDayOfMonth": lambda at: at.day - 1,
    "getDayOfWeek": lambda at: at.isoweekday() % 7,
    "getDayOfYear": lambda at: at.timetuple().tm_yday - 1,
    "getHours": lambda at: at.hour,
    "getMinutes": lambda at: at.minute,
    "getSeconds": lambda at: at.second,
}


@given(st.datetimes())
def test_the_calendar_is_pythons_where_python_has_one(at):
    seconds = (at.replace(tzinfo=UTC) - EPOCH) // timedelta(seconds=1)
    assert moment(seconds)[:6] == at.timetuple()[:6]
    assert moment(seconds).weekday == at.isoweekday() % 7
    assert moment(seconds).year_day == at.timetuple().tm_yday - 1
    assert days_to(at.year, at.month, at.day) == seconds // DAY_SECONDS


@given(st.integers(-720_000, 2_933_000))
def test_a_day_and_its_date_name_each_other(days):
    year, month, day = date_of(days)
    assert 1 <= day <= days_in_month(year, month)
    assert days_to(year, month, day) == days


def test_a_month_that_does_not_exist_has_no_days():
    assert [days_in_month(2024, month) for month in (0, 2, 13)] == [0, 29, 0]
    assert days_in_month(1900, 2) == 28


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)),  # noqa: DTZ001 - hypothesis takes naive bounds
    st.sampled_from(ZONES),
    st.sampled_from(sorted(GETTERS)),
)
def test_a_getter_reads_the_clock_of_its_zone(at, zone, getter):
    utc = at.replace(microsecond=0, tzinfo=UTC)
    text = f"timestamp('{utc.isoformat().replace('+00:00', 'Z')}').{getter}('{zone}')"
    assert compile_expression(text).evaluate(Activation()) == GETTERS[getter](utc.astimezone(ZoneInfo(zone)))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("timestamp('0001-01-01T00:00:00Z').getFullYear('-05:00')", 0),
        ("timestamp('9999-12-31T23:59:59Z').getFullYear('+05:00')", 10_000),
        ("timestamp('0001-01-01T00:00:00Z').getSeconds('America/New_York')", 58),
        ("timestamp('9999-12-31T23:59:59Z').getDayOfYear('Asia/Kolkata')", 0),
        ("string(timestamp('9999-12-31T22:00:00-01:00') + duration('59m'))", "9999-12-31T22:59:00-01:00"),
    ],
)
def test_the_ends_of_time_in_a_zone(text, wanted):
    assert compile_expression(text).evaluate(Activation()) == wanted


@given(st.integers(MIN_TIME, MAX_TIME), st.integers(-23 * 60, 23 * 60))
def test_a_timestamp_is_read_as_it_is_written(ns, minutes):
    written = timestamp_text(ns, minutes * 60)
    if written[4] == "-" and not written.startswith("0000"):  # a year that CEL reads
        assert parse_timestamp(written) == (ns, minutes * 60)


@given(st.integers(MIN_INT, MAX_INT))
def test_a_duration_of_nanoseconds_is_read_as_it_is_written(ns):
    assert parse_duration(f"{ns}ns") == ns


@given(st.integers(-(10**12), 10**12))
def test_a_duration_of_milliseconds_is_shown_in_seconds(milliseconds):
    assert parse_duration(duration_text(milliseconds * 10**6)) == milliseconds * 10**6


@given(st.text(alphabet="0123456789.hmsnuµ+- ", max_size=12))
def test_any_text_is_a_duration_within_64_bits_or_none(text):
    ns = parse_duration(text)
    assert ns is None or MIN_INT <= ns <= MAX_INT


def test_an_offset_that_no_clock_has_wraps_as_gos_arithmetic_does():
    assert compile_expression("timestamp(0).getFullYear('9999999999:00')").evaluate(Activation()) == 1715


def test_now_is_the_moment_of_the_check():
    program = compile_expression("[now(), now()].all(t, t == timestamp('2001-09-09T01:46:40Z'))")
    assert program.evaluate(Activation(now=10**18)) is True
    assert program.evaluate_exact(Activation(now=10**18)) is True
