"""Verification of a journal: every file read, every stored byte hashed, every oddity named with file and line.

Without an outside anchor it proves consistency only: who could write the files could have written other ones. A tail cut
after the last commit is told from a clean end by the close line (docs/threat-model.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from gateway.audit.chain import Header, first_link, is_commit, link, parse_commit, parse_header, segment_name
from gateway.audit.tail import is_chain, is_segment, last_state

Severity = Literal["broken", "notice"]
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_UNBORN = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+\.[0-9a-f-]{36}\.new\Z")
_UNCLOSED = (
    "The chain has no close line: its process still runs, ended in a crash, or the end was cut off; the files alone do not "
    "tell which."
)


class Finding(Struct, frozen=True, kw_only=True):
    """One oddity. `broken`: the record was changed or is incomplete; `notice`: worth knowing, explained by a crash."""

    severity: Severity
    file: str
    line: int
    """1-based; 0 for the file or directory as a whole."""
    message: str
    seq: int = 0
    """The record at or before which the oddity stands, 0 where there is none."""


class ChainReport(Struct, frozen=True, kw_only=True):
    """What one chain holds."""

    chain: str
    records: int
    commits: int
    closed: bool
    last_commit: str


class Report(Struct, frozen=True, kw_only=True):
    """The whole verification."""

    chains: tuple[ChainReport, ...]
    findings: tuple[Finding, ...]
    trust: str

    @property
    def intact(self) -> bool:
        """Whether nothing is broken."""
        return not any(finding.severity == "broken" for finding in self.findings)


class _Seq(Struct):
    """The part of a record that verification reads."""

    seq: int = 0
    schema: str = ""


_RECORD = msgspec.json.Decoder(_Seq)
TRUST = (
    "Trusted: nothing but the files themselves. They agree with each other, or not; whoever could write all of them could "
    "have written others, and a chain's end that was cut off after the last stop is seen only where a close line stood."
)


def verify(audit_dir: Path) -> Report:
    """Verify every chain under a directory. Reads only; raises OSError when a file cannot be read."""
    findings: list[Finding] = []
    chains: list[ChainReport] = []
    ends: dict[str, tuple[str, int]] = {}
    headers: list[tuple[Path, Header]] = []
    for path in sorted(audit_dir.iterdir()):
        if _UNBORN.match(path.name) and (path.is_dir() or not path.exists()) and not path.is_symlink():
            # Of a process that starts right now, it may have its final name by the time it is looked at.
            findings.append(_notice(path, 0, "A start was cut off here before anything was recorded."))
            continue
        if not is_chain(path):
            findings.append(_broken(path, 0, "This does not belong here: the journal holds chains only."))
            continue
        walk = _ChainWalk(path)
        walk.run()
        findings += walk.findings
        chains.append(walk.report())
        state = last_state(path)
        ends[path.name] = (state.commit, state.seq)
        if walk.header is not None:
            headers.append((path, walk.header))
    findings += _predecessors(headers, ends)
    closed = {chain.chain for chain in chains if chain.closed}
    findings += _unclosed(headers, closed)
    return Report(chains=tuple(chains), findings=tuple(findings), trust=TRUST)


def _predecessors(headers: list[tuple[Path, Header]], ends: dict[str, tuple[str, int]]) -> Iterator[Finding]:
    """Chains of one worker tie one to the next: a removed or cut chain shows in its successor."""
    by_worker: dict[str, list[tuple[Path, Header]]] = {}
    for path, header in headers:
        by_worker.setdefault(f"{header.instance}.{header.worker}", []).append((path, header))
    for chains in by_worker.values():
        for at, (path, header) in enumerate(chains):
            named = header.predecessor
            expected = chains[at - 1][0].name if at else None
            if named is None:
                if expected is not None:
                    yield _broken(
                        path, 1, f"The chain names no predecessor, but {expected} is an earlier one."
                    )
                continue
            if named.chain not in ends:
                yield _broken(path, 1, f"The predecessor {named.chain} is missing.")
            elif named.chain != expected:
                yield _broken(path, 1, f"The predecessor is {named.chain}, but {expected} lies between.")
            elif ends[named.chain] != (named.commit, named.seq):
                yield _broken(
                    path,
                    1,
                    f"{named.chain} ends at record {ends[named.chain][1]}; its successor saw it end at {named.seq}.",
                )
            elif named.torn_bytes:
                yield _notice(
                    path,
                    1,
                    f"{named.chain} ended in a crash; {named.torn_bytes} bytes after its last commit count for nothing.",
                )


def _unclosed(headers: list[tuple[Path, Header]], closed: set[str]) -> Iterator[Finding]:
    """The last chain of each worker, where nothing says that it ended as it should."""
    last = {f"{header.instance}.{header.worker}": path for path, header in headers}
    for path in last.values():
        if path.name not in closed:
            yield _notice(path, 0, _UNCLOSED)


class _ChainWalk:
    """One pass over the lines of a chain."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.findings: list[Finding] = []
        self.header: Header | None = None
        self._link = ""
        self._seq = 0
        self._records = 0
        self._commits = 0
        self._closed = False
        self._pending: list[bytes] = []
        self._pending_at: tuple[Path, int] | None = None

    def report(self) -> ChainReport:
        """What was found."""
        return ChainReport(
            chain=self._directory.name,
            records=self._records,
            commits=self._commits,
            closed=self._closed,
            last_commit=self._link,
        )

    def run(self) -> None:
        """Walk every segment."""
        files: list[Path] = []
        for path in sorted(self._directory.iterdir()):
            if not is_segment(path):
                self.findings.append(_broken(path, 0, "This file is no segment of the journal."))
            else:
                files.append(path)
        if not files:
            self.findings.append(_broken(self._directory, 0, "The chain has no segment."))
            return
        for at, path in enumerate(files):
            self._segment(path, first=at == 0)
        if self._pending and self._pending_at is not None:
            path, line = self._pending_at
            message = (
                f"{len(self._pending)} lines at the end belong to no commit: the writer was cut off here."
            )
            self.findings.append(_notice(path, line, message, self._seq))

    def _segment(self, path: Path, *, first: bool) -> None:
        expected = segment_name(1 if first else self._seq + len(self._pending) + 1)
        if path.name != expected:
            self.findings.append(_broken(path, 0, f"The segment should be {expected}: records are missing."))
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if first and number == 1:
                    self._first_line(path, line)
                elif self._closed:
                    self.findings.append(
                        _broken(path, number, "Lines follow after the chain was closed.", self._seq)
                    )
                    return
                elif not line.endswith(b"\n"):
                    self._keep(path, number, line)
                elif is_commit(line):
                    self._commit(path, number, line)
                else:
                    self._record(path, number, line)

    def _first_line(self, path: Path, line: bytes) -> None:
        self._link = first_link(line)
        try:
            self.header = parse_header(line)
        except ValueError as error:
            self.findings.append(_broken(path, 1, f"The chain's first line is no header: {error}."))
            return
        if self.header.chain != self._directory.name:
            self.findings.append(_broken(path, 1, f"The header is that of {self.header.chain}."))

    def _record(self, path: Path, number: int, line: bytes) -> None:
        expected = self._seq + len(self._pending) + 1
        try:
            seq = _RECORD.decode(line).seq
        except (msgspec.MsgspecError, ValueError) as error:
            self.findings.append(_broken(path, number, f"The line is no record: {error}.", expected))
            seq = expected
        if seq != expected:
            self.findings.append(
                _broken(path, number, f"Record {seq} stands where {expected} should.", expected)
            )
        self._keep(path, number, line)

    def _keep(self, path: Path, number: int, line: bytes) -> None:
        if not self._pending:
            self._pending_at = (path, number)
        self._pending.append(line)

    def _commit(self, path: Path, number: int, line: bytes) -> None:
        pending, self._pending = self._pending, []
        self._records += len(pending)
        self._commits += 1
        try:
            commit = parse_commit(line)
        except ValueError as error:
            self.findings.append(
                _broken(path, number, f"The commit line cannot be read: {error}.", self._seq)
            )
            self._seq += len(pending)
            return
        if commit.n != len(pending):
            message = f"The commit covers {commit.n} records, {len(pending)} stand here."
            self.findings.append(_broken(path, number, message, commit.seq))
        elif commit.commit != link(self._link, pending):
            message = (
                "The hash does not fit: a record since the last commit, or a commit before, was changed."
            )
            self.findings.append(_broken(path, number, message, commit.seq))
        elif commit.seq != self._seq + len(pending):
            message = f"The commit ends at record {commit.seq}, not {self._seq + len(pending)}."
            self.findings.append(_broken(path, number, message, commit.seq))
        self._seq = commit.seq
        self._link = commit.commit if _HASH.match(commit.commit) else self._link
        self._closed = commit.close


def _broken(path: Path, line: int, message: str, seq: int = 0) -> Finding:
    return Finding(severity="broken", file=str(path), line=line, message=message, seq=seq)


def _notice(path: Path, line: int, message: str, seq: int = 0) -> Finding:
    return Finding(severity="notice", file=str(path), line=line, message=message, seq=seq)
