"""The journal's format `ostiary.journal/1`: lines, and the hashes that tie them. Pure; bytes in, bytes out.

    {"schema":"ostiary.journal/1", chain, instance, worker, started, versions, predecessor?}     the first line
    {"schema":"ostiary.record/1", ...}                                                            records
    {"commit": sha256(previous commit | raw bytes of the records since), "n", "seq", "ts"}       after every group write
    {"close": ..., same fields}                                                                  a clean stop

The first commit's predecessor is the hash of the first line. Verification hashes stored bytes and never encodes again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from gateway.domain.vocabulary import JOURNAL_SCHEMA

SEGMENT_DIGITS = 16


class Predecessor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The chain this one continues: its last commit, and how many bytes after it were torn off by a crash."""

    chain: str
    commit: str
    seq: int
    torn_bytes: int = 0


class Header(Struct, frozen=True, kw_only=True):
    """The first line of a chain's first segment. `started` is in nanoseconds since the epoch."""

    schema: str
    chain: str
    instance: str
    worker: str
    started: int
    versions: Mapping[str, str]
    predecessor: Predecessor | None = None


class Commit(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The line after a group of records. `n` of them, the last numbered `seq`; `close` on a clean stop.

    `ts` is when it was written and the only part of a chain that no hash covers: records have times of their own.
    """

    commit: str
    n: int
    seq: int
    ts: int
    close: bool = False


_ENCODER = msgspec.json.Encoder()
_COMMIT = msgspec.json.Decoder(Commit)
_HEADER = msgspec.json.Decoder(Header)


def header_line(header: Header) -> bytes:
    """The first line, with its newline."""
    return _ENCODER.encode(header) + b"\n"


def first_link(line: bytes) -> str:
    """What the first commit is tied to: the hash of the header line as stored."""
    return hashlib.sha256(line).hexdigest()


def link(previous: str, lines: Sequence[bytes]) -> str:
    """The hash of a commit: over the previous one and the stored bytes of the records since."""
    digest = hashlib.sha256(bytes.fromhex(previous))
    for line in lines:
        digest.update(line)
    return digest.hexdigest()


def commit_line(commit: Commit) -> bytes:
    """A commit line, with its newline."""
    return _ENCODER.encode(commit) + b"\n"


def parse_header(line: bytes) -> Header:
    """The header of a chain. Raises ValueError."""
    try:
        header = _HEADER.decode(line)
    except (msgspec.MsgspecError, ValueError) as error:
        raise ValueError(str(error)) from None
    if header.schema != JOURNAL_SCHEMA:
        raise ValueError(f"schema {header.schema!r}, expected {JOURNAL_SCHEMA}")
    return header


def is_commit(line: bytes) -> bool:
    """Whether a line is a commit line; a record never begins so."""
    return line.startswith(b'{"commit":')


def parse_commit(line: bytes) -> Commit:
    """A commit line. Raises ValueError."""
    try:
        return _COMMIT.decode(line)
    except (msgspec.MsgspecError, ValueError) as error:
        raise ValueError(str(error)) from None


def segment_name(first_seq: int) -> str:
    """The file that begins with a record number."""
    return f"{first_seq:0{SEGMENT_DIGITS}d}.jsonl"
