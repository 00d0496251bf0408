"""The operators of `${name…}` on abstract values.

Source: Bash Reference Manual 5.2, 3.5.3. On a value that is not known in full the result is as wide as it must be.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.facts.shell.patterns import remove, replace
from gateway.facts.shell.quoting import decode_ansi_c
from gateway.facts.shell.tree import Parameter, Word
from gateway.facts.shell.values import EMPTY, HOLE, UNKNOWN, Field, unescape_glob

if TYPE_CHECKING:
    from gateway.facts.shell.expand import Expansion

_INTEGER: Final = re.compile(r"\s*(-?[0-9]{1,9})\s*")


def apply_operator(expansion: Expansion, part: Parameter, value: Field) -> Field:
    """The value of the expansion `part`, whose parameter holds `value`."""
    operator = part.operator
    if operator.lstrip(":") in ("-", "=", "?", "+") and operator != ":":
        return _substitute(expansion, part, value)
    if operator in ("#", "##", "%", "%%"):
        return _removed(value, expansion.pattern(part.argument or _NONE), operator)
    if operator.startswith("/"):
        pattern = expansion.pattern(part.argument or _NONE)
        replacement = expansion.text(part.second) if part.second is not None else EMPTY
        return _replaced(value, pattern, replacement, operator)
    if operator in ("^", "^^", ",", ",,", "~", "~~"):
        return _cased(value, operator)
    if operator == ":":
        return _sliced(expansion, part, value)
    if operator == "@":
        return _transformed(expansion, part, value)
    return UNKNOWN


_NONE: Final = Word(parts=())


def _substitute(expansion: Expansion, part: Parameter, value: Field) -> Field:
    """`:-` and its like. A value nobody knows may be unset, so both readings are tried."""
    assert part.argument is not None
    operator = part.operator
    null_counts = operator.startswith(":")
    known_set = not value.unknown
    if known_set:
        missing = null_counts and value.text == ""
    else:
        missing = expansion.choices.pick(("default", id(part)), (True, False))
    if operator.endswith("+"):
        return EMPTY if missing else expansion.text(part.argument)
    if not missing:
        return value
    if operator.endswith("?"):
        expansion.text(part.argument)
        return value
    replacement = expansion.text(part.argument)
    if operator.endswith("="):
        expansion.state.set(part.name, (replacement,))
    return replacement


def _removed(value: Field, pattern: Field, operator: str) -> Field:
    text, known = value.text, value.known
    if HOLE not in pattern.text:
        if known:
            return Field(remove(pattern.text, text, operator))
        literal = unescape_glob(pattern.text)
        if operator.startswith("%") and "*" not in literal and literal and text.endswith(literal):
            return Field(text[: -len(literal)], value.glob)
        if operator.startswith("#") and "*" not in literal and literal and text.startswith(literal):
            return Field(text[len(literal) :], value.glob)
        if pattern.text == "*/" and operator == "##" and HOLE not in text.rpartition("/")[2]:
            return Field(text.rpartition("/")[2], value.glob)
        if pattern.text == "/*" and operator == "%" and HOLE not in text.rpartition("/")[2] and "/" in text:
            return Field(text.rpartition("/")[0], value.glob)
    if value.glob and "/" not in text and HOLE not in text:
        return Field("*", glob=True)
    return UNKNOWN


def _replaced(value: Field, pattern: Field, replacement: Field, operator: str) -> Field:
    if value.known and HOLE not in pattern.text and replacement.known:
        return Field(replace(pattern.text, value.text, replacement.text, operator))
    return UNKNOWN


def _cased(value: Field, operator: str) -> Field:
    if not value.known:
        return UNKNOWN
    text = value.text
    change = (
        str.upper if operator.startswith("^") else str.lower if operator.startswith(",") else str.swapcase
    )
    return Field(change(text) if len(operator) == 2 else change(text[:1]) + text[1:])


def _sliced(expansion: Expansion, part: Parameter, value: Field) -> Field:
    offset = expansion.around.evaluate(expansion.text(part.argument or _NONE))
    length = expansion.around.evaluate(expansion.text(part.second)) if part.second is not None else None
    start = _integer(offset)
    end = _integer(length) if length is not None else None
    if not value.known or start is None or (length is not None and end is None):
        return UNKNOWN
    if part.name in ("@", "*"):
        return UNKNOWN
    text = value.text
    start = max(len(text) + start, 0) if start < 0 else start
    if end is None:
        return Field(text[start:])
    return Field(text[start:end] if end < 0 else text[start : start + end])


def _integer(field: Field) -> int | None:
    found = _INTEGER.fullmatch(field.text) if field.known else None
    return int(found.group(1)) if found else 0 if field.text == "" else None


def _transformed(expansion: Expansion, part: Parameter, value: Field) -> Field:
    letter = part.argument.literal if part.argument is not None else None
    if letter == "P":
        expansion.around.prompt(value)
        return UNKNOWN
    if not value.known:
        return UNKNOWN
    if letter in ("U", "L", "u"):
        return _cased(value, {"U": "^^", "L": ",,", "u": "^"}[letter])
    if letter == "E":
        return Field(decode_ansi_c(value.text))
    if letter == "Q":
        quoted = value.text.replace("'", "'\\''")
        return Field(f"'{quoted}'")
    return UNKNOWN
