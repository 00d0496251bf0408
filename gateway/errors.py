"""Every failure Ostiary reports, sorted by who must act on it.

A code `OST-<area>-<nnn>` is public and stable (docs/errors.md lists each one). Inside the core an error is a value with a
sentence and a remedy; only `gateway.web` and `gateway.cli` turn it into a reply or an exit code.
"""

from __future__ import annotations

from typing import ClassVar


class OstiaryError(Exception):
    """Something failed: `code` names it, `message` says what, `remedy` says what to do, `actor` says who does it."""

    area: ClassVar[str] = "GEN"
    actor: ClassVar[str] = "operator"
    exit_status: ClassVar[int] = 2

    def __init__(self, message: str, *, number: int = 0, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = f"OST-{self.area}-{number:03d}"

    def __str__(self) -> str:
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{self.code}: {self.message}{remedy}"


class ConfigError(OstiaryError):
    """The configuration cannot be used; the operator must change it."""

    area = "CFG"


class PolicyError(OstiaryError):
    """A policy file is wrong; its author must change it. `file`, `line` and `column` (1-based) point at the place."""

    area = "POL"
    actor = "policy author"
    exit_status = 3

    def __init__(
        self,
        message: str,
        *,
        number: int = 0,
        remedy: str = "",
        file: str = "",
        line: int = 0,
        column: int = 0,
    ) -> None:
        super().__init__(message, number=number, remedy=remedy)
        self.file = file
        self.line = line
        self.column = column

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.file else ""
        return f"{place}{super().__str__()}"


class PayloadError(OstiaryError):
    """What the client sent cannot be understood; the client (or its version) must change."""

    area = "REQ"
    actor = "client"


class CredentialError(OstiaryError):
    """Nobody could be proven from the credential presented; the caller must present another."""

    area = "IDN"
    actor = "client"


class PdpError(OstiaryError):
    """The policy backend did not give a usable answer; whoever runs it must act."""

    area = "PDP"
    actor = "PDP operator"


class PdpUnavailable(PdpError):
    """The policy backend is away, refuses, or is slower than the deadline."""


class PdpInvalid(PdpError):
    """The policy backend answered, and the answer does not fit the question."""


class PdpUnproven(PdpError):
    """The policy backend answers, but the canary did not come back denied: it serves other policies than it should."""


class StoreError(OstiaryError):
    """A record cannot be written or read; whoever owns the disk or the database must act."""

    area = "STO"
    actor = "store operator"


class IntegrityError(OstiaryError):
    """The record was changed after it was written; a person must investigate."""

    area = "INT"
    actor = "auditor"
    exit_status = 1
