"""Quotas: one principal's flood is refused for him alone, and what has no record of its own is counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.principal import ANONYMOUS, Principal, Proof
from gateway.enforcement.quota import HOUR, MINUTE, Meters, Quota

START = 1_000 * MINUTE


def user(name: str, provider: str = "token") -> Principal:
    return Principal(id=name, roles=("engineer",), proof=Proof(provider=provider, subject=name))


def admit(meters: Meters, principal: Principal = ANONYMOUS, *, size: int = 1, now: int = START):
    return meters.admit(principal, proven=principal is not ANONYMOUS, size=size, now=now)


def test_requests_beyond_the_quota_are_refused_until_the_minute_ends():
    meters = Meters(Quota(requests=3))
    assert [bool(admit(meters, user("ada")).over) for _ in range(5)] == [False, False, False, True, True]
    assert not admit(meters, user("ada"), now=START + MINUTE).over


def test_bytes_beyond_the_quota_are_refused():
    meters = Meters(Quota(bytes=100))
    assert not admit(meters, user("ada"), size=100).over
    assert "bytes" in admit(meters, user("ada"), size=1).over


def test_one_principals_flood_is_not_anothers():
    meters = Meters(Quota(requests=1))
    for _ in range(10):
        admit(meters, user("mallory"))
    assert not admit(meters, user("ada")).over


def test_the_default_principal_has_no_quota():
    meters = Meters(Quota(requests=1, bytes=1))
    local = user("local", provider="socket")
    assert not any(admit(meters, local, size=10**9).over for _ in range(100))
    assert all(admit(meters, local).recorded for _ in range(300))


def test_of_calls_over_the_quota_the_first_is_recorded_and_the_rest_are_counted():
    meters = Meters(Quota(requests=2))
    recorded = [admit(meters, user("ada"), size=10).recorded for _ in range(6)]
    assert recorded == [True, True, True, False, False, False]
    assert meters.ended(START) == []
    (summary,) = meters.ended(START + MINUTE)
    assert (summary.requests, summary.bytes, summary.over_quota, summary.unrecorded) == (6, 60, 4, 3)
    assert (summary.principal.id, summary.since) == ("ada", START)
    assert meters.ended(START + MINUTE) == []


def test_anonymous_calls_beyond_the_first_hundred_of_a_minute_are_counted():
    meters = Meters(Quota())
    recorded = [admit(meters).recorded for _ in range(250)]
    assert recorded == [True] * 100 + [False] * 150
    assert admit(meters, now=START + MINUTE).recorded
    (summary,) = meters.ended(START + MINUTE)
    assert (summary.principal.id, summary.unrecorded) == ("anonymous", 150)


def test_a_stop_tells_of_the_running_minute_too():
    meters = Meters(Quota(anonymous_records=0))
    admit(meters)
    assert [summary.unrecorded for summary in meters.ended(0)] == [1]


def test_a_call_in_mode_disabled_is_recorded_once_an_hour_for_each_principal():
    meters = Meters(Quota())
    assert meters.records_disabled(("ada",), START)
    assert not meters.records_disabled(("ada",), START + HOUR - 1)
    assert meters.records_disabled(("bob",), START)
    assert meters.records_disabled(("ada",), START + HOUR)


CALLS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 50), st.integers(0, 4)), max_size=200)


@given(CALLS, st.integers(1, 4), st.integers(1, 6), st.integers(0, 60))
def test_every_call_has_a_record_or_is_counted_whatever_is_displaced(calls, principals, requests, size):
    meters = Meters(Quota(requests=requests, bytes=size), principals=principals)
    recorded, summaries, now = 0, [], START
    for name, weight, minutes in calls:
        now += minutes * MINUTE // 2
        recorded += meters.admit(user(name), proven=True, size=weight, now=now).recorded
        summaries += meters.ended(now)
        assert len(meters._meters) <= principals
    summaries += meters.ended(0)
    assert recorded + sum(summary.unrecorded for summary in summaries) == len(calls)
