"""Go's filepath.Match: `*`, `?`, `[class]` and backslash escapes within one path segment."""

from __future__ import annotations

from gateway.policy.cel.budget import Budget


class PatternError(Exception):
    """The pattern is malformed."""


def glob_match(budget: Budget, pattern: str, text: str) -> bool:
    """Whether `pattern` covers the whole of `text`; a star does not cross `/`. Raises `PatternError`.

    Greedy with one point of return, so the work is at most the product of the lengths, and it is charged.
    """
    parts = _parse(pattern)
    position, at = 0, 0
    star, resume = -1, 0
    while at < len(text):
        budget.charge(1)
        part = parts[position] if position < len(parts) else None
        if part == "*":
            star, resume = position, at
            position += 1
        elif part is not None and _fits(part, text[at]):
            position += 1
            at += 1
        elif star >= 0 and text[resume] != "/":
            resume += 1
            position, at = star + 1, resume
        else:
            return False
    return all(part == "*" for part in parts[position:])


def _fits(part: str | tuple[bool, list[tuple[str, str]]], char: str) -> bool:
    if isinstance(part, tuple):
        negated, ranges = part
        # A class may match the separator; only `*` and `?` may not.
        return any(low <= char <= high for low, high in ranges) is not negated
    return char != "/" if part == "?" else part[-1] == char


def _parse(pattern: str) -> list[str | tuple[bool, list[tuple[str, str]]]]:
    r"""One entry for a character of the text: "*", "?", "\c" for a literal c, or (negated, ranges)."""
    parts: list[str | tuple[bool, list[tuple[str, str]]]] = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "*":
            if not parts or parts[-1] != "*":
                parts.append("*")
        elif char == "?":
            parts.append("?")
        elif char == "[":
            group, position = _group(pattern, position)
            parts.append(group)
        else:
            if char == "\\":
                char, position = _escaped(pattern, position)
            parts.append("\\" + char)
    return parts


def _escaped(pattern: str, position: int) -> tuple[str, int]:
    if position >= len(pattern):
        raise PatternError(pattern)
    return pattern[position], position + 1


def _group(pattern: str, position: int) -> tuple[tuple[bool, list[tuple[str, str]]], int]:
    negated = pattern[position : position + 1] == "^"
    position += negated
    ranges: list[tuple[str, str]] = []
    while True:
        if pattern[position : position + 1] == "]" and ranges:
            return (negated, ranges), position + 1
        low, position = _bound(pattern, position)
        high = low
        if pattern[position : position + 1] == "-":
            high, position = _bound(pattern, position + 1)
        ranges.append((low, high))


def _bound(pattern: str, position: int) -> tuple[str, int]:
    if position >= len(pattern) or pattern[position] in "-]":
        raise PatternError(pattern)
    char, position = pattern[position], position + 1
    if char == "\\":
        char, position = _escaped(pattern, position)
    if position >= len(pattern):
        raise PatternError(pattern)
    return char, position
