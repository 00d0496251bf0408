"""Programs that run another command with a changed environment or with arguments from their input: `env`, `xargs`.

Source: GNU coreutils 9 manual (env), GNU findutils 4.9 manual (xargs), POSIX.
"""

from __future__ import annotations

import re
import shlex
from typing import Final

from gateway.facts.shell.effects import Assign, Code, Credential, Effect, Note, Run, Touch
from gateway.facts.shell.models import Invocation, Model
from gateway.facts.shell.options import Grammar, parse_arguments
from gateway.facts.shell.values import Field

_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_XARGS: Final = Grammar(
    valued=frozenset(
        (
            "-a",
            "--arg-file",
            "-d",
            "--delimiter",
            "-E",
            "-I",
            "-L",
            "-n",
            "--max-args",
            "-P",
            "--max-procs",
            "-s",
            "--max-chars",
        )
    ),
    optional=frozenset({"-e", "--eof", "-i", "--replace", "-l", "--max-lines"}),
    stop=True,
)


def env(invocation: Invocation, model: Model) -> list[Effect]:
    """`env [options] [name=value…] [command]`; without a command it prints the environment."""
    del model
    arguments = list(invocation.argv)
    directory: Field | None = None
    while arguments:
        text = arguments[0].text
        if text == "--":
            arguments.pop(0)
            break
        if not text.startswith("-") or text == "-":
            if text == "-":
                arguments.pop(0)
                continue
            break
        arguments.pop(0)
        name, separator, attached = text.partition("=")
        split = text.startswith("-S") or name == "--split-string"
        if split:
            short = not text.startswith("--")
            value = (text[2:] or None) if short else attached if separator else None
            field = Field(value) if value is not None else arguments.pop(0) if arguments else Field("")
            if not field.known:
                return [Note(reason="dynamic_command")]
            arguments[:0] = [Field(word) for word in _split(field.text)]
        # `-P` is BSD's: where to look for the command.
        elif (
            name in ("-u", "--unset", "-C", "--chdir", "-P") and not separator and len(text) in (2, len(name))
        ):
            taken = arguments.pop(0) if arguments else None
            directory = taken if name in ("-C", "--chdir") else directory
        elif name == "--chdir" and separator:
            directory = Field(attached)
    effects: list[Effect] = []
    while arguments and _ASSIGNMENT.match(arguments[0].text):
        name, _, text = arguments[0].text.partition("=")
        effects.append(Assign(name=name, value=Field(text, arguments.pop(0).glob)))
    if not arguments:
        return [*effects, Credential(store="env", all=True)]
    return [*effects, Run(argv=tuple(arguments), via="env", directory=directory)]


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def xargs(invocation: Invocation, model: Model) -> list[Effect]:
    """`xargs [options] command [first arguments]`: the rest comes from standard input or a file."""
    del model
    arguments = parse_arguments(invocation.argv, _XARGS)
    placeholder = arguments.value("-I", "-i", "--replace")
    replaces = arguments.has("-I", "-i", "--replace")
    command = arguments.operands or (Field("echo"),)
    number = arguments.value("-n", "--max-args", "-L", "--max-lines", "-l")
    exact = number.exact if number is not None else None
    listed = arguments.values("-a", "--arg-file")
    return [
        *(Touch(action="read", path=path) for path in listed if path.text != "-"),
        Run(
            argv=command,
            via="xargs",
            from_input=True,
            input=arguments.value("-a", "--arg-file"),
            placeholder=(placeholder.text if placeholder is not None else "{}") if replaces else "",
            batch=int(exact[:6]) if exact and exact.isdecimal() else 0,
        ),
    ]


def shell_text(field: Field, via: str) -> Effect:
    """A text that a program hands to a shell."""
    return Code(language="sh", text=field, via=via)
