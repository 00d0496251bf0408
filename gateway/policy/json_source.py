r"""JSON text to the same nodes as YAML, each with its place.

A JSON file is not read as YAML: surrogate pairs, tabs and `\/` mean other things there. The standard decoder tells no
positions, so this walks the text itself and leaves only strings to it.
"""

from __future__ import annotations

import json
import re
from json.decoder import JSONDecodeError

from gateway.policy.problems import Place, PolicyProblem, Problem
from gateway.policy.source import MAX_BYTES, MAX_DEPTH, MAX_NODES
from gateway.policy.tree import Mapping, Node, Scalar, Sequence

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORD = re.compile(r"true|false|null")
_STRING = json.decoder.scanstring  # type: ignore[attr-defined]


def parse_json(text: str, file: str) -> list[Node]:
    """The one document of a JSON text. Raises PolicyProblem at the first thing that is wrong."""
    return [_Reader(text, file).document()]


class _Reader:
    """A cursor over the text. Depth is bounded, so the recursion is."""

    def __init__(self, text: str, file: str) -> None:
        if len(text) > MAX_BYTES:
            raise PolicyProblem(
                Problem.TOO_LARGE,
                Place(file, 1, 1),
                f"The file has more than {MAX_BYTES} characters.",
                "Split it.",
            )
        self._text = text
        self._file = file
        self._at = 0
        self._nodes = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._line = 0

    def document(self) -> Node:
        """The whole text as one value."""
        node = self._value(1)
        self._skip()
        if self._at != len(self._text):
            raise self._wrong("The file goes on after its JSON value.", "A JSON file holds one policy.")
        return node

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._at)
        assert match is not None
        self._at = match.end()

    def _where(self, at: int) -> tuple[int, int]:
        starts = self._starts
        while self._line + 1 < len(starts) and starts[self._line + 1] <= at:
            self._line += 1
        return self._line + 1, at - starts[self._line] + 1

    def _wrong(self, message: str, remedy: str, problem: Problem = Problem.SYNTAX) -> PolicyProblem:
        line, column = self._where(min(self._at, len(self._text)))
        return PolicyProblem(problem, Place(self._file, line, column), message, remedy)

    def _value(self, depth: int) -> Node:
        self._skip()
        if depth > MAX_DEPTH:
            raise self._wrong(
                f"Values are nested deeper than {MAX_DEPTH} levels.", "Flatten them.", Problem.TOO_DEEP
            )
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._wrong(
                f"The file has more than {MAX_NODES} values.", "Split it.", Problem.TOO_MANY_NODES
            )
        line, column = self._where(self._at)
        first = self._text[self._at : self._at + 1]
        if first == '"':
            return Scalar(line, column, self._string(), bare=False)
        if first == "{":
            return self._object(line, column, depth)
        if first == "[":
            return self._array(line, column, depth)
        match = _NUMBER.match(self._text, self._at) or _WORD.match(self._text, self._at)
        if match is None:
            raise self._wrong(
                "This is not JSON: a value is expected here.", 'Write "text", a number, {…} or […].'
            )
        self._at = match.end()
        return Scalar(line, column, match.group(), bare=True)

    def _string(self) -> str:
        try:
            value, self._at = _STRING(self._text, self._at + 1, True)
        except JSONDecodeError as error:
            self._at = error.pos
            raise self._wrong(
                f"This is not JSON: {error.msg}.", 'End the text with " and write \\n for a new line.'
            ) from None
        return str(value)

    def _object(self, line: int, column: int, depth: int) -> Mapping:
        node = Mapping(line, column)
        self._at += 1
        self._skip()
        if self._take("}"):
            return node
        while True:
            self._skip()
            key_line, key_column = self._where(self._at)
            if self._text[self._at : self._at + 1] != '"':
                raise self._wrong(
                    "This is not JSON: a field name in quotes is expected here.", 'Write "name": value.'
                )
            place = self._at
            name = self._string()
            if name in node.fields:
                self._at = place
                raise self._wrong(
                    f"The field {name!r} stands here for the second time.",
                    "Keep one of them.",
                    Problem.DUPLICATE_KEY,
                )
            self._skip()
            if not self._take(":"):
                raise self._wrong("This is not JSON: `:` is expected here.", 'Write "name": value.')
            node.fields[name] = self._value(depth + 1)
            node.keys[name] = (key_line, key_column)
            self._skip()
            if self._take("}"):
                return node
            if not self._take(","):
                raise self._wrong("This is not JSON: `,` or `}` is expected here.", "Close the object.")

    def _array(self, line: int, column: int, depth: int) -> Sequence:
        node = Sequence(line, column)
        self._at += 1
        self._skip()
        if self._take("]"):
            return node
        while True:
            node.items.append(self._value(depth + 1))
            self._skip()
            if self._take("]"):
                return node
            if not self._take(","):
                raise self._wrong("This is not JSON: `,` or `]` is expected here.", "Close the list.")

    def _take(self, character: str) -> bool:
        if self._text.startswith(character, self._at):
            self._at += 1
            return True
        return False
