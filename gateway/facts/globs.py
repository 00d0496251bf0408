"""Globs as file tools write them to the patterns that path groups are compared with: `**`, `*` and `?` and nothing else.

Braces become several patterns, a class of characters becomes its members when they are few and `?` otherwise. The patterns
stand for at least every path the glob does, so that nothing is hidden behind a spelling.
"""

from __future__ import annotations

import re

MAX_PATTERNS = 64
_MAX_CLASS = 8
_WILD = re.compile(r"[*?\[{]|[@+!]\(")
_CLASS = re.compile(r"\[([!^]?)(\]?[^\]]*)\]")
_RANGE = re.compile(r"\{-?\w+\.\.-?\w+(?:\.\.-?\d+)?\}")
_GROUP = re.compile(r"[@?*+!]\([^()]*\)")
_SEPARATORS = re.compile(r"\s+")
_TAIL = re.compile(r"(?:/|\A)(?=[^/]*[*?\[{])")


def is_glob(text: str) -> bool:
    """Whether a text has a wildcard."""
    return bool(_WILD.search(text))


def expanded(glob: str) -> tuple[str, ...]:
    """The patterns of one glob, at most `MAX_PATTERNS`; what would be more is one that stands for all of them."""
    text = _GROUP.sub("*", _RANGE.sub("*", glob))
    done: list[str] = []
    queue = [text]
    while queue:
        if len(done) + len(queue) > MAX_PATTERNS:
            return (_coarse(text),)
        item = queue.pop(0)
        begin = _innermost(item)
        if begin is None:
            done.append(item)
            continue
        head, inside, tail = item[: begin[0]], item[begin[0] + 1 : begin[1]], item[begin[1] + 1 :]
        queue += [f"{head}{choice}{tail}" for choice in inside.split(",")]
    patterns = [pattern for item in done for pattern in _without_classes(item)]
    if len(patterns) > MAX_PATTERNS:
        return (_coarse(text),)
    return tuple(dict.fromkeys(patterns))


def listed(globs: str) -> tuple[tuple[str, ...], bool]:
    """A search tool's list of globs, separated by blanks or commas: the wanted ones, and whether any is left out (`!x`).

    Source: Claude Code's Grep hands each to ripgrep's `--glob`; a list of exclusions alone wants everything else.
    """
    wanted: list[str] = []
    excludes = False
    for text in _SEPARATORS.split(globs.strip()):
        for glob in [text] if "{" in text else text.split(","):
            if glob.startswith("!"):
                excludes = True
            elif glob:
                wanted.append(glob)
    return tuple(wanted), excludes


def above_wildcards(pattern: str) -> str:
    """The directory above a pattern's first wildcard."""
    found = _TAIL.search(pattern)
    if not found:
        return pattern
    return pattern[: found.start()] or ("/" if pattern.startswith("/") else "")


def settled(pattern: str) -> str:
    """A pattern whose `..` follow a `**`, which may stand for no directory at all, as one that holds every reading."""
    names = pattern.split("/")
    if "**" not in names or ".." not in names[names.index("**") :]:
        return pattern
    at = names.index("**")
    ups = names[at:].count("..")
    return "/".join([*names[:at], *[".."] * ups, "**"])


def _innermost(text: str) -> tuple[int, int] | None:
    """Where a pair of braces with a comma and without braces inside stands."""
    begin = -1
    for at, character in enumerate(text):
        if character == "{":
            begin = at
        elif character == "}" and begin >= 0:
            if "," in text[begin:at]:
                return begin, at
            begin = -1
    return None


def _without_classes(text: str) -> list[str]:
    """A pattern with `[ab]` as its members, `[a-z]` and `[!a]` as `?`, and escaped characters as themselves."""
    done = [""]
    at = 0
    while at < len(text):
        found = _CLASS.match(text, at)
        if found:
            negated, members = found.group(1), found.group(2)
            few = not negated and "-" not in members and 0 < len(members) <= _MAX_CLASS
            choices = list(dict.fromkeys(members)) if few and "/" not in members else ["?"]
            at = found.end()
        else:
            escaped = text[at] == "\\" and at + 1 < len(text) and text[at + 1] in "*?[]{}!\\"
            choices = [text[at + 1] if escaped else text[at]]
            at += 2 if escaped else 1
        if len(done) * len(choices) > MAX_PATTERNS:
            choices = ["?"]
        done = [before + choice for before in done for choice in choices]
    return done


def _coarse(text: str) -> str:
    """One pattern for a glob with too many: everything below its fixed part."""
    above = above_wildcards(text)
    return f"{above.rstrip('/')}/**" if above else "**"
