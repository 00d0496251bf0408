r"""Cerbos's path functions: lexical, for POSIX and Windows paths, never touching a file system.

A Windows path is read as its POSIX counterpart and written back: `\\host\share\x` as `/host/share/x`, `C:\x` as
`/C:/x`. `pathMatch` is Go's filepath.Match: `*` stays within one segment and `**` is no more than `*`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.errors import EvaluationError
from gateway.policy.cel.glob import PatternError, glob_match
from gateway.policy.cel.json_output import no_text

_UNC_PARTS: Final = 2
_DRIVE: Final = 2
"""Characters of `C:`, the only path of a drive that needs no backslash."""


def clean(path: str) -> str:
    """Go's filepath.Clean for POSIX."""
    if not path:
        return "."
    cleaned = posixpath.normpath(path)
    return "/" + cleaned.lstrip("/") if cleaned.startswith("/") else cleaned


class _Path:
    """A path in POSIX form with what is needed to write it back: `style` is posix, windows, unc or drive."""

    __slots__ = ("root", "style", "text")

    def __init__(self, path: str, what: str = "path") -> None:
        self.root = False
        if _has_drive(path) and len(path) > _DRIVE and "\\" not in path:
            raise EvaluationError(f"failed to encode {what} {path}: unsupported Win32 path", "value")
        if path.startswith("\\\\"):
            self.style = "unc"
            self.root = len(path[2:].split("\\", 2)) == _UNC_PARTS
            text = path.replace("\\", "/")
        elif _has_drive(path):
            self.style = "drive"
            self.root = len(path) <= 3  # "C:" or "C:\"
            text = ("/" + path).replace("\\", "/")
        else:
            self.style = "windows" if "\\" in path else "posix"
            text = path.replace("\\", "/")
        self.text = clean(text)

    def written(self, text: str) -> str:
        """`text`, a path in POSIX form, in the style of this one."""
        if self.style == "posix":
            return text
        backslashed = text.replace("/", "\\")
        if self.style == "unc":
            return "\\" + backslashed
        return backslashed.removeprefix("\\") if self.style == "drive" else backslashed


def _has_drive(path: str) -> bool:
    return len(path) > 1 and path[1] == ":" and path[0].isascii() and path[0].isalpha()


def base_path(ctx: Activation, path: str) -> str:
    """`basePath(path)`: the last segment."""
    ctx.budget.charge_text(len(path))
    text = _Path(path).text
    return "/" if text == "/" else text.rpartition("/")[2]


def dir_path(ctx: Activation, path: str) -> str:
    """`dirPath(path)`: all but the last segment."""
    ctx.budget.charge_text(len(path))
    parsed = _Path(path)
    if parsed.style == "posix":
        return clean(parsed.text.rpartition("/")[0] or ("/" if parsed.text.startswith("/") else "."))
    if parsed.root:
        return parsed.written(parsed.text) + ("\\" if parsed.style == "drive" else "")
    head, slash, _ = parsed.text.rpartition("/")
    if not slash:
        raise EvaluationError("internal error: runtime error: slice bounds out of range [:-1]", "value")
    return parsed.written(head)


def ext_path(ctx: Activation, path: str) -> str:
    """`extPath(path)`: from the last dot of the last segment."""
    name = base_path(ctx, path)
    dot = name.rfind(".")
    return name[dot:] if dot >= 0 else ""


def join_path(ctx: Activation, parts: list[Any]) -> str:
    """`joinPath(parts)`: in the style of the first."""
    _require_texts(parts)
    ctx.budget.charge(len(parts))
    ctx.budget.charge_text(sum(map(len, parts)))
    if len(parts) < 2:  # nothing to join
        return str(parts[0]) if parts else ""
    start = _Path(parts[0], "first path")
    return start.written(clean("/".join([start.text, *(_Path(part).text for part in parts[1:])])))


def _require_texts(items: list[Any]) -> None:
    for item in items:
        if type(item) is not str:
            raise EvaluationError(f"failed to convert list to string slice: {no_text(item)}", "type")


def _relative(base: str, target: str, shown: str) -> str:
    """Go's filepath.Rel for cleaned paths. Raises where one is absolute and the other is not."""
    if base == target:
        return "."
    if base == ".":
        base = ""
    if base.startswith("/") != target.startswith("/"):
        why = f"failed to determine relative path of {shown}: Rel: can't make {target} relative to {base or '.'}"
        raise EvaluationError(why, "value")
    have = [part for part in base.split("/") if part]
    want = [part for part in target.split("/") if part and part != "."]
    common = 0
    while common < min(len(have), len(want)) and have[common] == want[common]:
        common += 1
    if ".." in have[common:]:
        why = f"failed to determine relative path of {shown}: Rel: can't make {target} relative to {base}"
        raise EvaluationError(why, "value")
    return "/".join([".."] * (len(have) - common) + want[common:]) or "."


def rel_path(ctx: Activation, base: str, target: str) -> str:
    """`relPath(base, target)`: the way from `base` to `target`."""
    ctx.budget.charge_text(len(base) + len(target))
    start = _Path(base, "base path")
    goal = _Path(target, "target path")
    relative = _relative(start.text, goal.text, target)
    if relative in (".", ".."):
        return relative
    if goal.style == "unc":
        return relative.replace("/", "\\")
    return goal.written(relative)


def path_has_prefix(ctx: Activation, path: str, prefix: str) -> bool:
    """`pathHasPrefix(path, prefix)`: whether `path` is written as `prefix` or lies below it, `..` resolved first.

    As in Cerbos, another spelling of the prefix itself (`/a/` and `/a`) is not below it, nor is a name that begins
    with two dots, and an absolute path cannot be compared with a relative one.
    """
    if path == prefix:
        return True
    relative = rel_path(ctx, prefix, path)
    return relative != "." and not relative.startswith("..")


def path_match(ctx: Activation, path: str, pattern: str) -> bool:
    """`pathMatch(path, pattern)`."""
    ctx.budget.charge_text(len(path) + len(pattern))
    text, wanted = _Path(path).text, _Path(pattern, "pattern").text
    try:
        return glob_match(ctx.budget, wanted, text)
    except PatternError:
        message = f'failed to match pattern "{pattern}" on path "{path}": syntax error in pattern'
        raise EvaluationError(message, "value") from None


def path_match_any_of(ctx: Activation, path: str, patterns: list[Any]) -> bool:
    """`pathMatchAnyOf(path, patterns)`."""
    _require_texts(patterns)
    return any(path_match(ctx, path, pattern) for pattern in patterns)


def volume_name(_ctx: Activation, path: str) -> str:
    r"""`volumeName(path)`: `C:` or `\\host\share`, "" for any other path."""
    if path.startswith("\\\\"):
        parts = path[2:].split("\\", 2)
        return "\\\\" + "\\".join(parts[:2]) if len(parts) > 1 and parts[0] and parts[1] else ""
    return path[:2] if _has_drive(path) else ""


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "basePath": base_path,
    "dirPath": dir_path,
    "extPath": ext_path,
    "joinPath": join_path,
    "relPath": rel_path,
    "pathHasPrefix": path_has_prefix,
    "pathMatch": path_match,
    "pathMatchAnyOf": path_match_any_of,
    "volumeName": volume_name,
}
