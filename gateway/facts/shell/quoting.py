"""Quotes whose contents are not expanded: `'…'`, `$'…'`, backquotes as text, and the delimiter of a here-document.

Source: Bash Reference Manual 5.2, 3.1.2 (Quoting) and 3.6.6 (Here Documents).
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.source import Source

_SIMPLE_ESCAPES: Final = {
    "a": 7,
    "b": 8,
    "e": 27,
    "E": 27,
    "f": 12,
    "n": 10,
    "r": 13,
    "t": 9,
    "v": 11,
    "\\": 92,
    "'": 39,
    '"': 34,
    "?": 63,
}
_NUMERIC: Final = re.compile(
    r"(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9A-Fa-f]{1,2})|x\{(?P<long>[0-9A-Fa-f]+)\}"
    r"|u(?P<short>[0-9A-Fa-f]{1,4})|U(?P<wide>[0-9A-Fa-f]{1,8})"
)


def single_quoted(source: Source) -> str:
    """The text of `'…'`; the position is at the opening quote. Raises `ShellSyntaxError` when it does not end."""
    end = source.text.find("'", source.pos + 1)
    if end < 0:
        raise source.fail("a single quote is not closed")
    text = source.text[source.pos + 1 : end]
    source.pos = end + 1
    return text


def ansi_c(source: Source) -> str:
    """The text of `$'…'` with its escapes decoded; the position is at the quote."""
    start = source.pos + 1
    end = start
    text = source.text
    while end < source.length and text[end] != "'":
        end += 2 if text[end] == "\\" else 1
    if end >= source.length:
        raise source.fail("a $' quote is not closed")
    source.pos = end + 1
    return decode_ansi_c(text[start:end])


def decode_ansi_c(text: str) -> str:
    """Decode the escapes of `$'…'`. A NUL ends the text, as it does in bash."""
    if "\\" not in text:
        return text
    found = bytearray()
    pos = 0
    while pos < len(text):
        slash = text.find("\\", pos)
        if slash < 0 or slash + 1 >= len(text):
            found += text[pos:].encode("utf-8", "surrogateescape")
            break
        found += text[pos:slash].encode("utf-8", "surrogateescape")
        piece, pos = _escape(text, slash + 1)
        if piece == b"\0":
            break
        found += piece
    return found.decode("utf-8", "surrogateescape")


def _escape(text: str, pos: int) -> tuple[bytes, int]:
    char = text[pos]
    if char in _SIMPLE_ESCAPES:
        return bytes((_SIMPLE_ESCAPES[char],)), pos + 1
    number = _NUMERIC.match(text, pos)
    if number:
        if number["octal"]:
            return bytes((int(number["octal"], 8) & 0xFF,)), number.end()
        if number["hex"] or number["long"]:
            return bytes((int(number["hex"] or number["long"], 16) & 0xFF,)), number.end()
        point = int(number["short"] or number["wide"], 16)
        return (chr(point) if point <= 0x10FFFF else "\ufffd").encode("utf-8", "surrogatepass"), number.end()
    if char == "c" and pos + 1 < len(text):
        return bytes((ord(text[pos + 1]) & 0x1F,)), pos + 2
    return f"\\{char}".encode("utf-8", "surrogateescape"), pos + 1


def backquoted(source: Source, *, in_double_quotes: bool) -> str:
    r"""The command inside backquotes, one level of `\` removed; the position is at the opening one."""
    text = source.text
    pieces: list[str] = []
    pos = source.pos + 1
    special = '\\`$"' if in_double_quotes else "\\`$"
    while pos < source.length and text[pos] != "`":
        if text[pos] == "\\" and pos + 1 < source.length:
            escaped = text[pos + 1]
            if escaped == "\n":
                pos += 2
                continue
            pieces.append(escaped if escaped in special else text[pos : pos + 2])
            pos += 2
            continue
        pieces.append(text[pos])
        pos += 1
    if pos >= source.length:
        raise source.fail("a backquote is not closed")
    source.pos = pos + 1
    return "".join(pieces)


def delimiter(raw: str) -> tuple[str, bool]:
    """The delimiter that a raw word means, and whether it was quoted: it is never expanded, only unquoted."""
    raw = raw.replace("\\\n", "")
    pieces: list[str] = []
    quoted = False
    pos = 0
    while pos < len(raw):
        char = raw[pos]
        if char == "'":
            end = raw.find("'", pos + 1)
            end = len(raw) if end < 0 else end
            pieces.append(raw[pos + 1 : end])
            pos, quoted = end + 1, True
        elif char == '"':
            pos, quoted = _double_quoted_delimiter(raw, pos + 1, pieces), True
        elif char == "\\" and pos + 1 < len(raw):
            pieces.append(raw[pos + 1])
            pos, quoted = pos + 2, True
        elif char == "$" and raw[pos + 1 : pos + 2] in ("'", '"'):
            pos += 1
        else:
            pieces.append(char)
            pos += 1
    return "".join(pieces), quoted


def _double_quoted_delimiter(raw: str, pos: int, pieces: list[str]) -> int:
    while pos < len(raw) and raw[pos] != '"':
        if raw[pos] == "\\" and raw[pos + 1 : pos + 2] in ("\\", '"', "$", "`"):
            pos += 1
        pieces.append(raw[pos : pos + 1])
        pos += 1
    return pos + 1
