"""What would have had to be otherwise for a condition to come out the other way."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.policy.explain.explanation import Test, Turn


def turn(test: Test, wanted: bool) -> Turn | None:
    """What makes `test` come out as `wanted`; None when it already does."""
    if test.held is wanted:
        return None
    if test.operator in {"not", "variable"} and test.members:
        member = test.members[0]
        below = turn(member, wanted if test.operator == "variable" else not wanted)
        # A part that failed is neither true nor false: then the whole is named.
        return below or _single(test, wanted)
    if test.operator in {"all", "any", "none"}:
        inverted = test.operator == "none"
        # `all` and `none` become true when every wrong member does, and false when any does; `any` the other way round.
        every = (test.operator != "any") == wanted
        for_member = not wanted if inverted else wanted
        turns = [found for member in test.members if (found := turn(member, for_member)) is not None]
        return _joined("all" if every else "any", turns) or _single(test, wanted)
    return _single(test, wanted)


def _single(test: Test, wanted: bool) -> Turn:
    return Turn(text=test.text, wanted=wanted, seen=test.seen)


def _joined(operator: str, turns: Sequence[Turn]) -> Turn | None:
    if not turns:
        return None
    if len(turns) == 1:
        return turns[0]
    members: list[Turn] = []
    for one in turns:
        members += one.members if one.operator == operator else (one,)
    return Turn(operator="all" if operator == "all" else "any", members=tuple(members))


def either(turns: Sequence[Turn]) -> Turn | None:
    """One of several is enough."""
    different: list[Turn] = []
    for one in turns:
        if one not in different:
            different.append(one)
    return _joined("any", different)
