"""Where a command stands, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from gateway.facts.shell.state import State, join
from gateway.facts.shell.values import Field, Stream, either


class Context(Struct, frozen=True, kw_only=True):
    """Where in the script a command stands."""

    via: str = "direct"
    certain: bool = True
    remote: bool = False
    background: bool = False
    wrappers: tuple[str, ...] = ()
    privileged: bool = False
    depth: int = 0


class Outcome(Struct, frozen=True):
    """What a command printed, and the state after it worked and after it failed (None: the shell does not go on so)."""

    output: Stream
    then: State | None
    otherwise: State | None

    @property
    def state(self) -> State | None:
        """Either."""
        return join(self.then, self.otherwise)

    def or_else(self, other: Outcome) -> Outcome:
        """This outcome or another one."""
        return Outcome(
            either(self.output, other.output),
            join(self.then, other.then),
            join(self.otherwise, other.otherwise),
        )


class Call(Struct, kw_only=True):
    """A command about to run: its arguments, its input, and what was assigned for it alone.

    `sources` and `hosts` are what substitutions put into the arguments; `arrays` are array literals among them.
    """

    argv: list[Field]
    state: State
    context: Context
    stdin: Stream
    prefix: Mapping[str, Field] = {}
    sources: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    arrays: Mapping[str, tuple[tuple[Field | None, Field], ...]] = {}
    descriptors: tuple[tuple[int, Stream | str], ...] = ()
