"""Words, assignments and patterns as the grammar meets them.

Source: Bash Reference Manual 5.2, 3.1.2 (Quoting), 3.4 (Shell Parameters), 3.5.8.1 (Pattern Matching), 6.7 (Arrays).
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.expansions import arithmetic, backquotes, dollar, double_quoted, process_substitution
from gateway.facts.shell.quoting import single_quoted
from gateway.facts.shell.source import Source
from gateway.facts.shell.tree import Assignment, Element, ExtendedGlob, Part, Text, Word

_PLAIN: Final = re.compile(r"[^\x00 \t\n;&|<>()$`\"'\\?*+@!]+")
_GLOB_PLAIN: Final = re.compile(r"[^$`\"'\\()|?*+@!]+")
_REGEX_PLAIN: Final = re.compile(r"[^ \t\n$`\"'\\()]+")
_EXTENDED: Final = "?*+@!"
_ASSIGNED: Final = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<after>\+?=|\[)")
_ENDS: Final = frozenset("\x00 \t\n;&|<>()")


def read_word(source: Source) -> Word | None:
    """The word at the position, None when an operator or the end stands there. Raises `ShellSyntaxError`."""
    start = source.pos
    plain = _PLAIN.match(source.text, start)
    if plain:
        source.pos = plain.end()
        if source.pos >= source.length or (source.text[source.pos] in _ENDS and source.char not in "<>"):
            source.count()
            return Word(parts=(Text(plain.group()),), start=start, end=source.pos)
        source.pos = start
    parts: list[Part] = []
    read_parts(source, parts)
    if not parts and source.pos == start:
        return None
    source.count()
    return Word(parts=_merged(parts), start=start, end=source.pos)


def read_parts(source: Source, parts: list[Part]) -> None:
    """Append the parts of an unquoted word up to a blank or an operator."""
    text = source.text
    while source.pos < source.length:
        plain = _PLAIN.match(text, source.pos)
        if plain:
            parts.append(Text(plain.group()))
            source.pos = plain.end()
            continue
        char = text[source.pos]
        if char in "<>":
            if not text.startswith("(", source.pos + 1):
                return
            parts.append(process_substitution(source))
        elif char in _ENDS and char != "\x00":
            return
        elif char in _EXTENDED:
            _maybe_extended(source, parts)
        else:
            _quoting(source, parts)


def read_pattern(source: Source) -> Word | None:
    """A word on the right of `==` in `[[`, or a pattern of `case`: as any word."""
    return read_word(source)


def read_regex(source: Source) -> Word | None:
    """The word after `=~`: parentheses and bars belong to it, and blanks inside parentheses."""
    start = source.pos
    parts: list[Part] = []
    depth = 0
    while source.pos < source.length:
        plain = _REGEX_PLAIN.match(source.text, source.pos)
        if plain:
            parts.append(Text(plain.group()))
            source.pos = plain.end()
            continue
        char = source.char
        if (char in " \t\n" and not depth) or (char == ")" and not depth):
            break
        if char in "() \t\n":
            depth += {"(": 1, ")": -1}.get(char, 0)
            parts.append(Text(char))
            source.pos += 1
        else:
            _quoting(source, parts)
    source.count()
    return Word(parts=_merged(parts), start=start, end=source.pos) if parts else None


def read_assignment(source: Source) -> Assignment | Word | None:
    """The assignment at the position, None (and nothing consumed) when no name with `=` or `[` stands there.

    A name with a subscript and no `=` is one word, blanks and operators in its brackets included, as bash reads it.
    """
    found = _ASSIGNED.match(source.text, source.pos)
    if found is None:
        return None
    start = source.pos
    index: Word | None = None
    append = found["after"] == "+="
    source.pos = found.end()
    if found["after"] == "[":
        index = arithmetic(source, "]")
        operator = source.operator("+=", "=")
        if not operator:
            word_parts: list[Part] = [Text(f"{found['name']}["), *index.parts, Text("]")]
            read_parts(source, word_parts)
            return Word(parts=_merged(word_parts), start=start, end=source.pos)
        append = operator == "+="
    source.count()
    source.join_lines()
    if source.char == "(" and index is None:
        return Assignment(name=found["name"], value=None, elements=_elements(source), append=append)
    value_start = source.pos
    parts: list[Part] = []
    read_parts(source, parts)
    value = Word(parts=_merged(parts), start=value_start, end=source.pos)
    return Assignment(name=found["name"], value=value, index=index, append=append)


def _elements(source: Source) -> tuple[Element, ...]:
    """The elements of an array literal; the position is at the parenthesis."""
    source.pos += 1
    source.enter()
    found: list[Element] = []
    while True:
        source.newlines()
        char = source.char
        if char == ")":
            source.pos += 1
            break
        found.append(_element(source, char))
    source.leave()
    return tuple(found)


def _element(source: Source, char: str) -> Element:
    start = source.pos
    if char == "[":
        source.pos += 1
        key = arithmetic(source, "]")
        if source.operator("+=", "="):
            parts: list[Part] = []
            value_start = source.pos
            read_parts(source, parts)
            return Element(value=Word(parts=_merged(parts), start=value_start, end=source.pos), key=key)
        # Bash reads up to the bracket's end whatever comes after it.
        word_parts: list[Part] = [Text("["), *key.parts, Text("]")]
        read_parts(source, word_parts)
        return Element(value=Word(parts=_merged(word_parts), start=start, end=source.pos))
    word = read_word(source)
    if word is None:
        raise source.fail(
            "an array literal is not closed" if not char else "an array literal has an operator in it"
        )
    return Element(value=word)


def _maybe_extended(source: Source, parts: list[Part]) -> None:
    """A pattern operator with its alternatives, or the character itself."""
    char = source.char
    if not source.text.startswith("(", source.pos + 1) or source.text.startswith("()", source.pos + 1):
        parts.append(Text(char))
        source.pos += 1
        return
    source.pos += 2
    source.count()
    source.enter()
    alternatives: list[Word] = []
    while True:
        start = source.pos
        inner: list[Part] = []
        _alternative(source, inner)
        alternatives.append(Word(parts=_merged(inner), start=start, end=source.pos))
        closing = source.char
        source.pos += 1
        if closing == ")":
            break
    source.leave()
    parts.append(ExtendedGlob(operator=char, alternatives=tuple(alternatives)))


def _alternative(source: Source, parts: list[Part]) -> None:
    """One alternative, up to `|` or `)`; blanks and operators are part of it."""
    depth = 0
    while True:
        plain = _GLOB_PLAIN.match(source.text, source.pos)
        if plain:
            parts.append(Text(plain.group()))
            source.pos = plain.end()
            continue
        char = source.char
        if not char:
            raise source.fail("an extended pattern is not closed")
        if char in "|)" and not depth:
            return
        if char in "()|":
            depth += {"(": 1, ")": -1}.get(char, 0)
            parts.append(Text(char))
            source.pos += 1
        elif char in _EXTENDED:
            _maybe_extended(source, parts)
        else:
            _quoting(source, parts)


def _quoting(source: Source, parts: list[Part]) -> None:
    """One quote, escape or expansion outside quotes; any other character is text."""
    char = source.char
    if char == "'":
        parts.append(Text(single_quoted(source), quoted=True))
    elif char == '"':
        double_quoted(source, parts)
    elif char == "\\":
        following = source.text[source.pos + 1 : source.pos + 2]
        if following != "\n":
            parts.append(Text(following or "\\", quoted=True))
        source.pos += 2 if following else 1
    elif char == "$":
        part = dollar(source, quoted=False)
        if type(part) is Text and part.quoted and not part.value and source.char == '"':
            double_quoted(source, parts)
        else:
            parts.append(part)
    elif char == "`":
        parts.append(backquotes(source, quoted=False))
    else:
        parts.append(Text(char))
        source.pos += 1


def _merged(parts: list[Part]) -> tuple[Part, ...]:
    """The parts with neighbouring texts of one kind joined."""
    if len(parts) < 2:
        return tuple(parts)
    found: list[Part] = []
    for part in parts:
        last = found[-1] if found else None
        if type(part) is Text and type(last) is Text and part.quoted is last.quoted:
            found[-1] = Text(last.value + part.value, quoted=part.quoted)
        else:
            found.append(part)
    return tuple(found)
