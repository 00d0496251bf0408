"""What a session did to files, as far as later calls of it must know: values only, no state.

A call leaves changes (`Change`); the session memory makes of them what later calls are shown (`Remembered`). Everything here
adds operations to a later call and takes none away, so that losing or missing a part of it is safe.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Literal

from msgspec import Struct, field

ChangeKind = Literal["write", "append", "edit", "copy", "link", "alias", "rewrite"]
TABLES = "tables"
"""Name under which links and aliases are consulted: every path and every command's name is looked up there."""


_LOOKED_FOR = frozenset({"makefile", "gnumakefile", "package.json"})


class Text(Struct, frozen=True):
    """One content that a file may have. None: not known. `whole` is false for a part of a content that is not known."""

    text: str | None = None
    whole: bool = True
    fetched: bool = False
    """Whether it came over the network."""


class Change(Struct, frozen=True, kw_only=True):
    """One thing that a call leaves behind, in the order of the call.

    | kind | path | text, other |
    |---|---|---|
    | `write`, `append` | the file | its content, or what is put behind it |
    | `edit` | the file | `other` is replaced by `text`, `every` time or once |
    | `copy` | the new name | `other` is where the content was |
    | `link` | the new name | `other` is where it leads |
    | `alias` | the word | `text` is what it stands for |
    | `rewrite` | the file | it is changed in a way that is not known |
    """

    kind: ChangeKind
    path: str
    text: str | None = None
    other: str = ""
    every: bool = False
    fetched: bool = False


class Remembered(Struct, frozen=True):
    """What a session is known to have done. `files` are by `file_key`; `links` by their path, with where they lead."""

    files: Mapping[str, tuple[Text, ...]] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    resolved: bool = False
    """Whether `links` also holds the links on the way to the call's paths on the disk that client and gateway share."""

    def texts(self, path: str) -> tuple[Text, ...]:
        """What the session may have put into a file; empty when it did not touch it."""
        return self.files.get(file_key(path), ()) if self.files else ()

    def named(self, name: str) -> tuple[str, ...]:
        """Keys of the files with this last name, wherever they are."""
        if not self.files:
            return ()
        ending = f"/{file_key(name)}"
        return tuple(key for key in self.files if key.endswith(ending))

    def matching(self, pattern: str) -> tuple[str, ...]:
        """Keys of the files that a glob may stand for; `*` is taken to reach over slashes."""
        wanted = file_key(pattern)
        patterns = {wanted, wanted.replace("/**/", "/")}
        return tuple(key for key in self.files if any(fnmatchcase(key, one) for one in patterns))

    def weight(self, command: str) -> int:
        """Characters of the contents that a command may run: of files whose last name it tells, or that tools look for."""
        if not self.files:
            return 0
        told = file_key(command)
        return sum(
            sum(len(text.text or "") for text in texts)
            for key, texts in self.files.items()
            if (name := key[key.rfind("/") + 1 :]) in told or name in _LOOKED_FOR
        )

    def states(self, names: Iterable[str]) -> tuple[object, ...]:
        """What is remembered under the names an analysis consulted: equal states, equal facts."""
        if not self.files:
            return tuple([self._state(name) if name == TABLES else () for name in names])
        return tuple([self._state(name) for name in names])

    def _state(self, name: str) -> object:
        kind, _, key = name.partition(":")
        if kind == TABLES:
            return tuple(self.links.items()), tuple(self.aliases.items()), self.resolved, bool(self.files)
        if kind == "files":
            return tuple(self.files.items())
        if kind == "file":
            return self.files.get(key, ())
        return tuple((at, self.files[at]) for at in self.named(key))


NOTHING_REMEMBERED = Remembered()


def file_key(path: str) -> str:
    """The form under which a path is remembered: file systems that fold case or Unicode find it again."""
    return path.lower() if path.isascii() else unicodedata.normalize("NFKC", path).casefold()
