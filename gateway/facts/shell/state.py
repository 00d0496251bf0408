"""The abstract state of a shell while a script is walked; what a branch changes is joined with what it did not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.facts.shell.arrays import Array
from gateway.facts.shell.tree import Command
from gateway.facts.shell.values import (
    ANYTHING,
    SOMETHING,
    UNKNOWN,
    Field,
    Stream,
    Value,
    either,
    join_values,
)

MAX_DIRECTORIES: Final = 8
MAY_EXPAND_ALIASES: Final = frozenset({"expand_aliases"})
_FIRST: Final = Field("0")
"""The subscript that an array's name alone stands for."""


class State:
    """One shell. `copy` before a branch; `join` after it. A dead state (after `exit`) is None where states are kept.

    `directories` are the possible working directories, None when unknown. A variable that is absent may be set by the
    environment to anything, except those given at the start.
    """

    __slots__ = (
        "aliases",
        "arrays",
        "descriptors",
        "directories",
        "exported",
        "functions",
        "integers",
        "links",
        "options",
        "positional",
        "program",
        "references",
        "stack",
        "stdin",
        "variables",
        "written",
    )

    def __init__(self, directory: str | None, variables: Mapping[str, Value]) -> None:
        self.directories: tuple[str, ...] | None = (directory,) if directory else None
        self.variables: dict[str, Value] = dict(variables)
        self.arrays: dict[str, Array] = {}
        self.functions: dict[str, tuple[Command | None, ...]] = {}
        self.aliases: dict[str, tuple[str | None, ...]] = {}
        """What a name may be defined as; None among it: perhaps it is not."""
        self.positional: tuple[Field, ...] | None = ()
        self.program: Field = Field("bash")
        self.options: frozenset[str] = frozenset()
        self.descriptors: dict[int | str, Stream | str] = {}
        self.stdin: Stream = SOMETHING
        self.stack: tuple[str, ...] = ()
        self.integers: frozenset[str] = frozenset()
        self.written: dict[str, Stream] = {}
        """What this script wrote into files, as far as it is known."""
        self.links: dict[str, str] = {}
        """Links this script made: path to the path it leads to."""
        self.exported: frozenset[str] = frozenset()
        self.references: dict[str, str] = {}
        """Name references (`declare -n`): name to the name it stands for."""

    def copy(self) -> State:
        """A state of its own, as a subshell has."""
        twin = State.__new__(State)
        twin.directories = self.directories
        twin.variables = dict(self.variables)
        twin.arrays = dict(self.arrays)
        twin.functions = dict(self.functions)
        twin.aliases = dict(self.aliases)
        twin.positional = self.positional
        twin.program = self.program
        twin.options = self.options
        twin.descriptors = dict(self.descriptors)
        twin.stdin = self.stdin
        twin.stack = self.stack
        twin.integers = self.integers
        twin.written = dict(self.written)
        twin.links = dict(self.links)
        twin.exported = self.exported
        twin.references = dict(self.references)
        return twin

    def take_files(self, other: State | None) -> None:
        """What a shell of its own left on disk stays when it ends; None for one that did not get there."""
        if other is not None:
            self.written.update(other.written)
            self.links.update(other.links)

    def get(self, name: str) -> Value:
        """What a variable may hold."""
        name = self.references.get(name, name)
        array = self.arrays.get(name)
        if array is not None:
            return array.element(_FIRST)
        return self.variables.get(name, ANYTHING)

    def set(self, name: str, value: Value) -> None:
        """Assign a variable."""
        name = self.references.get(name, name)
        array = self.arrays.pop(name, None)
        if array is not None and len(value) == 1:
            self.arrays[name] = array.assigned(_FIRST, value[0])
            return
        self.variables[name] = value

    def restore(self, name: str, value: Value | None, array: Array | None) -> None:
        """Give a name back what it held before a function declared it as its own."""
        self.variables.pop(name, None)
        self.arrays.pop(name, None)
        if array is not None:
            self.arrays[name] = array
        elif value is not None:
            self.variables[name] = value

    def array(self, name: str) -> Array:
        """A variable as an array: a plain one is the element 0."""
        name = self.references.get(name, name)
        array = self.arrays.get(name)
        if array is not None:
            return array
        value = self.variables.get(name)
        if value is None:
            return Array()
        only = value[0] if len(value) == 1 else UNKNOWN
        return Array(((0, only),), loose=only.unknown)

    def set_array(self, name: str, array: Array) -> None:
        """Assign a whole array."""
        name = self.references.get(name, name)
        self.variables.pop(name, None)
        self.arrays[name] = array

    def move(self, directories: tuple[str, ...] | None) -> None:
        """Change the working directory."""
        before = self.directories
        if directories is not None and len(directories) > MAX_DIRECTORIES:
            directories = None
        self.directories = directories
        self.variables["OLDPWD"] = _paths(before)
        self.variables["PWD"] = _paths(directories)


def _paths(directories: tuple[str, ...] | None) -> Value:
    return tuple(Field(path) for path in directories) if directories else ANYTHING


def join(left: State | None, right: State | None) -> State | None:
    """Either of two states; a dead one adds nothing."""
    if left is None or right is None or left is right:
        return right if left is None else left
    joined = left.copy()
    if left.directories != right.directories:
        joined.directories = (
            None
            if left.directories is None or right.directories is None
            else _few(tuple(dict.fromkeys(left.directories + right.directories)))
        )
    for name in {*left.variables, *right.variables}:
        joined.variables[name] = join_values(_lookup(left, name), _lookup(right, name))
    for name in {*left.arrays, *right.arrays}:
        if left.arrays.get(name) != right.arrays.get(name):
            joined.arrays.pop(name, None)
            joined.variables[name] = ANYTHING
    if left.functions or right.functions:
        joined.functions = _either_definition(left.functions, right.functions)
    if left.aliases or right.aliases:
        joined.aliases = _either_definition(left.aliases, right.aliases)
    if left.positional != right.positional:
        joined.positional = None
    joined.options = left.options & right.options
    if left.options | right.options >= MAY_EXPAND_ALIASES:
        joined.options |= MAY_EXPAND_ALIASES
    joined.written = {**left.written, **right.written}
    for path in left.written.keys() & right.written.keys():
        if left.written[path] != right.written[path]:
            joined.written[path] = either(left.written[path], right.written[path])
    joined.links = {**left.links, **right.links}
    joined.references = {**left.references, **right.references}
    joined.exported = left.exported | right.exported
    if left.stdin != right.stdin:
        joined.stdin = SOMETHING
    return joined


def _either_definition(
    left: Mapping[str, tuple[Any, ...]], right: Mapping[str, tuple[Any, ...]]
) -> dict[str, tuple[Any, ...]]:
    """Names as either branch defines them; a branch that does not adds that reading."""
    found: dict[str, tuple[Any, ...]] = {}
    for name in {*left, *right}:
        mine, yours = left.get(name, (None,)), right.get(name, (None,))
        found[name] = (*mine, *(one for one in yours if not any(one is known for known in mine)))
    return found


def _lookup(state: State, name: str) -> Value:
    """A variable in one branch; one that the other branch alone knows may be unset here or come from outside."""
    if name in state.variables:
        return state.variables[name]
    return ANYTHING


def _few(directories: tuple[str, ...]) -> tuple[str, ...] | None:
    return directories if len(directories) <= MAX_DIRECTORIES else None


def settled(before: State, after: State) -> bool:
    """Whether a second pass through a loop could see nothing new."""
    return (
        before.directories == after.directories
        and before.variables == after.variables
        and before.arrays == after.arrays
        and before.functions.keys() == after.functions.keys()
    )


def widen(before: State, after: State) -> State:
    """The state of a loop that goes on: whatever still changes may be anything."""
    widened = after.copy()
    if before.directories != after.directories:
        widened.directories = None
    for name, value in after.variables.items():
        if before.variables.get(name) != value:
            widened.variables[name] = ANYTHING
    for name in list(after.arrays):
        if before.arrays.get(name) != after.arrays[name]:
            del widened.arrays[name]
            widened.variables[name] = ANYTHING
    return widened
