"""Cerbos' globs over actions, roles and resource names: gobwas syntax with `:` as separator.

Only a pattern with `*` is a glob; `*` alone matches everything, else it stays inside a segment and `**` does not.
Matched by RE2, in time linear to the name: a pattern is the author's, a name the client's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import re2

_NOTHING = r"[^\x00-\x{10FFFF}]"


class NameSet:
    """Names and globs, in the order given. A malformed glob matches nothing."""

    __slots__ = ("_any", "_exact", "_globs", "patterns")

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(patterns)
        self._any = "*" in self.patterns
        self._exact = frozenset(pattern for pattern in self.patterns if "*" not in pattern)
        self._globs: tuple[Any, ...] = tuple(
            re2.compile(glob_to_regex(pattern))
            for pattern in self.patterns
            if "*" in pattern and pattern != "*"
        )

    def matches(self, name: str) -> bool:
        """Whether a name is one of them."""
        return self._any or name in self._exact or any(glob.fullmatch(name) for glob in self._globs)

    def count(self, name: str) -> int:
        """How many of the patterns match a name; equal patterns count once."""
        found = self._any + (name in self._exact)
        return found + sum(glob.fullmatch(name) is not None for glob in self._globs) if self._globs else found

    def count_any(self, names: Iterable[str]) -> int:
        """How many of the patterns match one or more of several names."""
        names = tuple(names)
        if len(names) == 1:
            return self.count(names[0])
        found = self._any + len(self._exact.intersection(names))
        return found + sum(any(glob.fullmatch(name) for name in names) for glob in self._globs)

    def matches_any(self, names: Iterable[str]) -> bool:
        """Whether one of several names is one of them."""
        return self.count_any(names) > 0


def glob_to_regex(pattern: str) -> str:
    """The regular expression of a glob, for a match of the whole name; one that matches nothing when it is malformed."""
    found: list[str] = []
    at, depth = 0, 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            deep = pattern.startswith("*", at)
            found.append(r"(?s:.)*" if deep else "[^:]*")
            at += deep
        elif character == "?":
            found.append("[^:]")
        elif character == "[":
            end = _class_end(pattern, at)
            members = _class(pattern[at:end])
            if not members or end == len(pattern):
                return _NOTHING
            found.append(members)
            at = end + 1
        elif character == "{":
            depth += 1
            found.append("(?:")
        elif character == "}" and depth:
            depth -= 1
            found.append(")")
        elif character == "," and depth:
            found.append("|")
        elif character != "\\":
            found.append(re2.escape(character))
        elif at < len(pattern):
            found.append(re2.escape(pattern[at]))
            at += 1
    if depth and found[-1] == "(?:":
        return _NOTHING
    return "".join(found) + ")" * depth


def _class_end(pattern: str, at: int) -> int:
    """Where the `]` of a class is, len(pattern) when there is none."""
    while at < len(pattern) and pattern[at] != "]":
        at += 2 if pattern[at] == "\\" else 1
    return min(at, len(pattern))


def _class(inside: str) -> str:
    """The regular expression of a class `[abc]`, `[!abc]`, `[a-z]` or `[!a-z]`, "" when it is malformed.

    A range stands alone: after `a-` there is one character more and no other member.
    """
    negated = inside.startswith("!")
    text = inside[negated:]
    characters: list[str] = []
    at = 0
    while at < len(text):
        at += text[at] == "\\" and at + 1 < len(text)
        characters.append(text[at])
        at += 1
    sign = "^" if negated else ""
    if len(text) > 1 and text[1] == "-":
        if len(text) != 3 or text[0] > text[2]:
            return ""
        return f"[{sign}{_member(text[0])}-{_member(text[2])}]"
    return f"[{sign}{''.join(map(_member, characters))}]" if characters else ""


def _member(character: str) -> str:
    return f"\\x{{{ord(character):x}}}"
