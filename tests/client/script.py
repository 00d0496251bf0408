"""What the fake model says: conversations of turns, a turn being tool calls made at once.

A conversation is told by its marker, a word that stands in the prompt that starts it; a sub-agent's prompt carries the
marker of its own conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAIN = "MAIN"


@dataclass(frozen=True)
class Call:
    """One tool call. `name` is how a test refers to it; `input` may be made from the results of earlier calls."""

    name: str
    tool: str
    input: Mapping[str, Any] | Callable[[Mapping[str, str]], Mapping[str, Any]] = field(default_factory=dict)

    def input_after(self, results: Mapping[str, str]) -> dict[str, Any]:
        """The input, given what earlier calls of the session brought, by their names."""
        return dict(self.input(results) if callable(self.input) else self.input)


@dataclass(frozen=True)
class Turn:
    """Calls that one answer of the model makes in parallel. `before` runs before the model answers: something breaks."""

    calls: tuple[Call, ...]
    before: Callable[[], None] | None = None


class Script:
    """The conversations of one session by marker. A turn may be given as a call or a list of calls."""

    def __init__(
        self, main: Sequence[Turn | Call | Sequence[Call]], **others: Sequence[Call | Sequence[Call]]
    ) -> None:
        self.conversations = {
            marker: tuple(_turn(turn) for turn in turns) for marker, turns in {MAIN: main, **others}.items()
        }
        self._ids = {
            call.name: call_id(marker, at, position)
            for marker, turns in self.conversations.items()
            for at, turn in enumerate(turns)
            for position, call in enumerate(turn.calls)
        }

    def id_of(self, name: str) -> str:
        """The id of a call by its name."""
        return self._ids[name]

    def by_name(self, results: Mapping[str, str]) -> dict[str, str]:
        """Results by call id as results by call name."""
        return {name: results[identifier] for name, identifier in self._ids.items() if identifier in results}

    @property
    def calls(self) -> list[Call]:
        """Every call."""
        return [call for turns in self.conversations.values() for turn in turns for call in turn.calls]


def call_id(marker: str, turn: int, position: int) -> str:
    """The id the fake model gives a call."""
    return f"toolu_{marker}_{turn:02d}_{position:03d}"


def _turn(turn: Turn | Call | Sequence[Call]) -> Turn:
    if isinstance(turn, Turn):
        return turn
    return Turn((turn,)) if isinstance(turn, Call) else Turn(tuple(turn))
