"""Terminal multiplexers: commands that run in a terminal of their own, and keys that are typed there.

Source: tmux 3.3, screen 4.9 manuals.
"""

from __future__ import annotations

from typing import Final

from gateway.facts.shell.effects import Code, Effect, Note, Run, Touch
from gateway.facts.shell.models import Invocation, Model
from gateway.facts.shell.options import Grammar, parse_arguments
from gateway.facts.shell.values import Field

_SHELL_COMMANDS: Final = frozenset(
    {
        "new",
        "new-session",
        "new-window",
        "neww",
        "split-window",
        "splitw",
        "run-shell",
        "run",
        "respawn-pane",
        "respawnp",
        "if-shell",
        "pipe-pane",
        "popup",
        "display-popup",
    }
)


def multiplexer(invocation: Invocation, model: Model) -> list[Effect]:
    """`tmux new-session command`, `screen command`: words of a shell command, in the background."""
    del model
    valued = (
        ["-L", "-S", "-f", "-c", "-n", "-s", "-t", "-x", "-y", "-e", "-F", "-d"]
        if invocation.name == "tmux"
        else ["-S", "-t", "-T", "-e", "-h", "-p", "-s", "-c"]
    )
    boolean = {"-d"} if invocation.name == "tmux" else set()
    arguments = parse_arguments(invocation.argv, Grammar(valued=frozenset(valued) - boolean, stop=True))
    effects: list[Effect] = [Touch(action="execute", path=path) for path in arguments.values("-f")]
    operands = list(arguments.operands)
    if invocation.name == "screen":
        keys = arguments.value("-X")
        if keys is not None or arguments.has("-X"):
            return [*effects, Note(reason="program_option:screen", dimensions=("exec",))]
        return [*effects, Run(argv=tuple(operands), via="screen")] if operands else effects
    if not operands:
        return effects
    name = operands[0].text
    if name in ("send-keys", "send"):
        keys_sent = [
            field
            for field in operands[1:]
            if not field.text.startswith("-") and field.text not in ("Enter", "C-m")
        ]
        return [*effects, *(Code(language="sh", text=field, via="argument") for field in keys_sent)]
    if name in _SHELL_COMMANDS:
        inner = parse_arguments(
            operands[1:],
            Grammar(
                valued=frozenset(
                    ["-c", "-e", "-F", "-l", "-n", "-s", "-t", "-x", "-y", "-w", "-h", "-T", "-b"]
                ),
                stop=True,
            ),
        )
        if inner.operands:
            return [*effects, _typed(inner.operands)]
    return effects


def _typed(words: tuple[Field, ...]) -> Effect:
    """Words joined by blanks as one shell text."""
    return Code(language="sh", text=Field(" ".join(word.text for word in words)), via="shell_c")
