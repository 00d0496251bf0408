"""Loops of the abstract walk: a body is walked until nothing new is seen, twice at most, then what still changes may be anything."""

from __future__ import annotations

from collections.abc import Callable

from gateway.facts.shell.branches import repeated
from gateway.facts.shell.context import Context, Outcome
from gateway.facts.shell.state import State, join, settled, widen
from gateway.facts.shell.tree import Script, While
from gateway.facts.shell.values import Stream


class Loops:
    """The loops that are being walked, innermost last. `script` walks a list of commands."""

    def __init__(self, script: Callable[[Script, State | None, Context], Outcome]) -> None:
        self._script = script
        self._breaks: list[list[State]] = []

    def leave(self, state: State) -> None:
        """`break` or `continue`: the loop around may be left in this state."""
        if self._breaks:
            self._breaks[-1].append(state)

    def conditional(self, node: While, state: State, context: Context) -> Outcome:
        """`while` and `until`: the condition and the body, as often as something new is seen."""
        outputs: list[Stream] = []
        current: State | None = state
        leaving: State | None = None
        for turn in range(3):
            if current is None:
                break
            before = current.copy()
            self._breaks.append([])
            tested = self._script(node.condition, current.copy(), context)
            entered, left = (tested.otherwise, tested.then) if node.until else (tested.then, tested.otherwise)
            leaving = join(leaving, left)
            after = self._script(node.body, entered.copy(), context) if entered is not None else None
            for broken in self._breaks.pop():
                leaving = join(leaving, broken)
            outputs.append(tested.output)
            if after is None:
                break
            outputs.append(after.output)
            joined = join(before, after.state)
            if joined is None or settled(before, joined):
                leaving = join(leaving, after.state)
                break
            current = widen(before, joined) if turn else joined
            leaving = join(leaving, current)
        return Outcome(repeated(outputs), leaving, leaving)

    def repeated_body(
        self, body: Script, state: State, context: Context, *, counted: bool = False
    ) -> Outcome:
        """A body that runs any number of times; `counted` when its first walk stands for every turn."""
        outputs: list[Stream] = []
        leaving: State | None = state
        current: State | None = state
        for turn in range(3):
            if current is None:
                break
            before = current.copy()
            self._breaks.append([])
            after = self._script(body, current.copy(), context)
            outputs.append(after.output)
            for broken in self._breaks.pop():
                leaving = join(leaving, broken)
            leaving = join(leaving, after.state)
            joined = join(before, after.state)
            if joined is None or settled(before, joined):
                break
            current = widen(before, joined) if turn else joined
        output = outputs[0] if counted and len(outputs) == 1 else repeated(outputs)
        return Outcome(output, leaving, leaving)
