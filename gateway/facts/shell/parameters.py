"""`${…}`: parameter expansion with its operators and the words they take.

Source: Bash Reference Manual 5.2, 3.5.3. Quotes inside `"${…}"` are read as bash 5.2 does: after `-`, `=`, `+` and `?`
single quotes stay as text but still pair, after the pattern operators they quote.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.expansions import (
    arithmetic,
    backquotes,
    dollar,
    double_quoted,
    nested,
    process_substitution,
)
from gateway.facts.shell.quoting import single_quoted
from gateway.facts.shell.source import ShellSyntaxError, Source
from gateway.facts.shell.tree import CommandSubstitution, Parameter, Part, Script, Text, Word

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DIGITS: Final = re.compile(r"[0-9]+")
_SPECIAL: Final = "@*#?-$!"
_IN_BRACES: Final = re.compile(r"[^\"'\\$`}<>]+")
_IN_QUOTED_BRACES: Final = re.compile(r"[^\"'\\$`}]+")
_OPERATORS: Final = (
    ":-",
    ":=",
    ":?",
    ":+",
    "##",
    "%%",
    "//",
    "/#",
    "/%",
    "^^",
    ",,",
    "~~",
    "-",
    "=",
    "?",
    "+",
    "#",
    "%",
    "/",
    "^",
    ",",
    "@",
    ":",
    "~",
)
"""Longest first, so that the first that stands there is the one meant."""
_PATTERNED: Final = frozenset({"#", "##", "%", "%%", "^", "^^", ",", ",,", "~", "~~"})
_SUBSTITUTE: Final = frozenset({":-", ":=", ":?", ":+", "-", "=", "?", "+"})


def braced_parameter(source: Source, quoted: bool) -> Part:
    """The expansion at `{`. What bash calls a bad substitution, when it expands it, is one that says so.

    Raises `ShellSyntaxError` where the braces do not end.
    """
    here, waiting, depth = source.pos, list(source.pending), source.depth
    try:
        return _parameter(source, quoted)
    except ShellSyntaxError as error:
        source.pos, source.pending, source.depth = here + 1, waiting, depth
        _brace_word(source, "", quoted=quoted, literal_quotes=quoted)
        return CommandSubstitution(script=Script(items=()), quoted=quoted, problem=error.message)


def _parameter(source: Source, quoted: bool) -> Part:
    source.pos += 1
    source.join_lines()
    if source.char in (" ", "\t", "\n", "|"):
        # Bash 5.3 and other shells run `${ command; }`; 5.2 refuses it.
        source.pos += 1
        return CommandSubstitution(script=nested(source, "}"), quoted=quoted)
    length = indirect = False
    char = source.char
    if char == "#" and not _ends_special(source):
        length = True
        source.pos += 1
    elif char == "!" and not _ends_special(source):
        indirect = True
        source.pos += 1
    name = _parameter_name(source)
    index: Word | None = None
    if source.char == "[":
        source.pos += 1
        index = _subscript(source)
    source.join_lines()
    if source.char == "}":
        source.pos += 1
        return Parameter(name=name, quoted=quoted, index=index, length=length, indirect=indirect)
    operator = source.operator(*_OPERATORS)
    if not operator and indirect and source.char in "*@":
        operator = source.char
        source.pos += 1
    if not operator:
        raise source.fail("a parameter expansion has no such operator")
    argument, second = _arguments(source, operator, quoted=quoted)
    return Parameter(
        name=name,
        quoted=quoted,
        operator=operator,
        argument=argument,
        second=second,
        index=index,
        length=length,
        indirect=indirect,
    )


def _ends_special(source: Source) -> bool:
    """Whether `#` or `!` at the position is itself the parameter: `${#}`, `${!}`, `${#:-x}`, `${#-x}`."""
    rest = source.text[source.pos + 1 : source.pos + 3]
    if not rest or rest[0] == "}":
        return True
    if rest[0] in "@*$?!0123456789_[" or rest[0].isalpha():
        return False
    # `${#-}` and `${##}` are lengths of `$-` and `$#`; `${#-x}` and `${##x}` are operators on `$#`.
    return not (rest[0] in "#-" and rest[1:] == "}")


def _parameter_name(source: Source) -> str:
    found = _NAME.match(source.text, source.pos) or _DIGITS.match(source.text, source.pos)
    if found:
        source.pos = found.end()
        return found.group()
    char = source.char
    if char and char in _SPECIAL:
        source.pos += 1
        return char
    raise source.fail("a parameter expansion names no parameter")


def _subscript(source: Source) -> Word:
    """The index up to `]`, which is consumed."""
    return arithmetic(source, "]")


def _arguments(source: Source, operator: str, *, quoted: bool) -> tuple[Word | None, Word | None]:
    substitute = operator in _SUBSTITUTE
    if operator == ":":
        first, stopped = _brace_word(source, ":", quoted=True, literal_quotes=True)
        second = _brace_word(source, "", quoted=True, literal_quotes=True)[0] if stopped else None
        return first, second
    if operator in ("/", "//", "/#", "/%"):
        first, stopped = _brace_word(source, "/", quoted=False, literal_quotes=False)
        second = _brace_word(source, "", quoted=quoted, literal_quotes=False)[0] if stopped else None
        return first, second
    # Double quotes around `${x#…}` do not quote the pattern in it.
    quotes = quoted and operator not in _PATTERNED
    return _brace_word(source, "", quoted=quotes, literal_quotes=quoted and substitute)[0], None


def _brace_word(source: Source, stop: str, *, quoted: bool, literal_quotes: bool) -> tuple[Word, bool]:
    """The word inside `${…}` up to its brace (consumed) or to `stop` (consumed; then the second value is true)."""
    parts: list[Part] = []
    start = source.pos
    pattern = _IN_QUOTED_BRACES if quoted else _IN_BRACES
    single = False
    while True:
        run = pattern.match(source.text, source.pos)
        if run:
            text = run.group()
            found = text.find(stop) if stop and not single else -1
            if found >= 0:
                text = text[:found]
            parts.append(Text(text, quoted=quoted))
            source.pos += len(text)
            if found >= 0:
                source.pos += 1
                return Word(parts=tuple(parts), start=start, end=source.pos - 1), True
        char = source.char
        if not char:
            raise source.fail("a parameter expansion is not closed")
        if char == "}" and not single:
            source.pos += 1
            return Word(parts=tuple(parts), start=start, end=source.pos - 1), False
        if char == "'" and literal_quotes:
            single = not single
            parts.append(Text("'", quoted=True))
            source.pos += 1
        elif char == "}":
            parts.append(Text("}", quoted=True))
            source.pos += 1
        else:
            _brace_special(source, parts, quoted=quoted)


def _brace_special(source: Source, parts: list[Part], *, quoted: bool) -> None:
    char = source.char
    if char == "'":
        parts.append(Text(single_quoted(source), quoted=True))
    elif char == '"':
        double_quoted(source, parts)
    elif char == "\\":
        following = source.text[source.pos + 1 : source.pos + 2]
        if following != "\n":
            keeps = quoted and following not in ("$", "`", '"', "\\", "}")
            parts.append(Text("\\" + following if keeps else following, quoted=True))
        source.pos += 2
    elif char == "$":
        part = dollar(source, quoted=quoted)
        parts.append(part)
        if source.char == '"' and type(part) is Text and not part.value and not quoted:
            double_quoted(source, parts)
    elif char == "`":
        parts.append(backquotes(source, quoted=quoted))
    elif char in "<>" and source.text.startswith("(", source.pos + 1):
        parts.append(process_substitution(source))
    else:
        parts.append(Text(char, quoted=quoted))
        source.pos += 1
