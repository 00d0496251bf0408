"""What `echo` and `printf` print, when all of their arguments are known.

Source: Bash Reference Manual 5.2, 4.2 (echo, printf).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gateway.facts.shell.quoting import decode_ansi_c
from gateway.facts.shell.values import Field

MAX_PRINTED: Final = 65_536
_DIRECTIVE: Final = re.compile(
    r"%(?:(?P<percent>%)|(?P<flags>[-+ #0']*)(?P<width>\*|\d*)(?:\.(?P<precision>\*|\d*))?(?P<kind>[A-Za-z]))"
)


def echoed(arguments: Sequence[Field]) -> str | None:
    """The output of `echo`, None when it is not known."""
    words = list(arguments)
    newline, escapes = True, False
    while words and re.fullmatch(r"-[neE]+", words[0].text):
        options = words.pop(0).text
        newline = newline and "n" not in options
        escapes = "e" in options or (escapes and "E" not in options)
    if not all(word.known for word in words):
        return None
    text = " ".join(word.text for word in words)
    if escapes:
        text = decode_ansi_c(text)
    return text + ("\n" if newline else "")


def formatted(arguments: Sequence[Field]) -> str | None:
    """The output of `printf format arguments`, None when it is not known."""
    if not arguments or not all(field.known for field in arguments):
        return None
    template = decode_ansi_c(arguments[0].text)
    values = [field.text for field in arguments[1:]]
    pieces: list[str] = []
    size = 0
    while True:
        used, piece = _once(template, values)
        if piece is None:
            return None
        pieces.append(piece)
        size += len(piece)
        values = values[used:]
        if not values or not used or size > MAX_PRINTED:
            return "".join(pieces) if size <= MAX_PRINTED else None


def _once(template: str, values: list[str]) -> tuple[int, str | None]:
    """The template filled once: how many values it took, and the text (None for what is not modelled)."""
    used = 0
    pieces: list[str] = []
    position = 0
    for found in _DIRECTIVE.finditer(template):
        pieces.append(template[position : found.start()])
        position = found.end()
        if found["percent"]:
            pieces.append("%")
            continue
        if found["width"] == "*" or found["precision"] == "*":
            return used, None
        value = values[used] if used < len(values) else ""
        used += 1
        text = _converted(found["kind"], value)
        if text is None:
            return used, None
        if found["precision"] and found["kind"] in "sbq":
            text = text[: int(found["precision"])]
        width = min(int(found["width"] or 0), MAX_PRINTED)
        pieces.append(text.ljust(width) if "-" in found["flags"] else text.rjust(width))
    pieces.append(template[position:])
    return used, "".join(pieces)


def _converted(kind: str, value: str) -> str | None:
    if kind == "s":
        return value
    if kind == "b":
        return decode_ansi_c(value)
    if kind == "q":
        return "'" + value.replace("'", "'\\''") + "'" if re.search(r"[^\w./:=@%+,-]", value) else value
    if kind == "c":
        return value[:1]
    if kind in "di" and re.fullmatch(r"-?\d{1,18}", value or "0"):
        return str(int(value or "0"))
    if kind in "xXo" and re.fullmatch(r"\d{1,18}", value or "0"):
        return format(int(value or "0"), kind)
    return None
