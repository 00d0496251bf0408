"""Paths as a client wrote them to absolute, lexically normal ones. The gateway's own disk is never looked at.

One text can name several files, depending on who opens it: a client trims it, a server decodes `%2e`, a Windows client
takes a backslash for `/`. `readings` gives every place a text may stand for, the client's own reading first, so that a rule holds
however a path is spelled.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from msgspec import Struct

MAX_PATH = 65_536
"""Longer texts are cut: every system refuses such a path, and normalizing it would take too long."""
UNKNOWN_HOME = "/home/~"
"""Stands for a home nobody named: every pattern under `~` matches below it."""
_MAX_READINGS = 16

_NAME = r"[A-Za-z0-9_@+,#=~()\[\]{}!&;'-]"
_PLAIN = re.compile(rf"(?:/\.?{_NAME}(?:{_NAME}|[. ](?![/ ]|\Z))*)+\Z")
"""An absolute path that has one reading only; nearly every path is one."""
_JS_SPACE = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""What `String.prototype.trim` removes: Claude Code trims every path before it opens it."""
_ALIAS = re.compile(
    r"/(?:proc/(?:self|thread-self|\d+)(?:/task/\d+)?/root"
    r"|private(?=/(?:etc|tmp|var)(?:/|\Z))"
    r"|System/Volumes/Data|Volumes/Macintosh HD)(?=/|\Z)",
    re.IGNORECASE,
)
"""Directories that are another name of the root directory (Linux procfs, macOS firmlinks)."""
_PROC_CWD = re.compile(r"/proc/(?:self|thread-self)(?:/task/\d+)?/cwd(?=/|\Z)", re.IGNORECASE)
_DEV_FD = re.compile(r"/dev/fd(?=/|\Z)")
_USER = re.compile(r"~[A-Za-z_][A-Za-z0-9_.-]*(?=/|\Z)")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_VARIABLE = re.compile(
    r"(?:\$HOME|\$\{HOME\}|%USERPROFILE%|%HOME%|\$env:USERPROFILE)(?=[/\\]|\Z)", re.IGNORECASE
)
_WINDOWS_VARIABLE = re.compile(
    r"(?:\$\{?env:(?P<env>\w+)\}?|%(?P<percent>\w+)%|(?P<profile>\$PROFILE\b))", re.IGNORECASE
)
_WINDOWS_PLACES = {
    "USERPROFILE": "~",
    "HOME": "~",
    "HOMEPATH": "~",
    "APPDATA": "~/AppData/Roaming",
    "LOCALAPPDATA": "~/AppData/Local",
    "TEMP": "~/AppData/Local/Temp",
    "TMP": "~/AppData/Local/Temp",
    "ONEDRIVE": "~/OneDrive",
    "PROGRAMDATA": "/ProgramData",
    "ALLUSERSPROFILE": "/ProgramData",
    "SYSTEMROOT": "/Windows",
    "WINDIR": "/Windows",
    "PROGRAMFILES": "/Program Files",
    "PROFILE": "~/Documents/PowerShell/Microsoft.PowerShell_profile.ps1",
    "SYSTEMDRIVE": "",
    "HOMEDRIVE": "",
}
"""What Windows keeps in variables that hold paths (Microsoft, "Recognized environment variables")."""
_CWD_VARIABLE = re.compile(r"(?:\$PWD|\$\{PWD\}|%CD%)(?=[/\\]|\Z)", re.IGNORECASE)
_DRIVE = re.compile(r"/?([A-Za-z]):(?=[\\/]|\Z)")
_DEVICE = re.compile(r"(?:\\\\|//)[?.][\\/]")
_WSL = re.compile(r"(?:\\\\|//)wsl(?:\$|\.localhost)[\\/][^\\/]+", re.IGNORECASE)
_SHARE = re.compile(r"(?:\\\\|//)[^\\/]+[\\/]([A-Za-z])\$(?=[\\/]|\Z)")
_FILE_URI = re.compile(r"file:(?://[^/\\?#]*(?=[/\\]|\Z))?", re.IGNORECASE)
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Default-ignorable code points (Unicode, DerivedCoreProperties): some file systems drop them from names."""
_UNFOLDED = re.compile(r"[^\x00-\x7f]|\\|:|[. ](?:/|\Z)")
_CONTROL = frozenset({"Cc", "Cf", "Cs"})


class Lexical(Struct, frozen=True):
    """A normal path, and what was odd about its spelling (`control_characters`, `too_long`, `no_cwd`)."""

    path: str
    oddities: tuple[str, ...] = ()


def absolute(text: str, cwd: str, home: str) -> Lexical:
    """The absolute path of what a client wrote, as the client reads it. Without a `cwd` the root stands for it."""
    return readings(text, cwd, (home,) if home else ())[0]


def readings(text: str, cwd: str, homes: Sequence[str]) -> tuple[Lexical, ...]:
    """Every place a text may stand for, without repetitions, the client's reading first.

    `homes` are the homes the client may have, the likeliest first; a path under `~` is read under each of them, and under
    an unknown one, so that a wrong claim of a home hides nothing.
    """
    if len(text) <= MAX_PATH:
        if _PLAIN.match(text):
            return (Lexical(_real_place(text)),)
        if cwd.startswith("/") and text[:1].isalnum() and _PLAIN.match(f"/{text}"):
            return (Lexical(lexically_normal(f"{cwd}/{text}")),)
    oddities: list[str] = []
    if len(text) > MAX_PATH:
        oddities.append("too_long")
        text = text[:MAX_PATH]
    if not text.isprintable() and any(unicodedata.category(character) in _CONTROL for character in text):
        oddities.append("control_characters")
        text = text.encode("utf-8", "replace").decode("utf-8")
    base = cwd if cwd.startswith("/") else "/"
    variants = _variants(text, base)
    if not cwd.startswith("/") and not next(iter(variants)).startswith(("/", "~")):
        oddities.append("no_cwd")
    found: dict[str, None] = {}
    for variant in variants:
        for path in _under_homes(variant, homes):
            place = path if path.startswith("/") else f"{base}/{path}"
            found[_normal(place, base)] = None
            if ".." in place:
                found[_normal(_behind_links(place, base), base)] = None
    return tuple(Lexical(path, tuple(oddities)) for path in found)


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


def folded(path: str) -> str:
    """The form in which protected places are compared: case-insensitive file systems and Unicode look-alikes agree.

    `.env::$DATA`, `.env.` and `.env ` open `.env` on Windows, backslashes separate names there.
    """
    if not _UNFOLDED.search(path):
        return path.lower()
    text = unicodedata.normalize("NFKC", path).casefold()
    text = unicodedata.normalize("NFKC", _IGNORABLE.sub("", text)).casefold().replace("\\", "/")
    names = [name.partition(":")[0].rstrip(". ") or name for name in text.split("/")]
    return "/".join(names)


def without_drive(path: str) -> str:
    """A path without its Windows drive, `/C:/Users` as `/Users`: protected places are the same on every drive."""
    if path[2:3] == ":" and path[1:2].isalpha():
        return path[3:] or "/"
    return path


def is_under(path: str, directory: str) -> bool:
    """Whether a normal path is a directory itself or below it; nothing is below "" ."""
    if not directory:
        return False
    if path[2:3] == ":":
        path, directory = path.lower(), directory.lower()
    return directory in {path, "/"} or path.startswith(directory + "/")


def _variants(text: str, cwd: str) -> dict[str, None]:
    """The texts a client, server or system may make of one text before it opens it, closed under every such step."""
    found = dict.fromkeys((text.strip(_JS_SPACE).partition("\0")[0] or ".", text.strip() or ".", text or "."))
    queue = list(found)
    while queue and len(found) < _MAX_READINGS:
        for variant in _rewritten(queue.pop(0), cwd):
            if variant not in found:
                found[variant] = None
                queue.append(variant)
    first = next(iter(found))
    if _FILE_URI.match(first) or _windows(first) != first:
        # Such a text is hardly ever the name of a file: what it means comes first.
        return dict.fromkeys((next(iter(_rewritten(first, cwd))), *found))
    return found


def _rewritten(text: str, cwd: str) -> Iterable[str]:
    uri = _FILE_URI.match(text)
    if uri:
        yield unquote(text[uri.end() :].partition("?")[0].partition("#")[0]) or "/"
    windows = _windows(text)
    if windows != text:
        yield windows
    elif "\\" in text:
        yield text.replace("\\", "/")
    if _PERCENT.search(text):
        yield unquote(text, errors="replace")
    if "\0" in text:
        yield text.replace("\0", "")
    if not text.isascii():
        yield _IGNORABLE.sub("", unicodedata.normalize("NFKC", text))
    variable = _VARIABLE.match(text)
    if variable:
        yield "~" + text[variable.end() :]
    place = _WINDOWS_VARIABLE.match(text)
    if place:
        known = _WINDOWS_PLACES.get((place["env"] or place["percent"] or "PROFILE").upper())
        if known is not None:
            yield known + text[place.end() :].replace("\\", "/")
    here = _CWD_VARIABLE.match(text)
    if here:
        yield cwd + text[here.end() :]
    user = _USER.match(text)
    if user:
        yield "/home/" + text[1:]


def _windows(text: str) -> str:
    """A Windows path with a drive, or of a share that is one, as a path of ours (`/C:/Users`); others as they are."""
    distribution = _WSL.match(text)
    if distribution:
        return text[distribution.end() :].replace("\\", "/") or "/"
    device = _DEVICE.match(text)
    rest = text[device.end() :] if device else text
    share = _SHARE.match(rest)
    if share:
        rest = f"{share.group(1)}:{rest[share.end() :]}"
    drive = _DRIVE.match(rest)
    if drive:
        return f"/{drive.group(1).upper()}:{rest[drive.end() :]}".replace("\\", "/")
    return text


def _under_homes(text: str, homes: Sequence[str]) -> Iterable[str]:
    if text == "~" or text.startswith("~/"):
        return [home.rstrip("/") + text[1:] for home in dict.fromkeys((*homes, UNKNOWN_HOME))]
    return (text,)


def _normal(place: str, cwd: str) -> str:
    path = lexically_normal(place)
    if not path.isascii():
        path = unicodedata.normalize("NFC", path)
    path = _real_place(path)
    found = _PROC_CWD.match(path)
    return lexically_normal(cwd + path[found.end() :]) if found else path


def _real_place(path: str) -> str:
    """The path behind other names of the root directory."""
    found = _ALIAS.match(path)
    while found:
        path = path[found.end() :] or "/"
        found = _ALIAS.match(path)
    return path


def _behind_links(place: str, cwd: str) -> str:
    """A path whose links are followed before its `..`, as the system does: `/proc/self/cwd/..` is above the directory."""
    text = re.sub(r"/(?:\./|/)*", "/", place)
    text = _DEV_FD.sub("/proc/self/fd", text, count=1) if text.startswith("/dev/fd") else text
    for _ in range(_MAX_READINGS):
        found = _PROC_CWD.match(text)
        if found:
            text = cwd + text[found.end() :]
            continue
        alias = _ALIAS.match(text)
        if not alias:
            break
        text = text[alias.end() :] or "/"
    return text
