"""Compound commands: `if`, `while`, `for`, `case`, `select`, `{ }`, `( )`, `(( ))`, `[[ ]]` and functions.

Source: Bash Reference Manual 5.2, 3.2.5 (Compound Commands) and 3.3 (Shell Functions).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from gateway.facts.shell.expansions import arithmetic
from gateway.facts.shell.source import ShellSyntaxError, Source
from gateway.facts.shell.tree import (
    ArithmeticCommand,
    ArithmeticFor,
    Case,
    CaseItem,
    Command,
    Condition,
    For,
    Function,
    Group,
    If,
    Item,
    Redirect,
    Script,
    Subshell,
    While,
    Word,
)
from gateway.facts.shell.words import read_regex, read_word

_WORD: Final = re.compile(r"[^ \t\n;&|<>()]{1,9}")
_TERMINATORS: Final = (";;&", ";;", ";&")
_UNARY: Final = frozenset(f"-{letter}" for letter in "abcdefghknoprstuvwxzGLNORS")
_ARITHMETIC: Final = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})
_BINARY: Final = frozenset({"==", "=", "!=", "=~", "-nt", "-ot", "-ef"}) | _ARITHMETIC


class Grammar(Struct, frozen=True):
    """The readers of the level above: a command, a list up to a bracket, a list up to words, redirections."""

    command: Callable[[Source], Command]
    item: Callable[[Source], Item]
    script: Callable[[Source, str], Script]
    listed: Callable[..., tuple[Script, str]]
    redirects: Callable[[Source], tuple[Redirect, ...]]


def read_compound(source: Source, grammar: Grammar) -> Command | None:
    """The compound command or function definition at the position, None when there is none."""
    char = source.char
    if char == "(":
        return _read_parenthesis(source, grammar)
    reader = _READERS.get(_word(source))
    return reader(source, grammar) if reader is not None else None


def read_function_body(source: Source, grammar: Grammar) -> Command:
    """The compound command that is a function's body. Raises `ShellSyntaxError` for anything else."""
    source.newlines()
    body = read_compound(source, grammar)
    if body is None or isinstance(body, Function):
        raise source.fail("a function needs a compound command as its body")
    return body


def _word(source: Source) -> str:
    """The plain word at the position, as a reserved word would stand there."""
    found = _WORD.match(source.text, source.pos)
    return found.group() if found else ""


def _expect(source: Source, *words: str) -> str:
    """One of the reserved words, consumed. Raises `ShellSyntaxError`."""
    found = _word(source)
    if found not in words:
        raise source.fail(f"`{words[0]}` is missing")
    source.pos += len(found)
    return found


def _read_parenthesis(source: Source, grammar: Grammar) -> Command:
    """`(( … ))` if it can be read as one, else a subshell."""
    here = source.pos
    if source.at("((") and here not in source.not_arithmetic:
        waiting, depth = list(source.pending), source.depth
        source.operator("((")
        try:
            expression = arithmetic(source, "))")
            return ArithmeticCommand(expression=expression, redirects=grammar.redirects(source))
        except ShellSyntaxError:
            source.not_arithmetic.add(here)
            source.pos, source.depth = here, depth
            source.pending = waiting
    source.pos += 1
    body = grammar.script(source, ")")
    if not body.items:
        raise source.fail("a subshell is empty")
    return Subshell(body=body, redirects=grammar.redirects(source))


def _read_group(source: Source, grammar: Grammar) -> Command:
    source.pos += 1
    body, _ = grammar.listed(source, "}")
    return Group(body=body, redirects=grammar.redirects(source))


def _read_if(source: Source, grammar: Grammar) -> Command:
    source.pos += len("if")
    branches: list[tuple[Script, Script]] = []
    otherwise: Script | None = None
    while True:
        condition, _ = grammar.listed(source, "then")
        body, word = grammar.listed(source, "elif", "else", "fi")
        branches.append((condition, body))
        if word == "else":
            otherwise, word = grammar.listed(source, "fi")
        if word == "fi":
            break
    return If(branches=tuple(branches), otherwise=otherwise, redirects=grammar.redirects(source))


def _read_while(source: Source, grammar: Grammar) -> Command:
    until = _expect(source, "while", "until") == "until"
    condition, _ = grammar.listed(source, "do")
    body, _ = grammar.listed(source, "done")
    return While(condition=condition, body=body, until=until, redirects=grammar.redirects(source))


def _read_for(source: Source, grammar: Grammar) -> Command:
    select = _expect(source, "for", "select") == "select"
    source.blanks()
    if not select and source.at("(("):
        return _read_arithmetic_for(source, grammar)
    name = read_word(source)
    if name is None or not name.literal:
        raise source.fail("a loop has no variable")
    words: tuple[Word, ...] | None = None
    source.newlines()
    if _word(source) == "in":
        source.pos += 2
        words = _read_words(source)
    elif source.operator(";"):
        pass
    return For(
        name=name.literal,
        words=words,
        body=_read_body(source, grammar),
        select=select,
        redirects=grammar.redirects(source),
    )


def _read_words(source: Source) -> tuple[Word, ...]:
    found: list[Word] = []
    while True:
        source.blanks()
        word = read_word(source)
        if word is None:
            break
        found.append(word)
    if not source.operator(";") and source.char != "\n":
        raise source.fail("the words of a loop must end with `;` or a newline")
    return tuple(found)


def _read_arithmetic_for(source: Source, grammar: Grammar) -> Command:
    source.operator("((")
    expressions: list[Word] = []
    for _ in range(2):
        expressions.append(arithmetic(source, ");"))
        if not source.operator(";"):
            raise source.fail("`for ((` needs two semicolons")
    expressions.append(arithmetic(source, "))"))
    source.blanks()
    source.operator(";")
    return ArithmeticFor(
        expressions=tuple(expressions),
        body=_read_body(source, grammar),
        redirects=grammar.redirects(source),
    )


def _read_body(source: Source, grammar: Grammar) -> Script:
    """`do … done`, or the braces that bash takes in their place."""
    source.newlines()
    closing = {"do": "done", "{": "}"}[_expect(source, "do", "{")]
    body, _ = grammar.listed(source, closing)
    return body


def _read_case(source: Source, grammar: Grammar) -> Command:
    source.pos += len("case")
    source.blanks()
    subject = read_word(source)
    if subject is None:
        raise source.fail("`case` has no word")
    source.newlines()
    _expect(source, "in")
    items: list[CaseItem] = []
    while True:
        source.newlines()
        if _word(source) == "esac":
            source.pos += len("esac")
            break
        items.append(_read_case_item(source, grammar))
    return Case(subject=subject, items=tuple(items), redirects=grammar.redirects(source))


def _read_case_item(source: Source, grammar: Grammar) -> CaseItem:
    source.operator("(")
    patterns: list[Word] = []
    while True:
        source.blanks()
        pattern = read_word(source)
        if pattern is None:
            raise source.fail("a clause of `case` has no pattern")
        patterns.append(pattern)
        source.blanks()
        if source.operator(")"):
            break
        if not source.operator("|"):
            raise source.fail("a pattern of `case` must end with `)`")
    body: list[Item] = []
    while True:
        source.newlines()
        terminator = source.operator(*_TERMINATORS)
        if terminator or _word(source) == "esac":
            return CaseItem(
                patterns=tuple(patterns), body=Script(items=tuple(body)), terminator=terminator or ";;"
            )
        body.append(grammar.item(source))


def _read_function(source: Source, grammar: Grammar) -> Command:
    source.pos += len("function")
    source.blanks()
    name = read_word(source)
    if name is None:
        raise source.fail("a function has no name")
    source.blanks()
    if source.operator("("):
        source.blanks()
        if not source.operator(")"):
            # `function f (list)`: a subshell is the body.
            source.pos -= 1
            while source.char != "(":
                source.pos -= 1
    return Function(name=name.literal or "", body=read_function_body(source, grammar))


def _read_condition(source: Source, grammar: Grammar) -> Command:
    source.pos += 2
    operands: list[Word] = []
    operators: list[str] = []
    evaluated: list[Word] = []
    depth = 0
    while True:
        source.newlines()
        if _word(source) == "]]":
            source.pos += 2
            break
        operator = source.operator("&&", "||", "(", ")", "<", ">") if not source.at("<(", ">(") else ""
        if operator:
            depth += {"(": 1, ")": -1}.get(operator, 0)
            operators.append(operator)
            continue
        _read_operand(source, operands, operators, evaluated)
    if depth or not operands:
        raise source.fail("a condition is not complete")
    return Condition(
        operands=tuple(operands),
        operators=tuple(operators),
        arithmetic=tuple(evaluated),
        redirects=grammar.redirects(source),
    )


def _read_operand(source: Source, operands: list[Word], operators: list[str], evaluated: list[Word]) -> None:
    word = read_word(source)
    if word is None:
        raise source.fail("a condition is not closed")
    bare = word.bare
    if bare == "!" or bare in _UNARY:
        operators.append(bare)
    elif bare in _BINARY:
        operators.append(bare)
        source.blanks()
        right = read_regex(source) if bare == "=~" else read_word(source)
        if right is None:
            raise source.fail(f"`{bare}` has no right side")
        if bare in _ARITHMETIC:
            evaluated.append(right)
            if operands:
                evaluated.append(operands[-1])
        operands.append(right)
    else:
        operands.append(word)


_READERS: Final[dict[str, Callable[[Source, Grammar], Command]]] = {
    "{": _read_group,
    "if": _read_if,
    "while": _read_while,
    "until": _read_while,
    "for": _read_for,
    "select": _read_for,
    "case": _read_case,
    "function": _read_function,
    "[[": _read_condition,
}
