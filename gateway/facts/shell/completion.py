"""Argument lists that a program completes: xargs from its input, find and parallel from the names they found."""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.values import HOLE, UNKNOWN, Field, Stream, append_fields, lines_of

MAX_RUNS: Final = 64
"""How many runs are told apart; what is left is looked at as one more run."""
_INPUT_QUOTED: Final = re.compile(r"'([^'\n]*)'|\"([^\"\n]*)\"|\\(.)", re.DOTALL)
_INPUT_WORD: Final = re.compile(r"(?:'[^'\n]*'|\"[^\"\n]*\"|\\.|[^\s'\"\\])+", re.DOTALL)


def completed(
    argv: tuple[Field, ...], names: tuple[Field, ...], placeholder: str, batch: int
) -> list[list[Field]]:
    """The argument lists of every run: names put in the place of `placeholder`, or appended, `batch` at a time (0: all)."""
    first = list(argv)
    if not names:
        return [] if placeholder else [first]
    if placeholder:
        told = names[:MAX_RUNS]
        more = (UNKNOWN,) if len(names) > MAX_RUNS else ()
        return [[_filled(field, placeholder, name) for field in argv] for name in (*told, *more)]
    step = batch or len(names)
    runs = [[*first, *names[at : at + step]] for at in range(0, min(len(names), step * MAX_RUNS), step)]
    rest = names[step * MAX_RUNS :]
    return [*runs, [*first, *rest]] if rest else runs


def names_in(stream: Stream, *, whole_lines: bool) -> tuple[Field, ...]:
    """The words that come through a stream, one of unknown number and text when nobody knows."""
    if stream.text is not None and not whole_lines:
        return tuple(Field(word) for word in input_words(stream.text))
    lines = lines_of(stream)
    return lines if lines is not None else (Field(HOLE),)


def input_words(text: str) -> list[str]:
    """The words that xargs takes from its input: blanks part them, quotes and backslashes keep them together."""
    return [
        _INPUT_QUOTED.sub(lambda found: found[1] or found[2] or found[3] or "", word)
        for word in _INPUT_WORD.findall(text)
    ]


def _filled(field: Field, placeholder: str, name: Field) -> Field:
    """A field with every placeholder replaced."""
    if placeholder not in field.text:
        return field
    pieces = field.text.split(placeholder)
    result = Field(pieces[0], field.glob)
    for piece in pieces[1:]:
        # A listing of a directory prints bare names, which stand behind its path as well as anywhere else.
        put = UNKNOWN if result.text.endswith("/") and name.text.startswith("/") else name
        result = append_fields(append_fields(result, put), Field(piece, field.glob))
    return result
