"""The policy sets that were in force lately, kept as they were read: to compare a new one with, and to explain old calls."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.errors import StoreError
from gateway.policy.directory import SourceFile

DIRECTORY = "policy-sets"
KEPT = 5
_REVISION = re.compile(r"[0-9a-f]{6,64}\Z")


class PolicySet(Struct, frozen=True, kw_only=True):
    """The sources of one revision, and the rules that configuration switched off while it was in force."""

    revision: str
    files: tuple[SourceFile, ...]
    rules_off: tuple[str, ...] = ()


class PolicyHistory:
    """Policy sets by revision, in a directory of the gateway's own. The oldest go when there are more than five."""

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir / DIRECTORY

    def keep(self, revision: str, files: Sequence[SourceFile], rules_off: Sequence[str]) -> None:
        """Keep a set. Raises StoreError."""
        kept = PolicySet(revision=revision, files=tuple(files), rules_off=tuple(rules_off))
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            place = self._place(revision)
            scratch = place.with_suffix(".new")
            scratch.touch(mode=0o600)
            scratch.write_bytes(msgspec.msgpack.encode(kept))
            scratch.replace(place)
            self._forget()
        except OSError as error:
            raise StoreError(
                f"The policy set cannot be kept: {error}.", number=60, remedy="Look at the disk."
            ) from None

    def find(self, revision: str) -> PolicySet | None:
        """The set of a revision, None when it is not kept (any more)."""
        try:
            return msgspec.msgpack.decode(self._place(revision).read_bytes(), type=PolicySet)
        except (OSError, msgspec.DecodeError, ValueError):
            return None

    def _place(self, revision: str) -> Path:
        if not _REVISION.match(revision):
            raise ValueError(f"{revision!r} is no revision")
        return self._directory / f"{revision}.msgpack"

    def _forget(self) -> None:
        files = sorted(self._directory.glob("*.msgpack"), key=lambda file: file.stat().st_mtime_ns)
        for file in files[:-KEPT]:
            with contextlib.suppress(FileNotFoundError):
                file.unlink()
