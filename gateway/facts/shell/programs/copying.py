"""`cp`, `mv`, `install`, `ln`, `tee`, `dd`: content that goes from one path to another.

Source: GNU coreutils 9 manual.
"""

from __future__ import annotations

from typing import Final

from gateway.facts.shell.effects import Copy, Effect, Link, Output, Touch
from gateway.facts.shell.models import Invocation, Model
from gateway.facts.shell.options import Arguments, Grammar, all_names, parse_arguments
from gateway.facts.shell.values import HOLE, Field, escape_glob

_DIRECTORY: Final = ("-t", "--target-directory")


def copy(invocation: Invocation, model: Model) -> list[Effect]:
    """`cp` and `install`: sources are read, the target is written; with `-l` or `-s` it leads to the source."""
    arguments = _parsed(invocation, model)
    if invocation.name == "install" and arguments.has("-d", "--directory"):
        return [Touch(action="write", path=path) for path in arguments.operands]
    tree = arguments.has("-r", "-R", "-a", "--recursive", "--archive")
    linked = invocation.name == "cp" and arguments.has("-l", "-s", "--link", "--symbolic-link")
    effects: list[Effect] = []
    for source, target in _pairs(arguments):
        effects.append(Touch(action="read", path=source, tree=tree))
        effects.append(Touch(action="write", path=target, tree=tree))
        effects.append(Link(target=source, name=target) if linked else Copy(source=source, target=target))
    return effects


def move(invocation: Invocation, model: Model) -> list[Effect]:
    """`mv`: sources disappear, the target is written."""
    effects: list[Effect] = []
    for source, target in _pairs(_parsed(invocation, model)):
        effects.extend(
            (
                Touch(action="delete", path=source),
                Touch(action="write", path=target),
                Copy(source=source, target=target),
            )
        )
    return effects


def link(invocation: Invocation, model: Model) -> list[Effect]:
    """`ln`: the new name leads to the target from now on."""
    effects: list[Effect] = []
    arguments = _parsed(invocation, model)
    for target, name in _pairs(arguments, alone=True):
        effects.extend((Touch(action="write", path=name), Link(target=target, name=name)))
    return effects


def tee(invocation: Invocation, model: Model) -> list[Effect]:
    """`tee` writes its input to files and passes it on."""
    arguments = _parsed(invocation, model)
    effects: list[Effect] = []
    for path in arguments.operands:
        effects.extend((Touch(action="write", path=path), Copy(source=Field("-"), target=path)))
    return [*effects, Output(copies=True)]


def dd(invocation: Invocation, model: Model) -> list[Effect]:
    """`dd if=… of=…`."""
    del model
    values = {
        name: Field(rest, field.glob)
        for field in invocation.argv
        for name, _, rest in [field.text.partition("=")]
    }
    effects: list[Effect] = []
    source, target = values.get("if"), values.get("of")
    if source is not None:
        effects.append(Touch(action="read", path=source))
    if target is None:
        return [*effects, Output(copies=True)]
    effects.extend((Touch(action="write", path=target), Copy(source=source or Field("-"), target=target)))
    return [*effects, Output(text="")]


def _parsed(invocation: Invocation, model: Model) -> Arguments:
    return parse_arguments(
        invocation.argv,
        Grammar(
            valued=all_names(model.options),
            optional=frozenset({"--backup", "--preserve", "--sparse", "--reflink"}),
        ),
    )


def _pairs(arguments: Arguments, *, alone: bool = False) -> list[tuple[Field, Field]]:
    """Each source with the path it ends up at: the target itself, or its name within a target directory.

    Whether an existing path is a directory is not in the text, so both are possible for a plain target.
    """
    operands = list(arguments.operands)
    directory = arguments.value(*_DIRECTORY)
    if directory is None and len(operands) == 1 and alone:
        return [(operands[0], Field(_name(operands[0])))]
    if directory is None:
        if len(operands) < 2:
            return []
        target = operands.pop()
        if len(operands) == 1 and not target.text.endswith("/") and target.text not in (".", ".."):
            return [(operands[0], target)]
        directory = target
    return [(source, _below(directory, source)) for source in operands]


def _below(directory: Field, source: Field) -> Field:
    name = _name(source)
    base = directory.text.rstrip("/") or ("/" if directory.text.startswith("/") else ".")
    if directory.glob or not source.glob:
        return Field(f"{base}/{name}", directory.glob)
    return Field(f"{escape_glob(base)}/{name}", glob=True)


def _name(field: Field) -> str:
    name = field.text.rstrip("/").rpartition("/")[2]
    return name if name not in ("", ".", "..") else HOLE
