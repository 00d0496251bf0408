"""Reads a message's JSON slowly and in order, so that the first thing wrong is named with its place, as the PDP names it.

Two passes, as there: the text must be JSON (messages of Go's encoding/json), then it must be the message (protojson).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from gateway.wire.cerbos_errors import INVALID_ARGUMENT, CerbosError
from gateway.wire.cerbos_messages import MESSAGES, Field, Message

_MAX_DEPTH = 200
_SPACE = " \t\r\n"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_ESCAPES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u([dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
"""A pair of surrogates; or, in the group, one that has no other half; or any other escape."""
_STRING = json.decoder.scanstring  # type: ignore[attr-defined]  # the standard decoder's own, in C
_LITERALS = {"t": "true", "f": "false", "n": "null"}


def read_exactly(message: Message, body: bytes) -> dict[str, Any]:
    """The message. Raises CerbosError."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = body[: error.start].decode("utf-8")
        line, column = _place(before, max(0, before.rfind('"')))
        _refuse(f"proto: syntax error (line {line}:{column}): invalid UTF-8 in string")
    start = len(text) - len(text.lstrip(_SPACE))
    if start == len(text):
        return {}
    reader = _Reader(text, start)
    reader.walk(start, 0)
    return reader.message(message)


def _refuse(message: str) -> NoReturn:
    raise CerbosError(INVALID_ARGUMENT, message)


def _place(text: str, at: int) -> tuple[int, int]:
    before = text[:at]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


class _Reader:
    """A cursor over the text."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._at = start

    # First pass: is it JSON?

    def walk(self, at: int, depth: int) -> int:
        """Where the value at `at` ends."""
        at = self._skip(at)
        first = self._peek(at)
        if depth > _MAX_DEPTH:
            _refuse(f"invalid character {_quoted(first)} exceeded max depth")
        if first == "{":
            return self._walk_object(at + 1, depth)
        if first == "[":
            return self._walk_array(at + 1, depth)
        if first == '"':
            return self._walk_string(at)
        if first in _LITERALS:
            return self._walk_literal(at, _LITERALS[first])
        return self._walk_number(at)

    def _walk_number(self, at: int) -> int:
        match = _NUMBER.match(self._text, at)
        if match is None:
            if self._text[at] == "-":
                self._unexpected(at + 1, "in numeric literal")
            self._unexpected(at, "looking for beginning of value")
        end = match.end()
        following = self._text[end : end + 1]
        if following == ".":
            self._unexpected(end + 1, "after decimal point in numeric literal")
        if following in {"e", "E"}:
            end += self._text[end + 1 : end + 2] in {"+", "-"}
            self._unexpected(end + 1, "in exponent of numeric literal")
        return end

    def _walk_object(self, at: int, depth: int) -> int:
        at = self._skip(at)
        if self._peek(at) == "}":
            return at + 1
        while True:
            at = self._skip(at)
            if self._peek(at) != '"':
                self._unexpected(at, "looking for beginning of object key string")
            at = self._skip(self._walk_string(at))
            if self._peek(at) != ":":
                self._unexpected(at, "after object key")
            at = self._skip(self.walk(at + 1, depth + 1))
            if self._peek(at) == "}":
                return at + 1
            if self._peek(at) != ",":
                self._unexpected(at, "after object key:value pair")
            at += 1

    def _walk_array(self, at: int, depth: int) -> int:
        at = self._skip(at)
        if self._peek(at) == "]":
            return at + 1
        while True:
            at = self._skip(self.walk(at, depth + 1))
            if self._peek(at) == "]":
                return at + 1
            if self._peek(at) != ",":
                self._unexpected(at, "after array element")
            at += 1

    def _walk_string(self, at: int) -> int:
        try:
            _, end = _STRING(self._text, at + 1, True)
        except ValueError:
            self._explain_string(at + 1)
        return int(end)

    def _explain_string(self, at: int) -> NoReturn:
        while at < len(self._text):
            character = self._text[at]
            if character == "\\":
                at += 1
                if self._peek(at) not in '"\\/bfnrtu':
                    self._unexpected(at, "in string escape code")
                if self._text[at] == "u":
                    for digit in range(at + 1, at + 5):
                        if self._peek(digit) not in "0123456789abcdefABCDEF":
                            self._unexpected(digit, "in \\u hexadecimal character escape")
            elif character < " ":
                self._unexpected(at, "in string literal")
            at += 1
        _refuse("unexpected EOF")

    def _walk_literal(self, at: int, word: str) -> int:
        for offset, letter in enumerate(word):
            if self._peek(at + offset) != letter:
                self._unexpected(at + offset, f"in literal {word} (expecting {_quoted(letter)})")
        return at + len(word)

    def _skip(self, at: int) -> int:
        while at < len(self._text) and self._text[at] in _SPACE:
            at += 1
        return at

    def _peek(self, at: int) -> str:
        if at >= len(self._text):
            _refuse("unexpected EOF")
        return self._text[at]

    def _unexpected(self, at: int, where: str) -> NoReturn:
        _refuse(f"invalid character {_quoted(self._peek(at))} {where}")

    # Second pass: is it the message?

    def message(self, message: Message) -> dict[str, Any]:
        """The message at the cursor."""
        self._expect("{")
        found: dict[str, Any] = {}
        for at, key in self._keys("}"):
            field = message.by_name.get(key)
            if field is None:
                self._proto(at, f"unknown field {json.dumps(key, ensure_ascii=False)}")
            if field.name in found:
                self._proto(at, f"duplicate field {json.dumps(key, ensure_ascii=False)}")
            if self._text.startswith("null", self._at):
                self._at += 4
                continue
            found[field.name] = self._field(field)
        return found

    def _field(self, field: Field) -> Any:
        if field.many == "list":
            return self._list(field)
        if field.many == "map":
            return self._map(field)
        return self._single(field)

    def _list(self, field: Field) -> list[Any]:
        self._expect("[")
        found: list[Any] = []
        self._at = self._skip(self._at)
        while self._text[self._at] != "]":
            found.append(self._single(field))
            self._at = self._skip(self._at)
            self._at += self._text[self._at] == ","
            self._at = self._skip(self._at)
        self._at += 1
        return found

    def _map(self, field: Field) -> dict[str, Any]:
        self._expect("{")
        found: dict[str, Any] = {}
        for at, key in self._keys("}"):
            if key in found:
                self._proto(at, f"duplicate map key {json.dumps(key, ensure_ascii=False)}")
            found[key] = self._single(field)
        return found

    def _single(self, field: Field) -> Any:
        self._at = self._skip(self._at)
        if field.kind == "message":
            return self.message(MESSAGES[field.message])
        if field.kind == "value":
            return self._value()
        at = self._at
        token = self._token()
        # A number is neither text nor true or false, and may be too large to read.
        value = self._value() if token[0] in '"tfn' else None
        if type(value) is not (bool if field.kind == "bool" else str):
            self._proto(at, f"invalid value for {field.kind} field {field.json}: {token}")
        return value

    def _value(self) -> Any:
        """Any JSON value."""
        self._at = self._skip(self._at)
        at, first = self._at, self._text[self._at]
        if first == "{":
            self._at += 1
            found: dict[str, Any] = {}
            for place, key in self._keys("}"):
                if key in found:
                    self._proto(place, f"duplicate map key {json.dumps(key, ensure_ascii=False)}")
                found[key] = self._value()
            return found
        if first == "[":
            return self._list(_ANY)
        end = self.walk(at, 0)
        token = self._text[at:end]
        self._at = end
        if first == '"':
            return self._string(at, end)
        if first in _LITERALS:
            return {"true": True, "false": False, "null": None}[token]
        number = float(token)
        if math.isinf(number):
            self._proto(at, f"invalid google.protobuf.Value: {token}")
        return number

    def _keys(self, close: str) -> Iterator[tuple[int, str]]:
        """The keys of an object, the cursor at each one's value."""
        while True:
            self._at = self._skip(self._at)
            if self._text[self._at] == close:
                self._at += 1
                return
            if self._text[self._at] == ",":
                self._at = self._skip(self._at + 1)
            at = self._at
            end = self._walk_string(at)
            key = self._string(at, end)
            self._at = self._skip(self._skip(end) + 1)
            yield at, key

    def _string(self, at: int, end: int) -> str:
        """The string of a token; halves of surrogate pairs are no text."""
        token = self._text[at:end]
        for escape in _ESCAPES.finditer(token):
            if escape[1]:
                line, column = _place(self._text, at)
                behind = json.dumps(self._text[at + escape.end() :][:6], ensure_ascii=False)
                _refuse(f"proto: syntax error (line {line}:{column}): invalid escape code {behind} in string")
        return str(json.loads(token))

    def _expect(self, bracket: str) -> None:
        self._at = self._skip(self._at)
        if self._text[self._at] != bracket:
            line, column = _place(self._text, self._at)
            _refuse(f"proto: syntax error (line {line}:{column}): unexpected token {self._token()}")
        self._at += 1

    def _token(self) -> str:
        """The token at the cursor, a bracket for what has members."""
        first = self._text[self._at]
        return first if first in "{[" else self._text[self._at : self.walk(self._at, 0)]

    def _proto(self, at: int, message: str) -> NoReturn:
        line, column = _place(self._text, at)
        _refuse(f"proto: (line {line}:{column}): {message}")


_ANY = Field(number=0, name="value", json="value", kind="value")


def _quoted(character: str) -> str:
    """A character as Go quotes it."""
    if character == "'":
        return "'\\''"
    if character == '"':
        return "'\"'"
    return "'" + json.dumps(character, ensure_ascii=False)[1:-1] + "'"
