"""The syntax tree of a shell script: what bash 5.2 accepts, with words kept as typed parts.

Source: Bash Reference Manual 5.2, chapter 3 (Basic Shell Features). Nothing is expanded here; `start` and `end` are
offsets into the text that was parsed, which for a here-document or backquotes is the text after its own unescaping.
"""

from __future__ import annotations

from typing import Union

from msgspec import Struct


class Text(Struct, frozen=True, gc=False):
    """Characters as they stand. Unquoted ones may still be globs, braces or tildes; quoted ones are only themselves."""

    value: str
    quoted: bool = False


class Parameter(Struct, frozen=True, gc=False):
    """`$name` or `${…}`.

    `operator` is "" or what follows the name (`:-`, `#`, `//`, `@`, `:` for a substring, …); `argument` is what the
    operator takes, `second` the replacement of `/` or the length of `:`. `length` is `${#name}`, `indirect` `${!name}`.
    """

    name: str
    quoted: bool = False
    operator: str = ""
    argument: Word | None = None
    second: Word | None = None
    index: Word | None = None
    length: bool = False
    indirect: bool = False


class CommandSubstitution(Struct, frozen=True, gc=False):
    """`$(…)`, backquotes, or `${ …; }`.

    `problem` says why the text in backquotes is no script: bash reads it only when it expands it, so that the rest of the
    script stands.
    """

    script: Script
    quoted: bool = False
    problem: str = ""


class ProcessSubstitution(Struct, frozen=True, gc=False):
    """`<(…)` (`direction` "<", its output is read) or `>(…)`."""

    direction: str
    script: Script


class Arithmetic(Struct, frozen=True, gc=False):
    """`$((…))` or `$[…]`; the expression is a word whose expansions run before it is evaluated."""

    expression: Word
    quoted: bool = False


class ExtendedGlob(Struct, frozen=True, gc=False):
    """`?(…)`, `*(…)`, `+(…)`, `@(…)` or `!(…)` with its alternatives."""

    operator: str
    alternatives: tuple[Word, ...]


Part = Union[  # noqa: UP007  # msgspec structs name Word before it exists
    Text, Parameter, CommandSubstitution, ProcessSubstitution, Arithmetic, ExtendedGlob
]


class Word(Struct, frozen=True, gc=False):
    """One word: its parts in order. An empty quoted word has one empty quoted Text."""

    parts: tuple[Part, ...]
    start: int = 0
    end: int = 0

    @property
    def literal(self) -> str | None:
        """The word's text when nothing in it is expanded, quotes removed, else None."""
        pieces: list[str] = []
        for part in self.parts:
            if type(part) is not Text:
                return None
            pieces.append(part.value)
        return "".join(pieces)

    @property
    def bare(self) -> str:
        """The word's text when it is plain unquoted text, else "": only such a word can be a reserved word."""
        if len(self.parts) == 1:
            part = self.parts[0]
            if type(part) is Text and not part.quoted:
                return part.value
        return ""


class Element(Struct, frozen=True, gc=False):
    """One element of an array literal, `[key]=value` or `value`."""

    value: Word
    key: Word | None = None


class Assignment(Struct, frozen=True, gc=False):
    """`name=value`, `name[index]+=value` or `name=(elements)`."""

    name: str
    value: Word | None
    elements: tuple[Element, ...] | None = None
    index: Word | None = None
    append: bool = False


class HereDocument(Struct, frozen=True, gc=False):
    """The body of `<<`; `literal` when the delimiter was quoted, so that nothing in it is expanded.

    `problem` says what cannot be expanded in it, which bash finds out only when the document is used.
    """

    body: Word
    literal: bool
    terminated: bool = True
    problem: str = ""


class Redirect(Struct, gc=False):
    """One redirection. `descriptor` is a number, a variable's name (`{name}>`) or None for the operator's own.

    Not frozen: the lines of a here-document come after the command that asks for them.
    """

    operator: str
    target: Word | None
    descriptor: int | str | None = None
    document: HereDocument | None = None


class Simple(Struct, frozen=True, gc=False):
    """A simple command. `words` may contain Assignments after the first word (`declare a=(1)`)."""

    assignments: tuple[Assignment, ...]
    words: tuple[Word | Assignment, ...]
    redirects: tuple[Redirect, ...] = ()
    start: int = 0
    end: int = 0


class Pipeline(Struct, frozen=True, gc=False):
    """Commands joined by `|` or `|&`."""

    commands: tuple[Command, ...]
    negated: bool = False
    timed: bool = False


class AndOr(Struct, frozen=True, gc=False):
    """Pipelines joined by `&&` and `||`; `operators[i]` stands before `pipelines[i + 1]`."""

    pipelines: tuple[Pipeline, ...]
    operators: tuple[str, ...] = ()


class Item(Struct, frozen=True, gc=False):
    """One list entry; `background` when `&` ends it. `end` is where the next entry begins."""

    command: AndOr
    background: bool = False
    start: int = 0
    end: int = 0


class Script(Struct, frozen=True, gc=False):
    """A list of entries: a whole script or the body of a compound command."""

    items: tuple[Item, ...]


class Subshell(Struct, frozen=True, gc=False):
    """`( … )`."""

    body: Script
    redirects: tuple[Redirect, ...] = ()


class Group(Struct, frozen=True, gc=False):
    """`{ …; }`."""

    body: Script
    redirects: tuple[Redirect, ...] = ()


class If(Struct, frozen=True, gc=False):
    """`if`: pairs of condition and body, and what `else` holds."""

    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script | None = None
    redirects: tuple[Redirect, ...] = ()


class While(Struct, frozen=True, gc=False):
    """`while`, or `until`."""

    condition: Script
    body: Script
    until: bool = False
    redirects: tuple[Redirect, ...] = ()


class For(Struct, frozen=True, gc=False):
    """`for name in words` or `select`; `words` is None without `in`, which means the positional parameters."""

    name: str
    words: tuple[Word, ...] | None
    body: Script
    select: bool = False
    redirects: tuple[Redirect, ...] = ()


class ArithmeticFor(Struct, frozen=True, gc=False):
    """`for ((…; …; …))`."""

    expressions: tuple[Word, ...]
    body: Script
    redirects: tuple[Redirect, ...] = ()


class CaseItem(Struct, frozen=True, gc=False):
    """One clause of `case`; `terminator` is `;;`, `;&` or `;;&`."""

    patterns: tuple[Word, ...]
    body: Script
    terminator: str = ";;"


class Case(Struct, frozen=True, gc=False):
    """`case word in … esac`."""

    subject: Word
    items: tuple[CaseItem, ...]
    redirects: tuple[Redirect, ...] = ()


class Function(Struct, frozen=True, gc=False):
    """A function's definition; its redirections belong to every call."""

    name: str
    body: Command


class Coprocess(Struct, frozen=True, gc=False):
    """`coproc [name] command`."""

    name: str
    body: Command


class ArithmeticCommand(Struct, frozen=True, gc=False):
    """`((…))`."""

    expression: Word
    redirects: tuple[Redirect, ...] = ()


class Condition(Struct, frozen=True, gc=False):
    """`[[ … ]]`: its operands in order. `arithmetic` marks operands of `-eq` and its like, which are evaluated."""

    operands: tuple[Word, ...]
    operators: tuple[str, ...]
    arithmetic: tuple[Word, ...] = ()
    redirects: tuple[Redirect, ...] = ()


Command = Union[  # noqa: UP007  # likewise
    Simple,
    Subshell,
    Group,
    If,
    While,
    For,
    ArithmeticFor,
    Case,
    Function,
    Coprocess,
    ArithmeticCommand,
    Condition,
]
EMPTY_WORD = Word(parts=())
