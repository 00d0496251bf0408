"""Where one record stands in the journal, and whether the commit that covers it fits its stored bytes."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.audit.chain import first_link, is_commit, link, parse_commit
from gateway.audit.tail import segments


class Proof(Struct, frozen=True, kw_only=True):
    """One record's place. `commit` is the hash that covers it, "" while none does; `fits`: the stored bytes give it."""

    file: str
    line: int
    commit: str = ""
    fits: bool = False


class _Numbered(Struct):
    seq: int = 0


_DECODER = msgspec.json.Decoder(_Numbered)


def prove(audit_dir: Path, chain: str, seq: int) -> Proof | None:
    """The proof of a record, None where it does not stand. Reads one segment and the end of the one before it."""
    directory = audit_dir / chain
    if not directory.is_dir() or seq < 1:
        return None
    before: Path | None = None
    found: Path | None = None
    for path in segments(directory):
        if int(path.stem) > seq:
            break
        before, found = found, path
    return None if found is None else _in_segment(found, _last_commit(before), seq)


def _in_segment(path: Path, previous: str, seq: int) -> Proof | None:
    group: list[bytes] = []
    at = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if number == 1 and int(path.stem) == 1:
                previous = first_link(line)
            elif not is_commit(line):
                group.append(line)
                if _seq(line) == seq:
                    at = number
            else:
                try:
                    commit = parse_commit(line).commit
                except ValueError:
                    return Proof(file=str(path), line=at) if at else None
                if at:
                    fits = bool(previous) and commit == link(previous, group)
                    return Proof(file=str(path), line=at, commit=commit, fits=fits)
                previous, group = commit, []
    return Proof(file=str(path), line=at) if at else None


def _seq(line: bytes) -> int:
    try:
        return _DECODER.decode(line).seq
    except (msgspec.MsgspecError, ValueError):
        return 0


def _last_commit(path: Path | None) -> str:
    """The hash on the last line of a segment, "" where it cannot be told."""
    if path is None:
        return ""
    lines = path.read_bytes().splitlines(keepends=True)
    try:
        return parse_commit(lines[-1]).commit if lines else ""
    except ValueError:
        return ""
