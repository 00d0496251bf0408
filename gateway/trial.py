"""Hooks put into one file for a trial, and taken out again so that the file is as it was, byte for byte.

What was there is kept in the data directory, not beside the file: a project must not end up with a backup in its history.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.errors import ConfigError

_STATE = "state.json"
_ORIGINAL = "original"
_NEW_FILE_MODE = 0o644


class TrialState(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is needed to undo: `written` is the SHA-256 of what we wrote, `made` the directories we made, outermost first."""

    schema: str = "ostiary.try/1"
    file: str
    existed: bool
    mode: int
    made: tuple[str, ...]
    written: str


class Changed(ConfigError):
    """The file was changed after the trial began; `now` is what it holds, None where it is gone."""

    def __init__(self, file: Path, now: bytes | None) -> None:
        super().__init__(
            f"{file} was changed after `ostiary try` wrote it.",
            number=61,
            remedy="--undo --force restores what was there before and drops the changes.",
        )
        self.now = now


class Trial:
    """One file and its backup. Every method raises ConfigError where the file system refuses."""

    def __init__(self, file: Path, data_dir: Path) -> None:
        self.file = file.parent.resolve() / file.name if not file.is_symlink() else file.resolve()
        name = hashlib.sha256(os.fsencode(self.file)).hexdigest()[:16]
        self.backup = data_dir / "try" / name

    @property
    def running(self) -> bool:
        """Whether a trial was begun and not undone."""
        return self._state() is not None

    def original(self) -> bytes | None:
        """What the file held before the trial, or holds now where none runs; None for no file. Raises Changed."""
        state = self._state()
        now = self._content()
        if state is None or now == self._kept(state):
            return now
        if now is None or _digest(now) != state.written:
            raise Changed(self.file, now)
        return self._kept(state)

    def before(self) -> bytes | None:
        """What undoing would restore; None for no file."""
        return self._kept(self._known())

    def begin(self, text: str) -> None:
        """Keep what is there, then write `text`. Raises Changed."""
        original = self.original()
        content = text.encode()
        with _refusals(self.file):
            made = [] if self._state() is None else [Path(name) for name in self._known().made]
            missing = [
                folder for folder in (self.file.parent, *self.file.parent.parents) if not folder.exists()
            ]
            mode = stat.S_IMODE(self.file.stat().st_mode) if original is not None else _NEW_FILE_MODE
            state = TrialState(
                file=str(self.file),
                existed=original is not None,
                mode=mode,
                made=tuple(str(folder) for folder in [*made, *reversed(missing)]),
                written=_digest(content),
            )
            self._keep(state, original)
            self.file.parent.mkdir(parents=True, exist_ok=True)
            _replace(self.file, content, mode)

    def undo(self, *, force: bool = False) -> None:
        """Restore what was there, and forget the trial. Raises Changed unless forced."""
        state = self._known()
        kept, now = self._kept(state), self._content()
        if now != kept and not force and (now is None or _digest(now) != state.written):
            raise Changed(self.file, now)
        with _refusals(self.file):
            if kept is None:
                self.file.unlink(missing_ok=True)
                for folder in reversed(state.made):
                    with contextlib.suppress(OSError):
                        Path(folder).rmdir()
            elif now != kept:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                _replace(self.file, kept, state.mode)
            (self.backup / _ORIGINAL).unlink(missing_ok=True)
            (self.backup / _STATE).unlink()
            self.backup.rmdir()

    def _known(self) -> TrialState:
        state = self._state()
        if state is None:
            raise ConfigError(
                f"There is nothing to undo: `ostiary try` did not write {self.file}.",
                number=60,
                remedy="Name the directory of the trial, and the --data-dir it was begun with.",
            )
        return state

    def _state(self) -> TrialState | None:
        try:
            return msgspec.json.decode((self.backup / _STATE).read_bytes(), type=TrialState)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise ConfigError(
                f"{self.backup / _STATE} cannot be read: {error}.",
                number=62,
                remedy=f"The original is {self.backup / _ORIGINAL}; put it back by hand and remove that directory.",
            ) from None

    def _kept(self, state: TrialState) -> bytes | None:
        if not state.existed:
            return None
        with _refusals(self.backup):
            return (self.backup / _ORIGINAL).read_bytes()

    def _keep(self, state: TrialState, original: bytes | None) -> None:
        """The backup is complete before the file is touched."""
        self.backup.mkdir(mode=0o700, parents=True, exist_ok=True)
        if original is not None:
            _replace(self.backup / _ORIGINAL, original, 0o600)
        _replace(self.backup / _STATE, msgspec.json.encode(state), 0o600)

    def _content(self) -> bytes | None:
        with _refusals(self.file):
            try:
                return self.file.read_bytes()
            except FileNotFoundError:
                return None


def _replace(file: Path, content: bytes, mode: int) -> None:
    """Write a file whole or not at all."""
    descriptor, name = tempfile.mkstemp(prefix=".ostiary-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        Path(name).chmod(mode)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextlib.contextmanager
def _refusals(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{error.filename or place} cannot be used: {error.strerror}.",
            number=63,
            remedy="Name a directory you may write.",
        ) from None
