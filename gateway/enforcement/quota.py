"""How much each principal may ask in a minute, and which calls get a record of their own.

One principal's flood must neither starve another nor fill the disk: what is over the quota is refused for him alone and
told in one record a minute, and so is anonymous traffic beyond its first records. Pure: the time comes with each call.
"""

from __future__ import annotations

from collections import OrderedDict

from msgspec import Struct

from gateway.domain.principal import Principal

MINUTE = 60 * 1_000_000_000
HOUR = 60 * MINUTE
METERED_PRINCIPALS = 4096
SOCKET_PROVIDER = "socket"
"""The default principal's provider: the one user of a laptop has no quota."""


class Quota(Struct, frozen=True, kw_only=True):
    """Limits a principal and minute, 0 for none. `anonymous_records` are kept one by one, the rest is counted."""

    requests: int = 0
    bytes: int = 0
    anonymous_records: int = 100


class Admission(Struct, frozen=True, kw_only=True):
    """Whether a call is within the quota (`over` says what is exceeded), and whether it gets a record of its own."""

    over: str = ""
    recorded: bool = True


class Summary(Struct, frozen=True, kw_only=True):
    """What one principal's calls of one minute came to, of which some have no record of their own."""

    principal: Principal
    since: int
    requests: int
    bytes: int
    over_quota: int
    unrecorded: int


class _Meter(Struct):
    """One principal's running minute."""

    principal: Principal
    minute: int
    requests: int = 0
    bytes: int = 0
    over_quota: int = 0
    unrecorded: int = 0


class Meters:
    """Counts every principal's calls, at most `principals` of them at once."""

    def __init__(self, quota: Quota, principals: int = METERED_PRINCIPALS) -> None:
        self._quota = quota
        self._principals = principals
        self._meters: OrderedDict[tuple[str, ...], _Meter] = OrderedDict()
        self._ended: list[Summary] = []
        self._disabled_until: OrderedDict[tuple[str, ...], int] = OrderedDict()

    def admit(self, principal: Principal, *, proven: bool, size: int, now: int) -> Admission:
        """Count a call of `size` bytes."""
        if principal.proof.provider == SOCKET_PROVIDER:
            return Admission()
        meter = self._meter(principal, now // MINUTE)
        meter.requests += 1
        meter.bytes += size
        over = self._over(meter)
        if over:
            meter.over_quota += 1
        recorded = (
            meter.over_quota == 1 if over else proven or meter.requests <= self._quota.anonymous_records
        )
        if not recorded:
            meter.unrecorded += 1
        return Admission(over=over, recorded=recorded)

    def records_disabled(self, key: tuple[str, ...], now: int) -> bool:
        """Whether a call in mode `disabled` gets a record: one an hour tells that a principal is not governed."""
        if now < self._disabled_until.get(key, 0):
            return False
        self._disabled_until[key] = now + HOUR
        self._disabled_until.move_to_end(key)
        if len(self._disabled_until) > self._principals:
            self._disabled_until.popitem(last=False)
        return True

    def ended(self, now: int) -> list[Summary]:
        """What is to be told of minutes that are over; each is told once. With `now` 0 also the running ones."""
        for key in [key for key, meter in self._meters.items() if now == 0 or meter.minute != now // MINUTE]:
            self._end(self._meters.pop(key))
        ended, self._ended = self._ended, []
        return ended

    def _meter(self, principal: Principal, minute: int) -> _Meter:
        meter = self._meters.get(principal.key)
        if meter is not None and meter.minute != minute:
            self._end(self._meters.pop(principal.key))
            meter = None
        if meter is None:
            if len(self._meters) >= self._principals:
                self._end(self._meters.popitem(last=False)[1])
            meter = self._meters[principal.key] = _Meter(principal, minute)
        self._meters.move_to_end(principal.key)
        return meter

    def _over(self, meter: _Meter) -> str:
        if self._quota.requests and meter.requests > self._quota.requests:
            return f"more than {self._quota.requests} requests in a minute"
        if self._quota.bytes and meter.bytes > self._quota.bytes:
            return f"more than {self._quota.bytes} bytes in a minute"
        return ""

    def _end(self, meter: _Meter) -> None:
        if meter.unrecorded:
            self._ended.append(
                Summary(
                    principal=meter.principal,
                    since=meter.minute * MINUTE,
                    requests=meter.requests,
                    bytes=meter.bytes,
                    over_quota=meter.over_quota,
                    unrecorded=meter.unrecorded,
                )
            )
