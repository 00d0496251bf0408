"""Shell patterns as regular expressions, for operators on known texts (`${x#*/}`, `case`).

Source: Bash Reference Manual 5.2, 3.5.8.1. RE2 matches, so no pattern takes more than linear time.
"""

from __future__ import annotations

from typing import Final

import re2

_CLASSES: Final = frozenset(
    [
        "alnum",
        "alpha",
        "ascii",
        "blank",
        "cntrl",
        "digit",
        "graph",
        "lower",
        "print",
        "punct",
        "space",
        "upper",
        "word",
        "xdigit",
    ]
)


def translate(pattern: str, *, shortest: bool = False) -> str:
    """The regular expression of a glob pattern, not anchored."""
    found: list[str] = []
    pos = 0
    star = ".*?" if shortest else ".*"
    while pos < len(pattern):
        char = pattern[pos]
        if char == "*":
            found.append(star)
        elif char == "?":
            found.append(".")
        elif char == "[":
            bracket, pos = _bracket(pattern, pos)
            found.append(bracket)
            continue
        else:
            found.append(re2.escape(char))
        pos += 1
    return "".join(found)


def _bracket(pattern: str, pos: int) -> tuple[str, int]:
    end = pos + 1
    negated = pattern[end : end + 1] in ("!", "^")
    end += negated
    start = end
    end += pattern[end : end + 1] == "]"
    while end < len(pattern) and pattern[end] != "]":
        if pattern.startswith("[:", end) and (close := pattern.find(":]", end)) > 0:
            end = close + 2
        else:
            end += 1
    if end >= len(pattern):
        return r"\[", pos + 1
    inner = pattern[start:end]
    pieces: list[str] = []
    at = 0
    while at < len(inner):
        if inner.startswith("[:", at):
            close = inner.find(":]", at)
            name = inner[at + 2 : close]
            if close > 0 and name in _CLASSES:
                pieces.append(f"[:{name}:]")
                at = close + 2
                continue
        pieces.append(inner[at] if inner[at] == "-" and 0 < at < len(inner) - 1 else re2.escape(inner[at]))
        at += 1
    return f"[{'^' if negated else ''}{''.join(pieces)}]", end + 1


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches a pattern; a pattern that cannot be compiled matches nothing."""
    try:
        return bool(re2.fullmatch(f"(?s){translate(pattern)}", text))
    except re2.error:
        return False


def remove(pattern: str, text: str, operator: str) -> str:
    """`${text#pattern}` and its like: `#` and `%` take the shortest match, `##` and `%%` the longest."""
    try:
        expression = translate(pattern, shortest=len(operator) == 1)
        if operator[0] == "#":
            found = re2.match(f"(?s){expression}", text)
            return text[found.end() :] if found else text
        starts = range(len(text), -1, -1) if len(operator) == 1 else range(len(text) + 1)
        compiled = re2.compile(f"(?s){translate(pattern)}")
        for start in starts:
            if compiled.fullmatch(text[start:]):
                return text[:start]
    except re2.error:
        return text
    return text


def replace(pattern: str, text: str, replacement: str, operator: str) -> str:
    """`${text/pattern/replacement}` and its like."""
    anchor, end = ("^", "") if operator == "/#" else ("", "$") if operator == "/%" else ("", "")
    if not pattern:
        return replacement + text if operator == "/#" else text + replacement if operator == "/%" else text
    try:
        compiled = re2.compile(f"(?s){anchor}(?:{translate(pattern)}){end}")
        return str(compiled.sub(lambda _found: replacement, text, count=0 if operator == "//" else 1))
    except re2.error:
        return text
