"""The operators of `${name…}` on abstract values.

Source: Bash Reference Manual 5.2, 3.5.3. On a value that is not known in full the result is as wide as it must be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gateway.facts.shell.patterns import remove, replace
from gateway.facts.shell.quoting import decode_ansi_c
from gateway.facts.shell.tree import Parameter, Word
from gateway.facts.shell.values import EMPTY, HOLE, UNKNOWN, Field, append_fields, unescape_glob

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


def each_with_operator(expansion: Expansion, part: Parameter, every: list[Field]) -> list[Field]:
    """The elements of `$@` or `${array[@]}` with an operator: a part of the list, or each element changed."""
    if part.operator == ":":
        return _part_of_list(expansion, part, every)
    if part.operator.lstrip(":") in ("-", "=", "?", "+"):
        present = any(field.text for field in every) if part.operator.startswith(":") else bool(every)
        if present is part.operator.endswith("+"):
            return expansion.fields(part.argument or _NONE)
        return every if present else []
    if part.operator == "@" and (
        part.argument is None or part.argument.literal not in ("U", "L", "u", "E", "Q", "P")
    ):
        return [UNKNOWN]
    return [apply_operator(expansion, part, field) for field in every]


def _part_of_list(expansion: Expansion, part: Parameter, every: list[Field]) -> list[Field]:
    start = _integer(expansion.around.evaluate(expansion.text(part.argument or _NONE)))
    length = (
        _integer(expansion.around.evaluate(expansion.text(part.second)))
        if part.second is not None
        else len(every)
    )
    if start is None or length is None or length < 0 or not all(field.known for field in every):
        return [UNKNOWN]
    # Positional parameters from 0 on begin with the name of the shell, from 1 on they are as they are numbered.
    start = max(len(every) + start, 0) if start < 0 else start
    return every[start : start + length]


def joined(fields: Sequence[Field], separator: str) -> Field:
    """Fields as one text."""
    result = EMPTY
    for position, field in enumerate(fields):
        result = append_fields(append_fields(result, Field(separator)), field) if position else field
    return result


def _substitute(expansion: Expansion, part: Parameter, value: Field) -> Field:
    """`:-` and its like. A value nobody knows may be unset, so both readings are tried."""
    assert part.argument is not None
    operator = part.operator
    missing = is_missing(expansion, part, value)
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


def is_missing(expansion: Expansion, part: Parameter, value: Field) -> bool:
    """Whether `-`, `+` and their like take the parameter as unset, in this round."""
    if not value.unknown and (value.text or part.operator.startswith(":")):
        return not value.text
    # An empty value may stand for a variable that is not set.
    return expansion.choices.pick(("default", id(part)), (True, False))


def takes_argument(expansion: Expansion, part: Parameter) -> bool:
    """Whether the words after `-` or `+` stand for the whole expansion, in this round."""
    if part.operator.lstrip(":") not in ("-", "+") or part.operator == ":" or part.indirect or part.length:
        return False
    missing = is_missing(expansion, part, expansion.plain(part))
    return missing is part.operator.endswith("-")


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
        if not value.text:
            # An unset variable gives nothing, an empty one a pair of quotes.
            return UNKNOWN
        quoted = value.text.replace("'", "'\\''")
        return Field(f"'{quoted}'")
    return UNKNOWN
