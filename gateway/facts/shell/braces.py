"""Brace expansion over the parts of a word, before anything else is expanded.

Source: Bash Reference Manual 5.2, 3.5.1. `{a,b}` and `{1..9..2}`; what is no expansion stays as it is.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.tree import Part, Text

MAX_WORDS: Final = 1024
_SEQUENCE: Final = re.compile(
    r"(?P<first>[+-]?\d{1,9}|[A-Za-z])\.\.(?P<last>[+-]?\d{1,9}|[A-Za-z])(?:\.\.(?P<step>[+-]?\d{1,9}))?"
)
Unit = str | Part
"""One unquoted character, or a part that braces do not look into."""


class TooManyWords(Exception):
    """The expansion has more than `MAX_WORDS` words."""


def expand_braces(parts: tuple[Part, ...]) -> list[tuple[Part, ...]]:
    """The words that a word becomes. Raises `TooManyWords`."""
    if not any(type(part) is Text and not part.quoted and "{" in part.value for part in parts):
        return [parts]
    units: list[Unit] = []
    for part in parts:
        if type(part) is Text and not part.quoted:
            units.extend(part.value)
        else:
            units.append(part)
    return [_joined(word) for word in _expand(units)]


def _joined(units: list[Unit]) -> tuple[Part, ...]:
    parts: list[Part] = []
    text: list[str] = []
    for unit in units:
        if isinstance(unit, str):
            text.append(unit)
            continue
        if text:
            parts.append(Text("".join(text)))
            text = []
        parts.append(unit)
    if text:
        parts.append(Text("".join(text)))
    return tuple(parts)


def _expand(units: list[Unit]) -> list[list[Unit]]:
    for start, unit in enumerate(units):
        if unit != "{":
            continue
        end = _closing(units, start)
        if end is None:
            continue
        choices = _choices(units[start + 1 : end])
        if choices is None:
            continue
        tails = _expand(units[end + 1 :])
        words = [
            [*units[:start], *choice, *tail]
            for inner in choices
            for choice in _expand(inner)
            for tail in tails
        ]
        if len(words) > MAX_WORDS:
            raise TooManyWords
        return words
    return [units]


def _closing(units: list[Unit], start: int) -> int | None:
    depth = 0
    for position in range(start, len(units)):
        if units[position] == "{":
            depth += 1
        elif units[position] == "}":
            depth -= 1
            if depth == 0:
                return position
    return None


def _choices(units: list[Unit]) -> list[list[Unit]] | None:
    """What stands between two braces: the alternatives, or None when it is no expansion."""
    found: list[list[Unit]] = [[]]
    depth = 0
    for unit in units:
        if unit == "," and depth == 0:
            found.append([])
            continue
        depth += {"{": 1, "}": -1}.get(unit, 0) if isinstance(unit, str) else 0
        found[-1].append(unit)
    if len(found) > 1:
        return found
    text = "".join(unit for unit in units if isinstance(unit, str))
    sequence = _SEQUENCE.fullmatch(text) if len(text) == len(units) else None
    return [list(word) for word in _sequence(sequence)] if sequence else None


def _sequence(found: re.Match[str]) -> list[str]:
    first, last, step = found["first"], found["last"], abs(int(found["step"] or 1)) or 1
    if first.isalpha() != last.isalpha():
        return [found.group()]
    low, high = (ord(first), ord(last)) if first.isalpha() else (int(first), int(last))
    count = abs(high - low) // step + 1
    if count > MAX_WORDS:
        raise TooManyWords
    values = range(low, high + (1 if high >= low else -1), step if high >= low else -step)
    if first.isalpha():
        return [chr(value) for value in values]
    zeros = (first.lstrip("+-").startswith("0") and len(first) > 1) or (
        last.lstrip("+-").startswith("0") and len(last) > 1
    )
    width = max(len(first), len(last)) if zeros else 0
    return [f"{value:0{width}d}" if zeros else str(value) for value in values]
