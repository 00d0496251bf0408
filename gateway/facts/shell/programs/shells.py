"""Shells and `echo`.

Source: Bash Reference Manual 5.2, 6.1 (Invoking Bash); dash(1), zsh(1), ksh(1).
"""

from __future__ import annotations

from typing import Final

from gateway.facts.shell.effects import Code, Effect, Note, Output, Touch
from gateway.facts.shell.models import Invocation, Model
from gateway.facts.shell.printing import echoed
from gateway.facts.shell.values import Field

_VALUED: Final = frozenset({"--rcfile", "--init-file"})
_READS_ENV: Final = frozenset({"sh", "dash", "ash", "ksh", "mksh"})
"""Shells that run the file which `ENV` names; elsewhere the variable means what the project says."""


def shell(invocation: Invocation, model: Model) -> list[Effect]:
    """`sh [options] [-c text | file | -s] [arguments]`."""
    del model
    arguments = list(invocation.argv)
    effects: list[Effect] = []
    startup = invocation.prefix.get("ENV") if invocation.name in _READS_ENV else None
    if startup is not None and startup.text:
        effects.extend((Touch(action="read", path=startup), Touch(action="execute", path=startup)))
    code = reads_input = False
    while arguments:
        text = arguments[0].text
        if text in ("--", "-"):
            arguments.pop(0)
            break
        if len(text) < 2 or text[0] not in "-+":
            break
        arguments.pop(0)
        if text in _VALUED and arguments:
            startup_file = arguments.pop(0)
            effects.extend(
                (Touch(action="read", path=startup_file), Touch(action="execute", path=startup_file))
            )
        elif text.startswith("--"):
            continue
        else:
            code = code or (text[0] == "-" and "c" in text)
            reads_input = reads_input or "s" in text
            if text[-1] in "oO" and arguments:
                arguments.pop(0)
    if code:
        if not arguments:
            return effects
        program = arguments[1] if len(arguments) > 1 else Field(invocation.name)
        inner = Code(
            language="sh", text=arguments[0], via="shell_c", program=program, arguments=tuple(arguments[2:])
        )
        return [*effects, inner]
    if reads_input or not arguments:
        return [*effects, Code(language="sh", text=None, via="stdin", arguments=tuple(arguments))]
    return [*effects, *run_file(arguments[0], tuple(arguments[1:]))]


def run_file(path: Field, arguments: tuple[Field, ...]) -> list[Effect]:
    """A script file given to an interpreter: read, and run."""
    return [
        Touch(action="read", path=path),
        Code(language="file", text=path, via="script", program=path, arguments=arguments),
    ]


def echo(invocation: Invocation, model: Model) -> list[Effect]:
    """`echo`: its output is known when its arguments are."""
    del model
    text = echoed(invocation.argv)
    if text is None and len(invocation.argv) == 1:
        return [Output(names=(invocation.argv[0],), shows=True)]
    return [Output(text=text, shows=True)]


def unresolved(reason: str) -> Effect:
    """A reason alone."""
    return Note(reason=reason)
