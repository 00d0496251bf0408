"""Cerbos' globs over actions, roles and resource names: gobwas syntax with `:` as separator.

Only a pattern with `*` is a glob; `*` alone matches everything, else it stays inside a segment and `**` does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable


class NameSet:
    """Names and globs: exact ones looked up, globs tried."""

    __slots__ = ("_any", "_exact", "_globs", "patterns")

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(patterns)
        self._any = "*" in self.patterns
        self._exact = frozenset(pattern for pattern in self.patterns if "*" not in pattern)
        self._globs = tuple(
            re.compile(glob_to_regex(pattern))
            for pattern in self.patterns
            if "*" in pattern and pattern != "*"
        )

    def matches(self, name: str) -> bool:
        """Whether a name is one of them."""
        return self._any or name in self._exact or any(glob.fullmatch(name) for glob in self._globs)

    def matches_any(self, names: Iterable[str]) -> bool:
        """Whether one of several names is."""
        return self._any or any(self.matches(name) for name in names)


def glob_to_regex(pattern: str) -> str:
    """The regular expression of a glob. What is not closed stands for itself."""
    found = ""
    at = 0
    depth = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "*":
            deep = pattern.startswith("**", at)
            found += ".*" if deep else "[^:]*"
            at += 2 if deep else 1
            continue
        if character == "?":
            found += "[^:]"
        elif character == "[" and "]" in pattern[at + 2 :]:
            end = pattern.index("]", at + 2)
            inside = pattern[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            found += f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
            at = end
        elif character == "{" and "}" in pattern[at:]:
            found += "(?:"
            depth += 1
        elif character == "}" and depth:
            found += ")"
            depth -= 1
        elif character == "," and depth:
            found += "|"
        elif character == "\\" and at + 1 < len(pattern):
            at += 1
            found += re.escape(pattern[at])
        else:
            found += re.escape(character)
        at += 1
    return found
