"""`find`: an expression language that lists, deletes, writes and runs.

Source: GNU findutils 4.9 manual; POSIX find.
"""

from __future__ import annotations

from typing import Final

from gateway.facts.shell.effects import Effect, Output, Run, Touch
from gateway.facts.shell.models import Invocation, Model
from gateway.facts.shell.values import Field

_VALUED: Final = frozenset(
    [
        "-amin",
        "-anewer",
        "-atime",
        "-cmin",
        "-cnewer",
        "-context",
        "-ctime",
        "-fstype",
        "-gid",
        "-group",
        "-ilname",
        "-iname",
        "-inum",
        "-ipath",
        "-iregex",
        "-iwholename",
        "-links",
        "-lname",
        "-maxdepth",
        "-mindepth",
        "-mmin",
        "-mtime",
        "-name",
        "-newer",
        "-newermt",
        "-path",
        "-perm",
        "-printf",
        "-regex",
        "-regextype",
        "-samefile",
        "-size",
        "-type",
        "-uid",
        "-used",
        "-user",
        "-wholename",
        "-xtype",
    ]
)
_RUNS: Final = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_WRITES: Final = frozenset({"-fprint", "-fprint0", "-fls"})
_READS: Final = frozenset({"-newer", "-anewer", "-cnewer", "-samefile", "-files0-from"})


def find(invocation: Invocation, model: Model) -> list[Effect]:
    """`find [-HLPD] paths… expression`."""
    del model
    argv = list(invocation.argv)
    position = 0
    while position < len(argv) and argv[position].text in ("-H", "-L", "-P"):
        position += 1
    starts: list[Field] = []
    while position < len(argv) and not argv[position].text.startswith(("-", "(", "!")):
        starts.append(argv[position])
        position += 1
    starts = starts or [Field(".")]
    effects: list[Effect] = []
    names: list[Field] = []
    actions: list[Effect] = []
    while position < len(argv):
        name = argv[position].text
        position += 1
        if name in _RUNS:
            end = next(
                (
                    at
                    for at in range(position, len(argv))
                    if argv[at].text == ";" or (argv[at].text == "+" and argv[at - 1].text == "{}")
                ),
                len(argv),
            )
            actions.append(_run(argv[position:end], starts, names, directory=name.endswith("dir")))
            position = end + 1
        elif name == "-delete":
            if any(field.text == "-empty" for field in argv[:position]):
                names = names or [
                    Field("*", glob=True)
                ]  # what holds something stays, the starting point with it
            actions.extend(Touch(action="delete", path=path) for path in below(starts, names))
        elif name in _WRITES or name == "-fprintf":
            effects.extend(Touch(action="write", path=path) for path in argv[position : position + 1])
            position += 2 if name == "-fprintf" else 1
        elif name in _VALUED:
            value = argv[position : position + 1]
            position += 1
            if name in ("-name", "-iname") and value:
                names.append(value[0])
            elif name in _READS:
                effects.extend(Touch(action="list", path=path) for path in value)
    effects.extend(Touch(action="list", path=start, tree=True) for start in starts)
    return [*effects, *actions, Output(names=tuple(below(starts, names)))]


def below(starts: list[Field], names: list[Field]) -> list[Field]:
    """What a search can find: below its starting points, by name where one is asked for."""
    found: list[Field] = []
    for start in starts:
        base = start.text.rstrip("/") or ("/" if start.text else "")
        if len(names) == 1:
            found.append(Field(f"{base}/**/{names[0].text}", glob=True))
        else:
            found.append(Field(f"{base}/**", glob=True))
    return found


def _run(argv: list[Field], starts: list[Field], names: list[Field], *, directory: bool) -> Effect:
    return Run(
        argv=tuple(argv),
        via="find_exec",
        placeholder="{}",
        names=tuple(below(starts, names)),
        directory=starts[0] if directory and len(starts) == 1 else None,
    )
