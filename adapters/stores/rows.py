"""A record as the columns, marks and words of an index: the same projection in every store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from gateway.domain.record import Record

_MAX_TEXTS = 400
_SHORT_DIGITS = 10


class Columns(Struct, frozen=True, kw_only=True):
    """The columns of a record that searches and joins use. `short` is what a short id stands for, `who` the joint key."""

    chain: str
    seq: int
    id: str
    short: str
    ts: int
    type: str
    principal: str
    who: str
    session: str
    prompt: str
    call: str
    agent: str
    event: str
    tool: str
    digest: str
    decision: str
    answer: str
    first: str
    synthetic: int


def columns_of(record: Record, chain: str) -> Columns:
    """The columns of a record of a chain."""
    principal, who = "", ""
    if record.principal is not UNSET:
        named = record.principal
        principal = named.id
        # A display name decides nothing: two issuers may know the same one.
        who = msgspec.json.encode((named.provider, named.issuer, named.subject or named.id)).decode()
    return Columns(
        chain=chain,
        seq=record.seq,
        id=record.decision_id,
        short=record.decision_id.replace("-", "")[-_SHORT_DIGITS:],
        ts=record.ts,
        type=record.type,
        principal=principal,
        who=who,
        session=record.session_id,
        prompt=record.prompt_id,
        call=record.call_id,
        agent=record.agent,
        event=record.event,
        tool=record.tool,
        digest=record.input_digest,
        decision=record.decision,
        answer=record.answer,
        first=record.first,
        synthetic=int(record.synthetic),
    )


def marks_of(record: Record) -> set[tuple[str, str]]:
    """What a record can be found by beside its columns: rules and flags."""
    rules = {("rule", reason.rule) for reason in record.reasons if reason.rule}
    return rules | {("flag", flag) for flag in record.flags}


def words_of(record: Record) -> str:
    """The text people search: commands, paths, hosts, reasons."""
    found: list[str] = [record.tool, record.detail, record.cwd, record.project_dir]
    if record.input is not UNSET:
        found += texts_in(record.input)
    found += [operation.id for operation in record.operations]
    for reason in record.reasons:
        found += (reason.rule, reason.text)
    found += record.flags
    if record.gate is not UNSET:
        found += texts_in(record.gate)
    return "\n".join(text for text in found[:_MAX_TEXTS] if text)


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a JSON value, without the names of fields."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            pending.extend(reversed(list(item.values())))
        elif isinstance(item, list | tuple):
            pending.extend(reversed(item))
