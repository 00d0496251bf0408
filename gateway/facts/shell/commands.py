"""Lists, pipelines and simple commands; `parse` is the door to the whole parser.

Source: Bash Reference Manual 5.2, 3.2 (Shell Commands) and 3.6 (Redirections).
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from gateway.facts.shell.compound import Grammar, read_compound, read_function_body
from gateway.facts.shell.expansions import document_word
from gateway.facts.shell.parameters import braced_parameter
from gateway.facts.shell.redirect_grammar import read_redirect, read_redirects
from gateway.facts.shell.source import Readers, ShellLimit, ShellSyntaxError, Source
from gateway.facts.shell.tree import (
    AndOr,
    Assignment,
    Command,
    Coprocess,
    Function,
    Item,
    Pipeline,
    Redirect,
    Script,
    Simple,
    Subshell,
    Text,
    Word,
)
from gateway.facts.shell.words import read_assignment, read_word

_ARRAY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=\(")
_DECLARING: Final = frozenset({"declare", "typeset", "local", "export", "readonly", "eval", "let"})
_CLOSER: Final = re.compile(r"(?:then|done|do|fi|esac|\}|elif|else)(?=[ \t\n;&|<>()]|\Z)")
_ORDINARY: Final = re.compile(
    r"[^\x00 \t\n;&|<>()$`\"'\\?*+@!{][^\x00 \t\n;&|<>()$`\"'\\?*+@!]*(?=[ \t\n;&|)]|\Z)"
)
"""A word of plain text that neither is an array literal nor begins a redirection."""


class Parsed(Struct, frozen=True, kw_only=True):
    """What a text was read as. With `problem` set (a message, or a limit's code) only what came before it is here."""

    script: Script
    problem: str = ""
    limit: str = ""
    position: int = 0


def parse(text: str) -> Parsed:
    """Parse a script. Never raises: what stands before an error or limit is kept, since a shell runs line by line."""
    source = Source(text, _READERS)
    items: list[Item] = []
    try:
        _read_items(source, "", items)
        source.end_documents()
    except ShellSyntaxError as error:
        return Parsed(script=Script(items=tuple(items)), problem=error.message, position=error.position)
    except ShellLimit as limit:
        return Parsed(script=Script(items=tuple(items)), limit=limit.code, position=source.pos)
    except RecursionError:
        return Parsed(script=Script(items=tuple(items)), limit="too_deep", position=source.pos)
    return Parsed(script=Script(items=tuple(items)))


def read_script(source: Source, closing: str) -> Script:
    """A list up to `closing` (`)`, `}` or the end of the text), which is consumed."""
    items: list[Item] = []
    _read_items(source, closing, items)
    if closing and not items and closing == "}":
        raise source.fail("a list is empty")
    return Script(items=tuple(items))


def read_list(source: Source, *closers: str) -> tuple[Script, str]:
    """A list up to one of the reserved words `closers` (consumed); the script and the word. It may not be empty."""
    items: list[Item] = []
    while True:
        source.newlines()
        word = _closer(source, closers)
        if word:
            if not items:
                raise source.fail(f"`{word}` without a command before it")
            return Script(items=tuple(items)), word
        items.append(_read_item(source))


def _closer(source: Source, closers: tuple[str, ...]) -> str:
    """The reserved word of `closers` that stands here as a whole word; consumed."""
    for word in closers:
        end = source.pos + len(word)
        if source.text.startswith(word, source.pos) and (
            end >= source.length or source.text[end] in " \t\n;&|<>()"
        ):
            source.pos = end
            return word
    return ""


def _read_items(source: Source, closing: str, items: list[Item]) -> None:
    while True:
        source.newlines()
        char = source.char
        if closing == "}" and char == "}":
            source.pos += 1
            return
        if not char:
            if closing:
                raise source.fail(f"`{closing}` is missing")
            return
        if char == ")" and closing == ")":
            source.pos += 1
            return
        items.append(_read_item(source))


def _read_item(source: Source) -> Item:
    start = source.pos
    command = _read_and_or(source)
    source.blanks()
    background = False
    if source.at(";;", ";&"):
        pass
    elif source.at("&&", "||"):
        raise source.fail("an operator has no command before it")
    elif source.operator("&"):
        background = True
    elif source.operator(";"):
        source.blanks()
        if source.char == ";":
            raise source.fail("`;` stands twice")
    elif source.char not in ("\n", "", ")") and not _closes(source):
        raise source.fail(f"{source.char!r} cannot stand here")
    source.blanks()
    if (source.char == "&" and background and not source.at("&>")) or (
        source.char == ";" and not source.at(";;", ";&")
    ):
        raise source.fail(f"{source.char!r} has no command before it")
    return Item(command=command, background=background, start=start, end=source.pos)


def _closes(source: Source) -> bool:
    """Whether a compound command may end here: `{ (a) }` needs no semicolon before the brace."""
    return _CLOSER.match(source.text, source.pos) is not None


def _read_and_or(source: Source) -> AndOr:
    pipelines = [_read_pipeline(source)]
    operators: list[str] = []
    while True:
        source.blanks()
        operator = source.operator("&&", "||")
        if not operator:
            return AndOr(pipelines=tuple(pipelines), operators=tuple(operators))
        operators.append(operator)
        source.newlines()
        pipelines.append(_read_pipeline(source))


def _read_pipeline(source: Source) -> Pipeline:
    negated = timed = False
    while True:
        source.blanks()
        if _keyword(source, "!") or source.text.startswith("!(", source.pos):
            source.pos += 1
            negated = not negated
        elif _keyword(source, "time"):
            source.pos += 4
            timed = True
            source.blanks()
            if _keyword(source, "-p"):
                source.pos += 2
            source.blanks()
            if _keyword(source, "--"):
                source.pos += 2
        else:
            break
    source.blanks()
    if (timed or negated) and (source.char in ("", "\n", ";", ")") or source.at("&&", "||")):
        return Pipeline(commands=(), negated=negated, timed=timed)
    # `time | x` and `! | x` are a null command and a pipe.
    null = (timed or negated) and source.char == "|"
    commands: list[Command] = [] if null else [read_command(source)]
    while True:
        source.blanks()
        if source.at("||"):
            break
        operator = source.operator("|&", "|")
        if not operator:
            break
        source.newlines()
        commands.append(_read_stage(source))
    return Pipeline(commands=tuple(commands), negated=negated, timed=timed)


def _read_stage(source: Source) -> Command:
    """A command after `|`; bash takes `!` and `time` there too."""
    if _keyword(source, "!") or _keyword(source, "time"):
        pipeline = _read_pipeline(source)
        body = AndOr(pipelines=(pipeline,))
        return Subshell(body=Script(items=(Item(command=body),)))
    return read_command(source)


def _keyword(source: Source, word: str) -> bool:
    """Whether `word` stands here as a whole word."""
    if not source.text.startswith(word, source.pos):
        return False
    end = source.pos + len(word)
    return end >= source.length or source.text[end] in " \t\n;&|<>()"


def read_command(source: Source) -> Command:
    """One command: compound, function definition, coprocess or simple, with its redirections."""
    source.count()
    if _closes(source):
        raise source.fail("a reserved word has no command before it")
    source.enter()
    command = (
        _read_coprocess(source)
        if _keyword(source, "coproc")
        else read_compound(source, _GRAMMAR) or _read_simple(source)
    )
    source.leave()
    return command


def _read_coprocess(source: Source) -> Command:
    source.pos += len("coproc")
    source.blanks()
    compound = read_compound(source, _GRAMMAR)
    if compound is not None:
        return Coprocess(name="COPROC", body=compound)
    here = source.pos
    word = read_word(source)
    source.blanks()
    if word is not None:
        compound = read_compound(source, _GRAMMAR)
        if compound is not None:
            return Coprocess(name=word.literal or "", body=compound)
    source.pos = here
    return Coprocess(name="COPROC", body=_read_simple(source))


def _read_simple(source: Source) -> Command:
    start = source.pos
    assignments: list[Assignment] = []
    words: list[Word | Assignment] = []
    redirects: list[Redirect] = []
    while True:
        ordinary = _read_ordinary(source, first=not words)
        redirect = read_redirect(source) if ordinary is None else None
        if redirect is not None:
            redirects.append(redirect)
        else:
            found = ordinary or _read_argument(source, words)
            if found is None:
                break
            if isinstance(found, Assignment) and not words:
                assignments.append(found)
            else:
                words.append(found)
            if isinstance(found, Word) and len(words) == 1 and not assignments and not redirects:
                function = _function(source, found)
                if function is not None:
                    return function
        source.blanks()
    if not assignments and not words and not redirects:
        raise source.fail(
            "a command is missing" if not source.char else f"{source.char!r} cannot begin a command"
        )
    return Simple(
        assignments=tuple(assignments),
        words=tuple(words),
        redirects=tuple(redirects),
        start=start,
        end=source.pos,
    )


def _takes_arrays(source: Source, first: Word | Assignment) -> bool:
    """Whether an array literal stands here as an argument: only builtins that declare take one, written plainly."""
    return (
        isinstance(first, Word)
        and first.bare in _DECLARING
        and _ARRAY.match(source.text, source.pos) is not None
    )


def _read_ordinary(source: Source, *, first: bool) -> Word | None:
    """A word that can be nothing else, None where a closer look is needed."""
    found = _ORDINARY.match(source.text, source.pos)
    if found is None:
        return None
    text = found.group()
    if first and ("=" in text or "[" in text):
        return None
    source.count()
    word = Word(parts=(Text(text),), start=source.pos, end=found.end())
    source.pos = word.end
    return word


def _read_argument(source: Source, words: list[Word | Assignment]) -> Word | Assignment | None:
    """The next word, or the assignment where one may stand; None at an operator or the end."""
    may_assign = not words or _takes_arrays(source, words[0])
    return (read_assignment(source) if may_assign else None) or read_word(source)


def _function(source: Source, word: Word) -> Function | None:
    """`name ()` and a body, when the parentheses follow the first word."""
    here = source.pos
    source.blanks()
    if source.char == "(":
        source.pos += 1
        source.blanks()
        if source.char == ")":
            source.pos += 1
            return Function(name=word.literal or "", body=read_function_body(source, _GRAMMAR))
    source.pos = here
    return None


_GRAMMAR: Final = Grammar(
    command=read_command, item=_read_item, script=read_script, listed=read_list, redirects=read_redirects
)
_READERS: Final = Readers(script=read_script, body=document_word, parameter=braced_parameter)
