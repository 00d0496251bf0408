"""The record, schema `ostiary.record/1`: fields are added, never changed or removed.

Order is redact, hash, store: a `Record` that reaches the journal has been through the one redaction choke point.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

RecordType = Literal["call", "repeat", "check", "gate", "tombstone"]


class RecordedPrincipal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who asked, and how that was proven."""

    id: str
    roles: tuple[str, ...]
    provider: str = "none"
    issuer: str = ""
    subject: str = ""
    attr: Mapping[str, Any] = {}


class RecordedOperation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One operation as it was asked."""

    kind: str
    action: str
    id: str
    attr: Mapping[str, Any] = {}


class RecordedReason(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One reason: the rule, where it stands, what it says. Condition values are not recorded: `why` computes them."""

    rule: str = ""
    decision: str = ""
    kind: str = ""
    action: str = ""
    resource: str = ""
    layer: str = ""
    text: str = ""
    policy: str = ""
    file: str = ""
    line: int = 0


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the journal. Times are integers: `ts` in nanoseconds since the epoch, timings in nanoseconds."""

    schema: str
    """`vocabulary.RECORD_SCHEMA`; required, since a default would be left out of the line."""
    type: RecordType
    decision_id: str
    """UUIDv7 in its canonical form; people see `short_id(decision_id)`."""
    seq: int = 0
    """Position in the chain, given by the journal."""
    ts: int = 0
    instance: str = ""
    worker: str = ""
    posture: str = ""
    agent: str = ""
    route: str = ""
    event: str = ""
    session_id: str = ""
    prompt_id: str = ""
    call_id: str = ""
    tool: str = ""
    subagent: Mapping[str, str] | UnsetType = UNSET
    principal: RecordedPrincipal | UnsetType = UNSET
    cwd: str = ""
    project_dir: str = ""
    home: str = ""
    permission_mode: str = ""
    input: Mapping[str, Any] | UnsetType = UNSET
    """The tool's input (or the event's own fields) after redaction and capping."""
    input_digest: str = ""
    """Keyed digest `h1:<kid>:<hex>` of the canonical input: joins Pre with Post without keeping the value."""
    erased: tuple[str, ...] = ()
    """What redaction took out: `<json path>:<pattern name>`."""
    operations: tuple[RecordedOperation, ...] = ()
    operations_truncated: bool = False
    shell: Mapping[str, Any] | UnsetType = UNSET
    mode: str = ""
    decision: str = ""
    answer: str = ""
    outcome: str = ""
    cause: str = ""
    detail: str = ""
    error_id: str = ""
    reasons: tuple[RecordedReason, ...] = ()
    flags: tuple[str, ...] = ()
    """Suspicions: `call_id_reuse`, `rewritten_after_approval`, `reserved_attribute`, `claim_changed`, …"""
    first: str = ""
    """On a `repeat`: the decision_id of the first record."""
    revision: str = ""
    backend: str = ""
    cache: str = ""
    timings: Mapping[str, int] | UnsetType = UNSET
    """Nanoseconds: `decode`, `analyse`, `decide`, `total`."""
    bytes: int = 0
    synthetic: bool = False
    gate: Mapping[str, Any] | UnsetType = UNSET
    """On a `gate` record: action (`start`, `stop`, `reload`, `mode`, `config`, `audit_read`) and its facts."""


_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def short_id(decision_id: str) -> str:
    """The id people type: the last 40 bits of a UUID in Crockford base32, `7KQ2-M4XD`."""
    value = int(decision_id.replace("-", "")[-10:], 16)
    letters = "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(35, -1, -5))
    return f"{letters[:4]}-{letters[4:]}"


def parse_short_id(text: str) -> str:
    """The last ten hex digits that a short id stands for; raises ValueError when it is none.

    Crockford's look-alikes are accepted: `O` for `0`, `I` and `L` for `1`; case and dashes do not matter.
    """
    letters = text.strip().upper().replace("-", "").translate(str.maketrans("OIL", "011"))
    if len(letters) != 8 or any(letter not in _CROCKFORD for letter in letters):
        raise ValueError(f"{text!r} is not a decision id such as 7KQ2-M4XD")
    value = 0
    for letter in letters:
        value = value << 5 | _CROCKFORD.index(letter)
    return f"{value:010x}"
