"""Alternatives within one command: each is tried with every other, up to a limit, and then nothing is assumed."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Final, TypeVar

Option = TypeVar("Option")
MAX_COMBINATIONS: Final = 16


class Choices:
    """The choices met so far. Iterate `rounds()`; in each round `pick` gives one option for each question.

    The same question gets the same option within a round, so that `cp $x $x.bak` never mixes two values of `x`. When
    there are more combinations than the limit, the last round is `saturated`: callers then assume anything.
    """

    __slots__ = ("_asked", "_chosen", "saturated")

    def __init__(self) -> None:
        self._asked: dict[Hashable, int] = {}
        self._chosen: dict[Hashable, int] = {}
        self.saturated = False

    def pick(self, question: Hashable, options: Sequence[Option]) -> Option:
        """This round's option."""
        if len(options) > 1:
            self._asked.setdefault(question, len(options))
        return options[min(self._chosen.get(question, 0), len(options) - 1)]

    def rounds(self) -> Iterator[None]:
        """One turn for each combination."""
        for _ in range(MAX_COMBINATIONS):
            yield
            if not self._advance():
                return
        self.saturated = True
        yield

    def _advance(self) -> bool:
        for question, count in self._asked.items():
            following = self._chosen.get(question, 0) + 1
            if following < count:
                self._chosen[question] = following
                return True
            self._chosen[question] = 0
        return False
