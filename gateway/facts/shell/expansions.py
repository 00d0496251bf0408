"""Expansions and double quotes: `$name`, `$(…)`, `$((…))`, backquotes, `"…"`, bodies of here-documents.

Source: Bash Reference Manual 5.2, 3.5 (Shell Expansions). `${…}` is read in `gateway.facts.shell.parameters`.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.quoting import ansi_c, backquoted
from gateway.facts.shell.source import ShellSyntaxError, Source
from gateway.facts.shell.tree import (
    Arithmetic,
    CommandSubstitution,
    Parameter,
    Part,
    ProcessSubstitution,
    Script,
    Text,
    Word,
)

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPECIAL: Final = "@*#?-$!"
_IN_DOUBLE: Final = re.compile(r'[^"\\$`]+')
_IN_DOCUMENT: Final = re.compile(r"[^\\$`]+")
_IN_ARITHMETIC: Final = re.compile(r'[^"\\$`()\[\]]+')


def dollar(source: Source, *, quoted: bool) -> Part:
    """The expansion at `$`; a `$` that begins none is text. The position is at the `$`."""
    start = source.pos
    source.pos += 1
    source.join_lines()
    char = source.char
    if char == "(":
        return _parenthesis(source, quoted=quoted)
    if char == "{":
        source.count()
        source.enter()
        part = source.readers.parameter(source, quoted)
        source.leave()
        return part
    if char == "[":
        source.pos += 1
        return Arithmetic(expression=arithmetic(source, "]"), quoted=quoted)
    name = _NAME.match(source.text, source.pos)
    if name:
        source.pos = name.end()
        source.count()
        return Parameter(name=name.group(), quoted=quoted)
    if char and (char in _SPECIAL or (char.isdecimal() and char.isascii())):
        source.pos += 1
        source.count()
        return Parameter(name=char, quoted=quoted)
    if not quoted and char == "'":
        return Text(ansi_c(source), quoted=True)
    if not quoted and char == '"':
        # The caller reads the quotes; the locale changes nothing that matters here.
        return Text("", quoted=True)
    source.pos = start + 1
    return Text("$", quoted=quoted)


def backquotes(source: Source, *, quoted: bool) -> CommandSubstitution:
    """A command in backquotes, unescaped and parsed anew."""
    text = backquoted(source, in_double_quotes=quoted)
    source.count()
    inner = Source(text, source.readers, depth=source.depth, nodes=source.nodes)
    inner.enter()
    problem = ""
    script = Script(items=())
    try:
        script = source.readers.script(inner, "")
    except ShellSyntaxError as error:
        problem = error.message
    source.nodes = inner.nodes
    return CommandSubstitution(script=script, quoted=quoted, problem=problem)


def double_quoted(source: Source, into: list[Part]) -> None:
    """Append the parts of `"…"`; the position is at the opening quote."""
    source.pos += 1
    if source.char == '"':
        source.pos += 1
        into.append(Text("", quoted=True))
        return
    while True:
        run = _IN_DOUBLE.match(source.text, source.pos)
        if run:
            into.append(Text(run.group(), quoted=True))
            source.pos = run.end()
        char = source.char
        if char == '"':
            source.pos += 1
            return
        if not char:
            raise source.fail("a double quote is not closed")
        _quoted_special(source, into, escapable='$`"\\')


def document_word(source: Source, text: str) -> tuple[Word, str]:
    """The body of a here-document whose delimiter was not quoted, and what in it cannot be expanded.

    Quotes in a body are only text.
    """
    inner = Source(text, source.readers, depth=source.depth, nodes=source.nodes)
    inner.enter()
    parts: list[Part] = []
    problem = ""
    try:
        while inner.pos < inner.length:
            run = _IN_DOCUMENT.match(text, inner.pos)
            if run:
                parts.append(Text(run.group(), quoted=True))
                inner.pos = run.end()
            else:
                _quoted_special(inner, parts, escapable="$`\\")
    except ShellSyntaxError as error:
        problem = error.message
    source.nodes = inner.nodes
    return Word(parts=tuple(parts)), problem


def arithmetic(source: Source, closing: str) -> Word:
    """An arithmetic expression up to `))`, `]` or, in `for ((`, `;`: expanded as in double quotes, quotes dropped.

    Raises `ShellSyntaxError` where the parentheses show that it is none.
    """
    parts: list[Part] = []
    start = source.pos
    depth = 0
    opening, ending = ("[", "]") if closing == "]" else ("(", ")")
    while True:
        run = _IN_ARITHMETIC.match(source.text, source.pos)
        if run:
            text = run.group()
            stop = text.find(";") if ";" in closing and not depth else -1
            if stop >= 0:
                text = text[:stop]
            parts.append(Text(text, quoted=True))
            source.pos += len(text)
            if stop >= 0:
                return Word(parts=tuple(parts), start=start, end=source.pos)
        char = source.char
        if not char:
            raise source.fail("an arithmetic expression is not closed")
        if char == opening:
            depth += 1
        elif char == ending:
            if depth == 0:
                break
            depth -= 1
        if char in "()[]":
            parts.append(Text(char, quoted=True))
            source.pos += 1
        elif char == '"':
            source.pos += 1
        else:
            _quoted_special(source, parts, escapable='$`"\\')
    word = Word(parts=tuple(parts), start=start, end=source.pos)
    if not source.operator("]" if closing == "]" else "))"):
        raise source.fail("an arithmetic expression ends with one parenthesis")
    return word


def nested(source: Source, closing: str) -> Script:
    """The list up to `closing`, which is consumed; documents that it asked for end with it.

    Its newlines are not those that documents of the commands around it wait for.
    """
    around, source.pending = source.pending, []
    source.count()
    source.enter()
    script = source.readers.script(source, closing)
    source.end_documents()
    source.leave()
    source.pending = around
    return script


def process_substitution(source: Source) -> ProcessSubstitution:
    """`<(…)` or `>(…)`; the position is at the first character."""
    direction = source.char
    source.pos += 2
    return ProcessSubstitution(direction=direction, script=nested(source, ")"))


def _quoted_special(source: Source, into: list[Part], *, escapable: str) -> None:
    """One backslash, expansion or backquote inside double quotes or a document."""
    char = source.char
    if char == "$":
        into.append(dollar(source, quoted=True))
    elif char == "`":
        into.append(backquotes(source, quoted=True))
    elif char == "\\":
        following = source.text[source.pos + 1 : source.pos + 2]
        if following != "\n":
            into.append(
                Text(following if following and following in escapable else "\\" + following, quoted=True)
            )
        source.pos += 2
    else:
        into.append(Text(char, quoted=True))
        source.pos += 1


def _parenthesis(source: Source, *, quoted: bool) -> Part:
    """`$((…))` if it can be read as one, else `$(…)`; the position is at the parenthesis."""
    source.pos += 1
    here = source.pos
    if source.at("(") and here not in source.not_arithmetic:
        waiting, depth = list(source.pending), source.depth
        source.operator("(")
        try:
            source.count()
            source.enter()
            expression = arithmetic(source, "))")
            source.leave()
            return Arithmetic(expression=expression, quoted=quoted)
        except ShellSyntaxError:
            source.not_arithmetic.add(here)
            source.pos, source.depth = here, depth
            source.pending = waiting
    return CommandSubstitution(script=nested(source, ")"), quoted=quoted)
