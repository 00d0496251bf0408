"""Policies in a zip or tar archive, read in memory, whoever made it: nothing is unpacked and no size is believed.

Refused as a whole: absolute names, `..`, links, devices, encrypted entries, names that are there twice or differ in case
only, and archives that unpack to more than policies ever need (a thousand-fold compression, a million entries).
"""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

from gateway.policy.problems import Place, PolicyProblem, Problem
from gateway.policy.source import MAX_BYTES

MAX_ARCHIVE = 64 * 1024 * 1024
MAX_UNPACKED = 256 * 1024 * 1024
MAX_ENTRIES = 50_000
_MAX_NAME = 1024
_MAX_DIRECTORY = 8 * 1024 * 1024
_TAR_ENDINGS = (".tar", ".tar.gz", ".tgz")
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_END = b"PK\x05\x06"
_END_BYTES = 22
_MAX_COMMENT = 65_535
_GZIP = b"\x1f\x8b"

Names = tuple[str, ...]
Wanted = Callable[[Names], bool]


def is_archive(path: Path) -> bool:
    """Whether a path names an archive that this reads."""
    return path.is_file() and path.name.lower().endswith((".zip", *_TAR_ENDINGS))


def read_archive(path: Path, wanted: Wanted) -> Iterator[tuple[Names, bytes]]:
    """The path and content of every wanted file. Raises PolicyProblem."""
    reader = _Reader(path, wanted)
    try:
        if path.stat().st_size > MAX_ARCHIVE:
            reader.refuse(f"It has more than {MAX_ARCHIVE} bytes.")
        with path.open("rb") as file:
            yield from reader.zip(file) if path.name.lower().endswith(".zip") else reader.tar(file)
    except OSError as error:
        raise PolicyProblem(
            Problem.UNREADABLE,
            Place(str(path)),
            f"The archive cannot be read: {error}.",
            "Let the process read it.",
        ) from None
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, struct.error, ValueError) as error:
        reader.refuse(f"It is damaged: {error}.")


class _Reader:
    """Reads one archive; what it has seen so far bounds what it still reads."""

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self._path = path
        self._wanted = wanted
        self._seen: dict[str, str] = {}
        self._unpacked = 0

    def zip(self, file: IO[bytes]) -> Iterator[tuple[Names, bytes]]:
        """The files of a zip archive."""
        self._check_directory(file)
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                names = self._names(entry.filename)
                if entry.flag_bits & 1 or entry.compress_type not in _METHODS:
                    self.refuse("It is encrypted, or compressed in a way that is not read.", entry.filename)
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if entry.is_dir():
                    continue
                if kind not in {0, stat.S_IFREG}:
                    self.refuse("An entry is a link or a device.", entry.filename)
                if self._wanted(names):
                    with archive.open(entry) as content:
                        yield names, self._content(content, entry.filename)

    def _check_directory(self, file: IO[bytes]) -> None:
        """Look at the directory's size before it is read: a million entries would fill the memory."""
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - _END_BYTES - _MAX_COMMENT))
        tail = file.read()
        at = tail.rfind(_END)
        if at < 0 or len(tail) < at + _END_BYTES:
            self.refuse("It is no zip archive.")
        count, length = struct.unpack_from("<HI", tail, at + 10)
        if count > MAX_ENTRIES or length > _MAX_DIRECTORY:
            self.refuse(f"It has more than {MAX_ENTRIES} entries.")
        file.seek(0)

    def tar(self, file: IO[bytes]) -> Iterator[tuple[Names, bytes]]:
        """The files of a tar archive, compressed with gzip or not."""
        packed = file.read(2) == _GZIP
        file.seek(0)
        stream: Any = gzip.GzipFile(fileobj=file) if packed else file
        # Streamed, so that one pass sees every byte once, headers included.
        with tarfile.open(fileobj=_Bounded(stream, self), mode="r|") as archive:
            for entry in archive:
                names = self._names(entry.name)
                if entry.isdir():
                    continue
                if not entry.isreg():
                    self.refuse("An entry is a link or a device.", entry.name)
                if self._wanted(names):
                    content = archive.extractfile(entry)
                    assert content is not None
                    yield names, self._content(content, entry.name)

    def _names(self, name: str) -> Names:
        """An entry's path, checked; every entry comes here once."""
        if len(name) > _MAX_NAME or "\0" in name or "\\" in name:
            self.refuse("An entry has a name that no policy needs.", name)
        names = tuple(part for part in name.split("/") if part not in {"", "."})
        if name.startswith("/") or ".." in names:
            self.refuse("An entry leads out of the archive.", name)
        folded = "/".join(names).casefold()
        if folded in self._seen and not name.endswith("/"):
            self.refuse(f"Two entries have the same name: {self._seen[folded]!r} and {name!r}.", name)
        self._seen[folded] = name
        if len(self._seen) > MAX_ENTRIES:
            self.refuse(f"It has more than {MAX_ENTRIES} entries.")
        return names or ("",)

    def _content(self, content: IO[bytes], name: str) -> bytes:
        data = content.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            self.refuse(f"An entry has more than {MAX_BYTES} bytes.", name)
        self.unpacked(len(data))
        return data

    def unpacked(self, count: int) -> None:
        """Take note of bytes that came out of the archive."""
        self._unpacked += count
        if self._unpacked > MAX_UNPACKED:
            self.refuse(f"It unpacks to more than {MAX_UNPACKED} bytes.")

    def refuse(self, message: str, entry: str = "") -> NoReturn:
        """Raise what is wrong with the archive, or an entry of it."""
        place = f"{self._path}/{entry[:200]}" if entry else str(self._path)
        raise PolicyProblem(
            Problem.ARCHIVE, Place(place), message, "Make the archive anew from a directory of policies."
        )


class _Bounded(io.RawIOBase):
    """A stream that counts what is read from it."""

    def __init__(self, stream: IO[bytes], reader: _Reader) -> None:
        super().__init__()
        self._stream = stream
        self._reader = reader

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes."""
        data = self._stream.read(min(size, MAX_UNPACKED) if size >= 0 else MAX_UNPACKED)
        self._reader.unpacked(len(data))
        return data
