"""Paths as the client wrote them to absolute, lexically normal ones. The gateway's own disk is never looked at.

Spellings that name a file by another way (`/proc/self/root/etc/passwd`, `file:///etc/passwd`, `//etc//./passwd`) end as
the same path, so that a rule holds however the path is written.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote, urlsplit

from msgspec import Struct

MAX_PATH = 4096
UNKNOWN_HOME = "/home/~"
"""Stands for a home nobody named: every pattern under `~` matches below it."""

_PROC_ROOT = re.compile(r"/proc/(?:self|thread-self|\d+)(?:/task/\d+)?/root(?=/|\Z)")
_PROC_CWD = re.compile(r"/proc/(?:self|thread-self)(?:/task/\d+)?/cwd(?=/|\Z)")
_MAC_PREFIXES = ("/private/etc", "/private/tmp", "/private/var", "/System/Volumes/Data")
_TRAILING = re.compile(r":|[. ](?:/|\Z)")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


class Lexical(Struct, frozen=True):
    """A normal path, and what was odd about its spelling (`control_characters`, `too_long`, `no_cwd`)."""

    path: str
    oddities: tuple[str, ...] = ()


def absolute(text: str, cwd: str, home: str) -> Lexical:
    """The absolute path of what a client wrote. `cwd` may be relative or empty: then the root stands for it."""
    oddities: list[str] = []
    if len(text) > MAX_PATH:
        oddities.append("too_long")
        text = text[:MAX_PATH]
    if not text.isprintable() and any(unicodedata.category(character) in {"Cc", "Cf"} for character in text):
        oddities.append("control_characters")
        text = text.partition("\0")[0]
    if text[:5].lower() == "file:":
        text = unquote(urlsplit(text).path) or "/"
    if _DRIVE.match(text):
        text = "/" + text[2:].replace("\\", "/")
    if text == "~" or text.startswith("~/"):
        text = (home or UNKNOWN_HOME) + text[1:]
    elif text.startswith("~"):
        text = "/home/" + text[1:]
    if not text.startswith("/"):
        if not cwd.startswith("/"):
            oddities.append("no_cwd")
        text = f"{cwd if cwd.startswith('/') else ''}/{text}"
    path = lexically_normal(_PROC_CWD.sub(cwd if cwd.startswith("/") else "", text))
    return Lexical(_real_place(path), tuple(oddities))


def lexically_normal(path: str) -> str:
    """An absolute path without `.`, `..`, empty names and a slash at its end."""
    names: list[str] = []
    for name in path.split("/"):
        if name == "..":
            if names:
                names.pop()
        elif name and name != ".":
            names.append(name)
    return "/" + "/".join(names)


def _real_place(path: str) -> str:
    """The path behind kernel and system aliases of directories."""
    for _ in range(8):
        found = _PROC_ROOT.match(path)
        if found:
            path = path[found.end() :] or "/"
            continue
        alias = next((prefix for prefix in _MAC_PREFIXES if _under(path, prefix)), "")
        if not alias:
            break
        path = path.removeprefix("/System/Volumes/Data").removeprefix("/private") or "/"
    return path


def folded(path: str) -> str:
    """The form in which protected places are compared: case-insensitive file systems and Unicode look-alikes agree.

    `.env::$DATA`, `.env.` and `.env ` open `.env` on Windows, backslashes separate names there.
    """
    text = unicodedata.normalize("NFKC", path).casefold().replace("\\", "/")
    if not _TRAILING.search(text):
        return text
    names = [name.partition(":")[0].rstrip(". ") or name for name in text.split("/")]
    return "/".join(names)


def is_under(path: str, directory: str) -> bool:
    """Whether a normal path is a directory itself or below it; nothing is below "" ."""
    return bool(directory) and _under(path, directory)


def _under(path: str, directory: str) -> bool:
    return directory in {path, "/"} or path.startswith(directory + "/")
