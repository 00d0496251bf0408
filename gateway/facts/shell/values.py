"""Abstract values: what a word may be when the shell has expanded it.

A `Field` is one resulting argument. `HOLE` stands in its text for characters nobody knows (any number, slashes
included); NUL is safe as the mark, since no shell word can hold one. With `glob` set the text is a pattern whose literal
special characters are bracketed, and the argument is every name that matches.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

HOLE: Final = "\0"
MAX_ALTERNATIVES: Final = 16
_ESCAPES: Final = str.maketrans({"*": "[*]", "?": "[?]", "[": "[[]"})


class Field(Struct, frozen=True, gc=False):
    """One argument."""

    text: str
    glob: bool = False

    @property
    def known(self) -> bool:
        """Whether it is exactly this text."""
        return not self.glob and HOLE not in self.text

    @property
    def exact(self) -> str | None:
        """The text when it is known, else None."""
        return None if self.glob or HOLE in self.text else self.text

    @property
    def unknown(self) -> bool:
        """Whether nothing of its beginning is known."""
        return self.text.startswith(HOLE)


UNKNOWN: Final = Field(HOLE)
EMPTY: Final = Field("")
Value = tuple[Field, ...]
"""What a variable may hold: up to `MAX_ALTERNATIVES` fields; `(UNKNOWN,)` when anything."""
ANYTHING: Final[Value] = (UNKNOWN,)


def value_of(text: str) -> Value:
    """The value that is exactly `text`."""
    return (Field(text),)


def join_values(left: Value, right: Value) -> Value:
    """Either of two values."""
    if left == right:
        return left
    return limited({*left, *right})


def limited(fields: Iterable[Field]) -> Value:
    """A value of these fields, or anything when they are too many."""
    found = tuple(sorted(set(fields), key=lambda field: (field.text, field.glob)))
    if len(found) > MAX_ALTERNATIVES or any(field == UNKNOWN for field in found):
        return ANYTHING
    return found


def has_glob(text: str) -> bool:
    """Whether a text would be taken as a pattern: a bracket alone (the command `[`) is none."""
    return "*" in text or "?" in text or ("[" in text and "]" in text[text.index("[") + 2 :])


def escape_glob(text: str) -> str:
    """Literal text as part of a pattern."""
    return text.translate(_ESCAPES)


def unescape_glob(text: str) -> str:
    """A pattern's text with bracketed single characters taken literally."""
    for char in "*?[":
        text = text.replace(f"[{char}]", char)
    return text


def append_fields(left: Field, right: Field) -> Field:
    """The two texts as one argument."""
    if left.glob is right.glob:
        return Field(left.text + right.text, left.glob)
    if left.glob:
        return Field(left.text + escape_glob(right.text), glob=True)
    return Field(escape_glob(left.text) + right.text, glob=True)


class Stream(Struct, frozen=True, kw_only=True):
    """What flows through a pipe or a file descriptor.

    `text` is known text (None: unknown). `sources` are files and variables whose content is in it, `hosts` where it
    came from over the network. `names` are the paths it lists, one a line, when it is a listing (fields, often trees).
    `closed` is an empty input such as /dev/null.
    """

    text: str | None = None
    sources: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    names: tuple[Field, ...] | None = None
    alternatives: tuple[str, ...] = ()
    """The texts that it may be, when they are few and known."""
    code: bool = False
    """Whether it may be program text fetched from elsewhere."""
    altered: bool = False
    """Whether a program made it of its `sources`, so that it need not be what is in them."""
    shown: frozenset[str] = frozenset()
    """Variables whose values stand in it as they are."""

    @property
    def closed(self) -> bool:
        """Whether it is known to be empty."""
        return self.text == ""


NOTHING: Final = Stream(text="")
SOMETHING: Final = Stream()


def merge_streams(streams: Iterable[Stream]) -> Stream:
    """The streams one after the other."""
    found = [stream for stream in streams if not (stream.closed and not stream.sources and not stream.hosts)]
    if not found:
        return NOTHING
    if len(found) == 1:
        return found[0]
    texts = [stream.text for stream in found]
    names = [stream.names for stream in found]
    return Stream(
        text=None if any(text is None for text in texts) else "".join(text or "" for text in texts),
        sources=frozenset().union(*(stream.sources for stream in found)),
        hosts=frozenset().union(*(stream.hosts for stream in found)),
        names=None
        if any(part is None for part in names)
        else tuple(field for part in names for field in part or ()),
        code=any(stream.code for stream in found),
        altered=any(stream.altered for stream in found),
        shown=frozenset().union(*(stream.shown for stream in found)),
    )


def either(left: Stream, right: Stream) -> Stream:
    """One of two streams, nobody knows which; if both are known, the lines of either may be in it."""
    if left == right:
        return left
    mine, yours = lines_of(left), lines_of(right)
    return Stream(
        text=left.text if left.text == right.text else None,
        sources=left.sources | right.sources,
        hosts=left.hosts | right.hosts,
        names=tuple(dict.fromkeys((*mine, *yours))) if mine is not None and yours is not None else None,
        alternatives=_alternatives(left, right),
        code=left.code or right.code,
        altered=left.altered or right.altered,
        shown=left.shown | right.shown,
    )


def _alternatives(left: Stream, right: Stream) -> tuple[str, ...]:
    mine = left.alternatives if left.text is None else (left.text,)
    yours = right.alternatives if right.text is None else (right.text,)
    found = tuple(dict.fromkeys((*mine, *yours)))
    return found if mine and yours and len(found) <= MAX_ALTERNATIVES else ()


def lines_of(stream: Stream) -> tuple[Field, ...] | None:
    """The lines that may be in a stream, None when nobody knows."""
    if stream.text is not None:
        return tuple(Field(line) for line in stream.text.splitlines())
    return stream.names
