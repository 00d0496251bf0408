"""A tree of values that know their place and keep the text they were written as, before any meaning is given to them."""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?(?:[0-9][0-9_]*|0x_*[0-9a-fA-F][0-9a-fA-F_]*|0o_*[0-7][0-7_]*|0b_*[01][01_]*)\Z")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*)?(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?\Z")
_INFINITE = {".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}


class Node:
    """A scalar, a sequence or a mapping at a place. `size` and `depth` count everything below it."""

    __slots__ = ("column", "depth", "line", "size")
    what: ClassVar[str] = "a value"

    def __init__(self, line: int, column: int) -> None:
        self.line = line
        self.column = column
        self.size = 1
        self.depth = 1

    def plain(self) -> Any:
        """The JSON value of this node."""
        raise NotImplementedError


class Scalar(Node):
    """Text as written. `bare` is true for a plain scalar, whose text may stand for a number, a boolean or null."""

    __slots__ = ("bare", "text")
    what = "a single value"

    def __init__(self, line: int, column: int, text: str, *, bare: bool) -> None:
        super().__init__(line, column)
        self.text = text
        self.bare = bare

    @property
    def is_null(self) -> bool:
        """Whether this stands for "nothing here"."""
        return self.bare and self.text in _NULL

    def plain(self) -> Any:
        """The JSON value: text in quotes is text; bare text is null, boolean, number (always a float) or text."""
        text = self.text
        if not self.bare:
            return text
        if text in _NULL:
            return None
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        if text[0] in "+-.0123456789":
            if _INTEGER.match(text):
                return _integer(text.replace("_", ""))
            lowered = text.lower()
            if lowered in _INFINITE:
                return _INFINITE[lowered]
            if any(character.isdigit() for character in text) and _FLOAT.match(text):
                return float(text.replace("_", ""))
        return text


def _integer(text: str) -> float:
    """The double of an integer, infinite beyond what a double holds, as it is for `1e400`."""
    if text.lstrip("+-")[:2].lower() not in {"0x", "0o", "0b"}:
        return float(text)
    try:
        return float(int(text, 0))
    except OverflowError:
        return -math.inf if text.startswith("-") else math.inf


class Sequence(Node):
    """Items in order."""

    __slots__ = ("items",)
    what = "a list"

    def __init__(self, line: int, column: int) -> None:
        super().__init__(line, column)
        self.items: list[Node] = []

    def plain(self) -> list[Any]:
        """The JSON array."""
        return [item.plain() for item in self.items]


class Mapping(Node):
    """Fields in order; `keys` holds where each key stands."""

    __slots__ = ("fields", "keys", "merged")
    what = "a mapping"

    def __init__(self, line: int, column: int) -> None:
        super().__init__(line, column)
        self.fields: dict[str, Node] = {}
        self.keys: dict[str, tuple[int, int]] = {}
        self.merged: set[str] = set()

    def plain(self) -> dict[str, Any]:
        """The JSON object."""
        return {name: value.plain() for name, value in self.fields.items()}
