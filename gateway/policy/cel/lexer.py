"""Text of an expression → tokens (CEL language definition, section "Syntax")."""

from __future__ import annotations

import math
import re
from typing import Final, NamedTuple

from gateway.policy.cel.errors import CelSyntaxError
from gateway.policy.cel.limits import MAX_TEXT, MAX_TOKENS
from gateway.policy.cel.values import MAX_INT, MAX_UINT, MIN_INT, Uint

_TOKEN: Final = re.compile(
    r"""[ \t\r\n\f]+|//[^\n]*
    |(?P<string>[bB][rR]|[rRbB]|)(?P<quote>\"{3}|'{3}|\"|')
    |(?P<float>(?:[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?)|(?:[0-9]+[eE][+-]?[0-9]+)|(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?))
    |(?P<int>0x[0-9a-fA-F]+|[0-9]+)(?P<unsigned>[uU]?)
    |`(?P<escaped>[a-zA-Z0-9_.\-/ ]+)`
    |(?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
    |(?P<op>&&|\|\||[=!<>]=|[-+*/%!<>?:.,()\[\]{}])""",
    re.VERBOSE,
)
_BODIES: Final = {
    '"': re.compile(r'(?:[^"\\\n\r]|\\.)*', re.DOTALL),
    "'": re.compile(r"(?:[^'\\\n\r]|\\.)*", re.DOTALL),
    '"""': re.compile(r'(?:[^"\\]|\\.|"(?!""))*', re.DOTALL),
    "'''": re.compile(r"(?:[^'\\]|\\.|'(?!''))*", re.DOTALL),
}
_RAW_BODIES: Final = {
    '"': re.compile(r'[^"\n\r]*'),
    "'": re.compile(r"[^'\n\r]*"),
    '"""': re.compile(r'(?:[^"]|"(?!""))*'),
    "'''": re.compile(r"(?:[^']|'(?!''))*"),
}
_ESCAPE: Final = re.compile(
    r"\\(?:(?P<plain>[abfnrtv\\?\"'`])|[xX](?P<hex>[0-9a-fA-F]{2})|u(?P<u4>[0-9a-fA-F]{4})"
    r"|U(?P<u8>[0-9a-fA-F]{8})|(?P<octal>[0-3][0-7]{2}))|\\",
)
_PLAIN: Final = dict(zip("abfnrtv\\?\"'`", "\a\b\f\n\r\t\v\\?\"'`", strict=True))
_SURROGATES: Final = range(0xD800, 0xE000)
_KEYWORDS: Final = {"true": True, "false": False, "null": None}


class Token(NamedTuple):
    """One token: `kind` is literal, name, escaped (a field in backquotes), op (also `in`) or end; `offset` counts characters from 0."""

    kind: str
    value: object
    offset: int


def place(text: str, offset: int) -> tuple[int, int]:
    """The 1-based line and column of an offset."""
    line = text.count("\n", 0, offset) + 1
    return line, offset - (text.rfind("\n", 0, offset) + 1) + 1


def syntax_error(text: str, offset: int, message: str) -> CelSyntaxError:
    """An error at an offset of the text."""
    line, column = place(text, offset)
    return CelSyntaxError(f"Syntax error: {message}", line=line, column=column, offset=offset)


def tokenize(text: str) -> list[Token]:
    """Split `text`; the last token has kind "end". Raises `CelSyntaxError`."""
    if len(text) > MAX_TEXT:
        raise syntax_error(text, 0, f"expression has {len(text)} characters, more than {MAX_TEXT}")
    tokens: list[Token] = []
    position, end = 0, len(text)
    match = _TOKEN.match
    while position < end:
        found = match(text, position)
        if found is None:
            raise syntax_error(text, position, f"token recognition error at: '{text[position]}'")
        kind = found.lastgroup
        start, position = position, found.end()
        if kind == "name":
            name = found.group()
            if name in _KEYWORDS:
                tokens.append(Token("literal", _KEYWORDS[name], start))
            else:
                tokens.append(Token("op" if name == "in" else "name", name, start))
        elif kind == "escaped":
            tokens.append(Token("escaped", found["escaped"], start))
        elif kind == "op":
            tokens.append(Token("op", found.group(), start))
        elif kind == "quote":
            value, position = _string(text, start, found["string"].lower(), found["quote"], position)
            tokens.append(Token("literal", value, start))
        elif kind == "float":
            tokens.append(Token("literal", _double(text, start, found.group()), start))
        elif kind == "unsigned":
            tokens.append(Token("literal", _integer(text, start, found["int"], found["unsigned"]), start))
        if len(tokens) > MAX_TOKENS:
            raise syntax_error(text, start, f"expression has more than {MAX_TOKENS} tokens")
    tokens.append(Token("end", "<EOF>", end))
    return tokens


def _double(text: str, offset: int, digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise syntax_error(text, offset, "invalid double literal")
    return value


def _integer(text: str, offset: int, digits: str, unsigned: str) -> int:
    # Python refuses to convert very long decimal strings; such a number is out of range in any case.
    value = MAX_UINT + 1 if len(digits) > 64 else int(digits, 16 if digits.startswith("0x") else 10)
    if unsigned:
        if value > MAX_UINT:
            raise syntax_error(text, offset, "invalid uint literal")
        return Uint(value)
    # One more than the largest int is legal after a minus sign; the parser refuses it elsewhere.
    if value > -MIN_INT:
        raise syntax_error(text, offset, "invalid int literal")
    return value


def int_in_range(value: int) -> bool:
    """Whether a literal without a minus sign before it fits an int."""
    return value <= MAX_INT


def _string(text: str, offset: int, prefix: str, quote: str, position: int) -> tuple[str | bytes, int]:
    raw = "r" in prefix
    body = (_RAW_BODIES if raw else _BODIES)[quote].match(text, position)
    if body is None or not text.startswith(quote, body.end()):
        raise syntax_error(text, offset, f"token recognition error at: '{text[offset : offset + 20]}'")
    content, after = body.group(), body.end() + len(quote)
    if "b" in prefix:
        return content.encode("utf-8", "replace") if raw else _unescape_bytes(text, offset, content), after
    return content if raw or "\\" not in content else _unescape(text, offset, content), after


def _unescape(text: str, offset: int, content: str) -> str:
    def replace(found: re.Match[str]) -> str:
        if found["plain"]:
            return _PLAIN[found["plain"]]
        digits = found["hex"] or found["u4"] or found["u8"]
        if not digits and not found["octal"]:
            raise syntax_error(text, offset, f"unable to unescape string: '{content}'")
        code = int(digits, 16) if digits else int(found["octal"], 8)
        if code > 0x10FFFF or code in _SURROGATES:  # the last code point of Unicode
            raise syntax_error(text, offset, "invalid unicode code point in string")
        return chr(code)

    return _ESCAPE.sub(replace, content)


def _unescape_bytes(text: str, offset: int, content: str) -> bytes:
    pieces: list[bytes] = []
    position = 0
    for found in _ESCAPE.finditer(content):
        pieces.append(content[position : found.start()].encode("utf-8", "replace"))
        position = found.end()
        if found["plain"]:
            pieces.append(_PLAIN[found["plain"]].encode())
        elif found["hex"] or found["octal"]:
            pieces.append(bytes([int(found["hex"], 16) if found["hex"] else int(found["octal"], 8)]))
        else:
            raise syntax_error(text, offset, f"unable to unescape bytes: '{content}'")
    pieces.append(content[position:].encode("utf-8", "replace"))
    return b"".join(pieces)
