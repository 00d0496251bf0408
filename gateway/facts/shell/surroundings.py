"""What the expansion of words needs of the walk it is part of, so that neither imports the other."""

from __future__ import annotations

from typing import Protocol

from gateway.facts.shell.tree import CommandSubstitution, ProcessSubstitution
from gateway.facts.shell.values import Field, Stream


class Surroundings(Protocol):
    """What expansion needs of the walk: running substitutions, evaluating arithmetic, noting what could not be told."""

    def substitute(self, part: CommandSubstitution) -> Stream:
        """What a command substitution prints."""
        ...

    def process(self, part: ProcessSubstitution) -> str:
        """The path that stands for a process substitution."""
        ...

    def evaluate(self, expression: Field) -> Field:
        """The value of an arithmetic expression; code hidden in it is walked."""
        ...

    def prompt(self, text: Field) -> None:
        """`${x@P}`: the text is expanded as a prompt, which runs commands in it."""
        ...

    def note(self, reason: str) -> None:
        """A reason code."""
        ...
