"""Calls that demo, doctor and canaries make: marked by a MAC that only the owner of the data directory can make.

Synthetic records stay out of searches and metrics, so that a mark anybody could set would hide a call. The key is derived
from the instance's, which is readable by the gateway's user alone: in posture `advisory` an agent of that user has it too.
A mark may name the user and roles a story is about; it holds for one call, for a minute.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

import msgspec
from msgspec import Struct

from gateway.domain.events import HookEvent
from gateway.domain.ports import Clock, Identified
from gateway.domain.principal import Principal, Proof, sorted_roles

HEADER = "X-Ostiary-Synthetic"
SECONDS = 60
_PURPOSE = b"ostiary-synthetic/1"
_LONGEST = 4096
_BILLION = 1_000_000_000


class Mark(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a mark says: when it was made (seconds since the epoch), and in whose name, "" for the caller's own."""

    at: int
    user: str = ""
    roles: tuple[str, ...] = ()


class Call(Struct, frozen=True):
    """The call a mark holds for."""

    event: str
    session_id: str
    call_id: str
    tool: str


class Marks:
    """Makes and reads marks. `key` is the instance's."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = hmac.digest(key, _PURPOSE, hashlib.sha256)
        self._clock = clock

    def make(self, call: Call, user: str = "", roles: tuple[str, ...] = ()) -> str:
        """The header's value for a call."""
        mark = Mark(at=self._clock() // _BILLION, user=user, roles=roles)
        said = base64.urlsafe_b64encode(msgspec.json.encode(mark))
        return f"{said.decode()}.{self._seal(said, call)}"

    def read(self, value: str, event: HookEvent) -> Mark | None:
        """The mark of a request, None where there is none that holds for this call now."""
        said, dot, seal = value.partition(".")
        if not dot or len(value) > _LONGEST or not value.isascii():
            return None
        call = Call(event.event, event.session_id, event.call_id, event.tool)
        if not hmac.compare_digest(seal, self._seal(said.encode(), call)):
            return None
        try:
            mark = msgspec.json.decode(base64.urlsafe_b64decode(said), type=Mark)
        except (binascii.Error, msgspec.MsgspecError, ValueError):
            return None
        return mark if abs(self._clock() // _BILLION - mark.at) <= SECONDS else None

    def _seal(self, said: bytes, call: Call) -> str:
        return hmac.digest(self._key, said + b"\n" + msgspec.json.encode(call), hashlib.sha256).hex()


def identified_by(mark: Mark) -> Identified | None:
    """Whom a mark names: a principal of its own kind, never confused with a real one of the same name."""
    if not mark.user:
        return None
    proof = Proof(provider="synthetic", subject=mark.user, at=mark.at)
    return Identified(
        principal=Principal(id=mark.user, roles=sorted_roles(mark.roles), proof=proof), proven=True
    )
