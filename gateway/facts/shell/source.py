"""A position in shell text, the here-documents that wait for their lines, and the limits of one parse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from gateway.facts.shell.tree import HereDocument, Part, Redirect, Script, Text, Word

MAX_DEPTH: Final = 100
MAX_NODES: Final = 25_000
"""Limits of one text (shell-facts 2, measured: what agents send stays below a tenth of both)."""


class ShellSyntaxError(Exception):
    """The text is no bash script from `position` on; `message` says why."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class ShellLimit(Exception):
    """The text is valid so far and too large to go on with; `code` is `too_deep` or `too_many_nodes`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Readers(Struct, frozen=True):
    """What a source hands over to other rooms of the parser: a list up to a token, a document's body, `${…}`."""

    script: Callable[[Source, str], Script]
    body: Callable[[Source, str], tuple[Word, str]]
    parameter: Callable[[Source, bool], Part]


class Source:
    """The text under the reader."""

    __slots__ = ("depth", "joins", "length", "nodes", "not_arithmetic", "pending", "pos", "readers", "text")

    def __init__(self, text: str, readers: Readers, *, depth: int = 0, nodes: int = 0) -> None:
        self.text = text
        self.length = len(text)
        self.joins = "\\\n" in text
        """Whether lines are joined anywhere in the text, which then may happen inside of an operator."""
        self.pos = 0
        self.readers = readers
        self.depth = depth
        self.nodes = nodes
        self.pending: list[tuple[Redirect, str, bool]] = []
        self.not_arithmetic: set[int] = set()
        """Where `((` turned out to open two subshells, so that going back over it stays linear."""

    @property
    def char(self) -> str:
        """The character at the position, "" at the end."""
        return self.text[self.pos] if self.pos < self.length else ""

    def enter(self) -> None:
        """One construct deeper. Raises `ShellLimit`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ShellLimit("too_deep")

    def leave(self) -> None:
        """Out of the construct."""
        self.depth -= 1

    def count(self) -> None:
        """One node more. Raises `ShellLimit`."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ShellLimit("too_many_nodes")

    def fail(self, message: str) -> ShellSyntaxError:
        """The error at this position."""
        return ShellSyntaxError(message, self.pos)

    def join_lines(self) -> None:
        """Skip backslash-newline pairs, which are not there for the reader of a token."""
        while self.text.startswith("\\\n", self.pos):
            self.pos += 2

    def blanks(self) -> None:
        """Skip blanks, joined lines and a comment; a newline stays."""
        text, length, pos = self.text, self.length, self.pos
        while pos < length:
            char = text[pos]
            if char in " \t":
                pos += 1
            elif char == "\\" and text.startswith("\\\n", pos):
                pos += 2
            elif char == "#":
                # A comment begins where a token could: the readers of words consume `#` inside of them.
                end = text.find("\n", pos)
                pos = length if end < 0 else end
            else:
                break
        self.pos = pos

    def newlines(self) -> None:
        """Skip blanks, comments and newlines; here-documents that begin after a newline are read."""
        self.blanks()
        while self.pos < self.length and self.text[self.pos] == "\n":
            self.newline()
            self.blanks()

    def newline(self) -> None:
        """Consume one newline and the here-documents that the line asked for."""
        self.pos += 1
        if self.pending:
            waiting, self.pending = self.pending, []
            for redirect, delimiter, literal in waiting:
                self._read_document(redirect, delimiter, literal=literal)

    def end_documents(self) -> None:
        """Documents still waiting when their text or substitution ends are empty."""
        for redirect, _delimiter, literal in self.pending:
            redirect.document = HereDocument(body=Word(parts=()), literal=literal, terminated=False)
        self.pending = []

    def operator(self, *candidates: str) -> str:
        """The first of `candidates` (longest first) that stands here, joined lines within it allowed; it is consumed."""
        if not self.joins:
            if self.text.startswith(candidates, self.pos):
                for candidate in candidates:
                    if self.text.startswith(candidate, self.pos):
                        self.pos += len(candidate)
                        return candidate
            return ""
        for candidate in candidates:
            end = self._match(candidate)
            if end:
                self.pos = end
                return candidate
        return ""

    def at(self, *candidates: str) -> str:
        """As `operator`, without consuming."""
        here = self.pos
        found = self.operator(*candidates)
        self.pos = here
        return found

    def _match(self, candidate: str) -> int:
        text, pos = self.text, self.pos
        if text.startswith(candidate, pos):
            return pos + len(candidate)
        if "\\\n" not in text[pos : pos + 3 * len(candidate)]:
            return 0
        for char in candidate:
            while text.startswith("\\\n", pos):
                pos += 2
            if pos >= self.length or text[pos] != char:
                return 0
            pos += 1
        return pos

    def _read_document(self, redirect: Redirect, delimiter: str, *, literal: bool) -> None:
        strip = redirect.operator == "<<-"
        lines: list[str] = []
        terminated = False
        while self.pos < self.length:
            end = self.text.find("\n", self.pos)
            line = self.text[self.pos :] if end < 0 else self.text[self.pos : end]
            self.pos = self.length if end < 0 else end + 1
            # An unquoted body joins lines before the delimiter is looked for.
            while not literal and _continues(line) and self.pos < self.length:
                end = self.text.find("\n", self.pos)
                more = self.text[self.pos :] if end < 0 else self.text[self.pos : end]
                self.pos = self.length if end < 0 else end + 1
                line = line[:-1] + more
            if strip:
                line = line.lstrip("\t")
            if line == delimiter:
                terminated = True
                break
            lines.append(line)
        text = "".join(f"{line}\n" for line in lines)
        body, problem = (
            (Word(parts=(Text(text, quoted=True),)), "") if literal else self.readers.body(self, text)
        )
        redirect.document = HereDocument(body=body, literal=literal, terminated=terminated, problem=problem)


def _continues(line: str) -> bool:
    """Whether a line ends in a backslash that is not itself escaped."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1
