"""Builtins that give variables their values: `declare`, `export`, `local`, `read`, `printf -v`, `mapfile`, `unset`, `getopts`.

Source: Bash Reference Manual 5.2, 4.1 and 4.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from gateway.facts.shell.arrays import Array, array_of
from gateway.facts.shell.context import Call, Outcome
from gateway.facts.shell.environment import assign
from gateway.facts.shell.printing import formatted
from gateway.facts.shell.state import State
from gateway.facts.shell.values import (
    ANYTHING,
    EMPTY,
    NOTHING,
    SOMETHING,
    Field,
    Stream,
    Value,
    limited,
    lines_of,
)

if TYPE_CHECKING:
    from gateway.facts.shell.simple import Runner
    from gateway.facts.shell.walk import Walk

_ASSIGNED: Final = re.compile(
    r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<index>\[[^\]]*\])?(?P<append>\+?)=", re.DOTALL
)
DECLARING: Final = frozenset({"declare", "typeset", "local", "export", "readonly"})
_READ_VALUES: Final = frozenset("adinNptu")


def _declare(runner: Runner, walk: Walk, call: Call) -> Outcome:
    """`declare`, `typeset`, `local`, `export`, `readonly`."""
    state = call.state
    command = call.argv[0].text
    letters: set[str] = set()
    for field in call.argv[1:]:
        text = field.text
        if text.startswith(("-", "+")) and len(text) > 1:
            if text[0] == "-":
                letters |= set(text[1:])
            continue
        if "f" in letters:
            continue
        if runner.scopes and (command == "local" or (command != "export" and "g" not in letters)):
            own = re.split(r"[\[+=]", text, maxsplit=1)[0]
            runner.scopes[-1].setdefault(own, (state.variables.get(own), state.arrays.get(own)))
        _declare_one(runner, walk, call, field, letters)
        name = re.split(r"[\[+=]", text, maxsplit=1)[0]
        if command == "export" or "x" in letters:
            state.exported |= {name}
    return Outcome(NOTHING if len(call.argv) > 1 else SOMETHING, state, state)


def _declare_one(runner: Runner, walk: Walk, call: Call, field: Field, letters: set[str]) -> None:
    state = call.state
    if field.text in call.arrays:
        elements = call.arrays[field.text]
        state.set_array(field.text, Array(associative="A" in letters).extended(elements))
        return
    found = _ASSIGNED.match(field.text)
    if found is None:
        if "\0" in field.text:
            runner.trace.note("dynamic_code")
        elif "A" in letters and field.text.isidentifier():
            state.set_array(field.text, Array(associative=True))
        elif "i" in letters:
            state.integers |= {field.text}
        elif call.argv[0].text == "local" and field.text.isidentifier():
            state.variables.setdefault(field.text, (EMPTY,))
        return
    name, value = found["name"], Field(field.text[found.end() :], field.glob)
    if "n" in letters:
        _refer(state, name, value)
        return
    if "i" in letters:
        state.integers |= {name}
        value = walk.evaluate_text(value, state, call.context)
    if "l" in letters and value.known:
        value = Field(value.text.lower())
    if "u" in letters and value.known:
        value = Field(value.text.upper())
    if found["append"]:
        before = state.get(name)
        value = Field(before[0].text + value.text, value.glob) if len(before) == 1 else Field("\0")
    if found["index"]:
        index = Field(found["index"][1:-1])
        number = walk.evaluate_text(index, state, call.context)
        array = state.array(name)
        state.set_array(name, array.assigned(index if array.associative else number, value))
        return
    state.set(name, (value,))
    assign(runner, walk, call, name, value)


def _refer(state: State, name: str, target: Field) -> None:
    """A name reference: what is read and written through it is another variable."""
    exact = target.exact
    if exact and exact.isidentifier() and exact != name:
        state.references[name] = exact
    else:
        state.set(name, ANYTHING)


def _read(runner: Runner, walk: Walk, call: Call) -> Outcome:
    """`read` takes one line of its input into variables."""
    del runner
    state = call.state
    names, array = _read_names(call)
    for field in names:
        if "[" in field.text:
            walk.evaluate_text(field, state, call.context)
    lines = lines_of(call.stdin)
    if call.stdin.closed:
        lines = (EMPTY,)
    if array is not None:
        state.set_array(array, array_of(_words(lines)))
        return Outcome(NOTHING, state, state)
    plain = [field.text for field in names if field.text.isidentifier()] or ["REPLY"]
    prefixed = call.prefix.get("IFS")
    separators = (prefixed,) if prefixed is not None else state.variables.get("IFS")
    for position, name in enumerate(plain):
        state.set(name, _line_value(lines, position, len(plain), separators))
    return Outcome(NOTHING, state, state)


def _read_names(call: Call) -> tuple[list[Field], str | None]:
    arguments = list(call.argv[1:])
    array: str | None = None
    while arguments and arguments[0].text.startswith("-") and len(arguments[0].text) > 1:
        option = arguments.pop(0).text
        if option == "--":
            break
        letter = next((char for char in option[1:] if char in _READ_VALUES), "")
        if letter and option.endswith(letter) and arguments:
            value = arguments.pop(0)
            array = value.text if letter == "a" else array
    return arguments, array


def _words(lines: tuple[Field, ...] | None) -> list[Field]:
    if lines is None:
        return [Field("\0")]
    return [Field(word, line.glob) for line in lines[:1] for word in line.text.split()]


def _line_value(
    lines: tuple[Field, ...] | None, position: int, count: int, separators: Value | None
) -> Value:
    """The part of a line that one of several names gets: the last one takes the rest."""
    if lines is None or (separators is not None and not all(field.known for field in separators)):
        return ANYTHING
    characters = separators[0].text if separators and len(separators) == 1 else " \t\n"
    found: set[Field] = set()
    for line in lines:
        if count == 1 or not line.known:
            found.add(Field(line.text.strip(" \t") if count == 1 and characters else line.text, line.glob))
            continue
        pieces = re.split(f"[{re.escape(characters)}]+", line.text.strip(characters), maxsplit=count - 1)
        found.add(Field(pieces[position] if position < len(pieces) else ""))
    return limited(found or {EMPTY})


def _printf(runner: Runner, walk: Walk, call: Call) -> Outcome:
    """`printf`, which may put its text into a variable."""
    arguments = list(call.argv[1:])
    name: str | None = None
    if arguments and arguments[0].text == "-v" and len(arguments) > 1:
        walk.evaluate_text(arguments[1], call.state, call.context)
        name = arguments[1].text
        arguments = arguments[2:]
    if arguments and arguments[0].text == "--":
        arguments = arguments[1:]
    text = formatted(arguments)
    del runner
    if name is not None:
        call.state.set(name, (Field(text) if text is not None else Field("\0"),))
        return Outcome(NOTHING, call.state, call.state)
    output = Stream(text=text, sources=call.sources, hosts=call.hosts, shown=call.sources)
    return Outcome(output, call.state, None)


def _mapfile(runner: Runner, walk: Walk, call: Call) -> Outcome:
    del runner, walk
    names = [field.text for field in call.argv[1:] if field.text.isidentifier()]
    name = names[-1] if names else "MAPFILE"
    lines = lines_of(call.stdin)
    call.state.set_array(name, array_of(lines if lines is not None else (Field("\0"),)))
    return Outcome(NOTHING, call.state, call.state)


def _unset(runner: Runner, walk: Walk, call: Call) -> Outcome:
    del runner
    functions = any(field.text == "-f" for field in call.argv[1:])
    for field in call.argv[1:]:
        if field.text.startswith("-"):
            continue
        walk.evaluate_text(field, call.state, call.context)
        if functions:
            call.state.functions.pop(field.text, None)
        elif field.known:
            call.state.arrays.pop(field.text, None)
            call.state.variables[field.text] = (EMPTY,)
    return Outcome(NOTHING, call.state, None)


def _getopts(runner: Runner, walk: Walk, call: Call) -> Outcome:
    del runner, walk
    if len(call.argv) > 2:
        call.state.set(call.argv[2].text, ANYTHING)
    call.state.set("OPTARG", ANYTHING)
    return Outcome(NOTHING, call.state, call.state)


TABLE: Final[dict[str, Callable[[Any, Any, Call], Outcome]]] = {
    "declare": _declare,
    "typeset": _declare,
    "local": _declare,
    "export": _declare,
    "readonly": _declare,
    "read": _read,
    "printf": _printf,
    "mapfile": _mapfile,
    "readarray": _mapfile,
    "unset": _unset,
    "getopts": _getopts,
}
