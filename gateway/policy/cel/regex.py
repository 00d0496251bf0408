"""Patterns of RE2, matched on UTF-8 in time linear in the text, with a price that bounds the worst of it.

Python's own `re` would let one hostile pattern or text stop the gateway (ReDoS), so it never runs on either. RE2 has no
exponential case, but where its automaton outgrows its memory it simulates, in time proportional to text times program.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import re2

from gateway.policy.cel.budget import Budget
from gateway.policy.cel.errors import EvaluationError

Span = tuple[int, int]

_MAX_MEMORY: Final = 8 << 20
"""Bytes for the automaton of one pattern, which counted repeats could otherwise blow up."""
_MAX_PATTERN: Final = 4_096
_SMALL_PROGRAM: Final = 16
"""Instructions of a program whose automaton always fits the memory, so that it is never simulated."""
_TOO_LARGE: Final = 70_000
"""Units for a pattern that RE2 gave up on: it does so after about a tenth of a second."""
ABSENT: Final = (-1, -1)
"""The span of a match or group that is not there."""
UNANCHORED: Final = re2._Anchor.UNANCHORED  # noqa: SLF001  # the wrapper keeps its first argument to itself
# Go's regexp, which Cerbos uses, does not know the byte class that RE2 has from C.
_BYTE_CLASS: Final = "\\C"
# What RE2 says and what Go's regexp, which Cerbos uses, says of the same mistake.
_REASONS: Final = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "trailing \\": "trailing backslash at end of expression",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
}


class Pattern:
    """A compiled pattern. `groups` counts its capturing groups, `size` the instructions of its program.

    `match(UNANCHORED, data, start, end)` gives the spans of the first match in UTF-8 and of its groups.
    """

    __slots__ = ("_weight", "groups", "match", "size")

    def __init__(self, pattern: str, *, groups: bool) -> None:
        options = re2.Options()
        options.log_errors = False
        options.never_capture = not groups
        options.max_mem = _MAX_MEMORY
        # The wrapper's methods compute character offsets that nobody asks for, at four times the price of the match.
        program = re2.compile(pattern, options=options)._regexp  # noqa: SLF001
        self.match: Any = program.Match
        self.groups: int = program.NumberOfCapturingGroups()
        self.size: int = program.ProgramSize()
        self._weight = 1 if self.size <= _SMALL_PROGRAM else 2 * self.size

    def price(self, length: int) -> int:
        """Units for one search through `length` bytes."""
        return 1 + (length * self._weight >> 9)

    def occurs(self, text: str) -> bool:
        """Whether the pattern matches anywhere in `text`. The caller pays."""
        data = text.encode("utf-8", "replace")
        return bool(self.match(UNANCHORED, data, 0, len(data))[0] != ABSENT)

    def find(self, budget: Budget, data: bytes) -> list[Span] | None:
        """The spans of the first match and of its groups in UTF-8 `data`; (-1, -1) for a group that took no part."""
        budget.charge(self.price(len(data)))
        spans: list[Span] = self.match(UNANCHORED, data, 0, len(data))
        return None if spans[0] == ABSENT else spans

    def find_all(self, budget: Budget, data: bytes) -> Iterator[list[Span]]:
        """Every match as Go finds them: from left to right, none empty where the one before it ended."""
        position, end, last = 0, len(data), -1
        while position <= end:
            # What stands right of a match may be read again for the next one, so each search is paid for in full.
            budget.charge(self.price(end - position))
            spans: list[Span] = self.match(UNANCHORED, data, position, end)
            start, stop = spans[0]
            if start < 0:
                return
            if stop == position:
                if start != last:
                    yield spans
                position += _width(data, position)
            else:
                yield spans
                position = stop
            last = stop


def _width(data: bytes, position: int) -> int:
    """Bytes of the character at a position, 1 at the end."""
    lead = data[position] if position < len(data) else 0
    return 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


def compile_pattern(pattern: str, budget: Budget | None = None, *, groups: bool = False) -> Pattern:
    """The compiled pattern; `budget` pays for one that comes from data. Raises `EvaluationError` for what Go refuses."""
    if len(pattern) > _MAX_PATTERN:
        raise EvaluationError(f"regular expression has more than {_MAX_PATTERN} characters", "limit")
    try:
        compiled = _compiled(pattern, groups=groups)
    except re2.error as error:
        detail = error.args[0]
        reason = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        if budget is not None:
            budget.charge(_TOO_LARGE if "too large" in reason else len(pattern))
        what, colon, where = reason.partition(": ")
        shown = f"{_REASONS.get(what, what)}: `{where}`" if colon else _REASONS.get(what, what)
        raise EvaluationError(f"error parsing regexp: {shown}", "value") from None
    if _BYTE_CLASS in pattern and _has_byte_class(pattern):
        raise EvaluationError(f"error parsing regexp: invalid escape sequence: `{_BYTE_CLASS}`", "value")
    if budget is not None:
        budget.charge(len(pattern) + compiled.size)
    return compiled


@lru_cache(maxsize=256)
def _compiled(pattern: str, *, groups: bool) -> Pattern:
    return Pattern(pattern, groups=groups)


def _has_byte_class(pattern: str) -> bool:
    position = 0
    while True:
        position = pattern.find("\\", position)
        if position < 0:
            return False
        code = pattern[position + 1 : position + 2]
        if code == "C":
            return True
        if code == "Q":  # a quotation, to its end or the pattern's
            position = pattern.find("\\E", position)
            if position < 0:
                return False
        position += 2
