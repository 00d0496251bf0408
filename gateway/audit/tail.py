"""The end of a chain as a crash left it: its last commit, and the bytes after it that belong to no commit.

A torn tail is never repaired: the next chain names it, and whoever verifies sees the same bytes.
"""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from gateway.audit.chain import first_link, is_commit, parse_commit

_SEGMENT = re.compile(r"\d{16}\.jsonl\Z")
_CHAIN = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+\.[0-9a-f-]{36}\Z")


class ChainState(Struct, frozen=True, kw_only=True):
    """Where a chain ends. `commit` is the last valid one, else the hash of the header line; `closed`: a clean stop."""

    commit: str
    seq: int
    torn_bytes: int
    closed: bool = False


def is_chain(path: Path) -> bool:
    """Whether a directory under `audit/` is a chain's; links lead out of what the journal's owner wrote."""
    return _CHAIN.match(path.name) is not None and path.is_dir() and not path.is_symlink()


def is_segment(path: Path) -> bool:
    """Whether a file in a chain's directory is one of its segments."""
    return _SEGMENT.match(path.name) is not None and path.is_file() and not path.is_symlink()


def segments(directory: Path) -> list[Path]:
    """A chain's files in order."""
    return sorted(path for path in directory.iterdir() if is_segment(path))


def last_state(directory: Path) -> ChainState:
    """The end of a chain, read from its last segments backwards; total for any bytes."""
    files = segments(directory)
    torn = 0
    for path in reversed(files):
        data = path.read_bytes()
        end = len(data)
        while end > 0:
            newline = data.rfind(b"\n", 0, end)
            if newline < 0:
                break
            start = data.rfind(b"\n", 0, newline) + 1
            line = data[start : newline + 1]
            if is_commit(line):
                try:
                    commit = parse_commit(line)
                except ValueError:
                    end = start
                    continue
                torn += len(data) - (newline + 1)
                return ChainState(commit=commit.commit, seq=commit.seq, torn_bytes=torn, closed=commit.close)
            end = start
        if path is files[0]:
            first, separator, rest = data.partition(b"\n")
            torn += len(rest)
            return ChainState(commit=first_link(first + separator), seq=0, torn_bytes=torn)
        torn += len(data)
    return ChainState(commit="", seq=0, torn_bytes=torn)
