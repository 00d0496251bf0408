"""What the expansion of a command's words asks of the walk it belongs to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec import structs

from gateway.facts.shell import arithmetic
from gateway.facts.shell.context import Context
from gateway.facts.shell.state import State
from gateway.facts.shell.tree import (
    CommandSubstitution,
    ProcessSubstitution,
    Redirect,
    Script,
    Simple,
)
from gateway.facts.shell.values import (
    SOMETHING,
    Field,
    Stream,
)

if TYPE_CHECKING:
    from gateway.facts.shell.walk import Walk


class Around:
    """What an expansion asks of the walk it belongs to."""

    def __init__(self, walk: Walk, state: State, context: Context) -> None:
        self._walk = walk
        self._state = state
        self._context = context

    def substitute(self, part: CommandSubstitution) -> Stream:
        """Run a command substitution in a shell of its own."""
        if part.problem:
            self._walk.trace.note("syntax")
        read = _file_read(part.script)
        if read is not None:
            return self._walk.redirect((read,), self._state.copy(), self._context).stdin or SOMETHING
        run = partial(self._walk.script, part.script)
        return self._walk.apart(run, self._state, structs.replace(self._context, via="subst")).output

    def process(self, part: ProcessSubstitution) -> str:
        """Run a process substitution; the path that stands for it."""
        output = self._walk.apart(
            partial(self._walk.script, part.script),
            self._state,
            structs.replace(self._context, via="procsub"),
            stdin=SOMETHING if part.direction == ">" else None,
        ).output
        return self._walk.process_path(output if part.direction == "<" else SOMETHING)

    def evaluate(self, expression: Field) -> Field:
        """Evaluate arithmetic; commands hidden in it run."""
        for text in arithmetic.hidden_code(expression, self._state):
            self._walk.runner.expand_text(self._walk, text, self._state, self._context)
        value = arithmetic.evaluate(expression, self._state)
        arithmetic.assign(expression, self._state)
        return value

    def prompt(self, text: Field) -> None:
        """Expand a text as a prompt."""
        if text.known:
            self._walk.runner.expand_text(self._walk, text.text, self._state, self._context)
        else:
            self._walk.trace.note("param_transform")

    def note(self, reason: str) -> None:
        """A reason code."""
        self._walk.trace.note(reason)


def _file_read(script: Script) -> Redirect | None:
    """The redirection of `$(<file)`, which stands for the file's content."""
    if len(script.items) != 1 or len(script.items[0].command.pipelines) != 1:
        return None
    commands = script.items[0].command.pipelines[0].commands
    if len(commands) != 1:
        return None
    only = commands[0]
    if type(only) is Simple and not only.words and not only.assignments and len(only.redirects) == 1:
        redirect_only = only.redirects[0]
        return redirect_only if redirect_only.operator == "<" else None
    return None
