"""`cd`, `pushd`, `popd`: where the shell stands. A `cd` may fail, and then it stands where it was.

Source: Bash Reference Manual 5.2, 4.1 and 6.8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from gateway.facts.shell.context import Call, Outcome
from gateway.facts.shell.places import resolve
from gateway.facts.shell.state import State
from gateway.facts.shell.values import NOTHING, SOMETHING, Field, Stream

if TYPE_CHECKING:
    from gateway.facts.shell.simple import Runner
    from gateway.facts.shell.walk import Walk


def _cd(runner: Runner, walk: Walk, call: Call) -> Outcome:
    del walk
    target = next((field for field in call.argv[1:] if not _is_option(field)), None)
    return _move(runner, call, target if target is not None else _variable(call.state, "HOME"))


def _is_option(field: Field) -> bool:
    return field.text in ("-P", "-L", "-e", "-@", "--", "-Pe", "-LP", "-PL")


def _variable(state: State, name: str) -> Field:
    value = state.get(name)
    return value[0] if len(value) == 1 else Field("\0")


def _move(runner: Runner, call: Call, target: Field) -> Outcome:
    state = call.state
    if target.text == "-":
        target = _variable(state, "OLDPWD")
    failed = state.copy()
    places = resolve(target, state.directories, state.links)
    if places is None or not target.known:
        if target.text:
            runner.trace.note("unknown_cwd")
        if places is None or target.glob:
            state.move(None)
            return Outcome(NOTHING, state, failed)
    if "CDPATH" in state.variables and not target.text.startswith(("/", "./", "../", "~")):
        runner.trace.note("unknown_cwd")
        state.move(None)
        return Outcome(NOTHING, state, failed)
    state.move(tuple(dict.fromkeys(place.path.removesuffix("/**") or "/" for place in places)))
    return Outcome(NOTHING, state, failed)


def _pushd(runner: Runner, walk: Walk, call: Call) -> Outcome:
    del walk
    state = call.state
    target = next((field for field in call.argv[1:] if field.text != "-n"), None)
    here = state.directories[0] if state.directories else "\0"
    if target is None or target.text.startswith(("+", "-")):
        if not state.stack:
            return Outcome(SOMETHING, state, state)
        target = Field(state.stack[-1])
        state.stack = (*state.stack[:-1], here)
        return _move(runner, call, target)
    state.stack = (*state.stack, here)
    return _move(runner, call, target)


def _popd(runner: Runner, walk: Walk, call: Call) -> Outcome:
    del walk
    state = call.state
    if not state.stack:
        return Outcome(NOTHING, state, state)
    target = Field(state.stack[-1])
    state.stack = state.stack[:-1]
    return _move(runner, call, target)


def _pwd(runner: Runner, walk: Walk, call: Call) -> Outcome:
    del runner, walk
    directories = call.state.directories
    if directories and len(directories) == 1:
        return Outcome(Stream(text=f"{directories[0]}\n"), call.state, None)
    names = tuple(Field(path) for path in directories) if directories else None
    return Outcome(Stream(names=names), call.state, None)


TABLE: Final[dict[str, Callable[[Any, Any, Call], Outcome]]] = {
    "cd": _cd,
    "chdir": _cd,
    "pushd": _pushd,
    "popd": _popd,
    "pwd": _pwd,
}
