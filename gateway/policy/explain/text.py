"""Explanations for people: short lines, values cut, the same words everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from gateway.policy.explain.explanation import Explanation, RuleTrace, Seen, Test, Turn
from gateway.policy.suites.values import plain_numbers

Paint = Callable[[str, str], str]
"""Gives a text the colour of a word: `allow`, `deny`, `held`, `not_held`, `dim`."""

_LONGEST = 120
_SWITCH = re.compile(r'"([^"]+)" in R\.attr\.rules_off')


def uncoloured(text: str, _word: str) -> str:
    """The paint of a pipe."""
    return text


def lines(explanation: Explanation, paint: Paint = uncoloured, *, everything: bool = False) -> Iterator[str]:
    """An explanation as lines. `everything`: also the rules that did not decide."""
    allowed = explanation.effect == "EFFECT_ALLOW"
    layer = f" (layer {explanation.scope})" if explanation.scope else ""
    word = paint("ALLOW" if allowed else "DENY", "allow" if allowed else "deny")
    yield f"{word}  {explanation.action} {explanation.kind} {_cut(explanation.id)}{layer}"
    yield f"  {explanation.reason}"
    decided = explanation.decided_by
    if decided is not None:
        yield from _rule(decided, paint, "  ")
    for output in explanation.outputs:
        yield f"  says     {shown(output)}"
    for line in turn_lines(explanation):
        yield f"  {line}"
    for other in explanation.others:
        yield f"  Another role: {other}"
    rest = [rule for rule in explanation.rules if not rule.decided]
    if rest and everything:
        yield "  Looked at as well:"
        for rule in rest:
            yield from _rule(rule, paint, "    ")
    elif rest:
        count = "1 other rule was" if len(rest) == 1 else f"{len(rest)} other rules were"
        yield paint(f"  {count} looked at and did not decide (--all shows them).", "dim")


def turn_lines(explanation: Explanation) -> Iterator[str]:
    """What would have had to differ for the other decision, with the values that were seen; nothing where that is unknown."""
    decided = explanation.decided_by
    if explanation.turn is not None:
        yield "It would have gone the other way if"
        yield from _turn(explanation.turn, "  ")
    elif explanation.effect != "EFFECT_ALLOW" and decided is not None and decided.condition is None:
        yield "Nothing would have changed it: the rule has no condition."


def _rule(rule: RuleTrace, paint: Paint, margin: str) -> Iterator[str]:
    word = "applied" if rule.applied else "did not apply"
    place = f"{rule.file}:{rule.line}" if rule.file else "unknown place"
    yield f"{margin}rule     {rule.rule or '(unnamed)'}, {rule.effect.removeprefix('EFFECT_')}, {word}"
    yield f"{margin}at       {place}  {paint(rule.policy, 'dim')}"
    if rule.note:
        yield f"{margin}note     {rule.note}"
    if rule.derived_role:
        yield f"{margin}because  the principal does not have the derived role {rule.derived_role}"
    if rule.condition is not None:
        yield from _test(rule.condition, paint, f"{margin}  ")


def _test(test: Test, paint: Paint, margin: str) -> Iterator[str]:
    mark = paint("✓", "held") if test.held else paint("✗", "not_held")
    text = (
        test.text
        if test.operator in {"", "variable"}
        else f"{test.operator} of"
        if test.operator != "not"
        else "not"
    )
    said = f"  = {shown(test.value)}" if test.value is not None else ""
    failed = f"  error: {test.error}" if test.error and not test.members else ""
    yield f"{margin}{mark} {_cut(text)}{said}{failed}"
    for seen in test.seen:
        yield paint(f"{margin}    {_seen(seen)}", "dim")
    for member in test.members:
        yield from _test(member, paint, f"{margin}  ")


def _turn(turn: Turn, margin: str) -> Iterator[str]:
    if turn.operator:
        yield f"{margin}{'each' if turn.operator == 'all' else 'one'} of these:"
        for member in turn.members:
            yield from _turn(member, f"{margin}  ")
        return
    switch = _SWITCH.fullmatch(turn.text)
    if switch is not None and turn.wanted:
        yield f"{margin}the rule were switched off (packs: {{{switch.group(1)}: false}})"
        return
    seen = "; ".join(map(_seen, turn.seen))
    yield f"{margin}{_cut(turn.text)} were {str(turn.wanted).lower()}{f'   ({seen})' if seen else ''}"


def _seen(seen: Seen) -> str:
    return f"{seen.path} is missing" if seen.missing else f"{seen.path} is {shown(seen.value)}"


def shown(value: object) -> str:
    """A JSON value on one line, cut."""
    return _cut(msgspec.json.encode(plain_numbers(value)).decode())


def _cut(text: str) -> str:
    plain = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"
