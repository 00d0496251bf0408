"""What is known of a loop's variable and output, and of which clause of `case` is taken."""

from __future__ import annotations

from msgspec import structs

from gateway.facts.shell.expand import Expansion
from gateway.facts.shell.patterns import matches
from gateway.facts.shell.tree import Word
from gateway.facts.shell.values import ANYTHING, HOLE, Field, Stream, merge_streams


def case_matches(patterns: tuple[Word, ...], subject: Field, expansion: Expansion) -> bool | None:
    """Whether a clause is taken: True or False when that is sure, else None."""
    verdict: bool | None = False
    for word in patterns:
        pattern = expansion.pattern(word)
        if not subject.known or HOLE in pattern.text:
            verdict = None if pattern.text != "*" else True
        elif matches(pattern.text, subject.text):
            return True
    return verdict


def covering(fields: list[Field]) -> tuple[Field, ...]:
    """One field that stands for many: what lies below their common directory, or anything."""
    prefixes = {field.text.rpartition("/")[0] for field in fields if HOLE not in field.text}
    if len(prefixes) == 1 and {field.text for field in fields} and not any(HOLE in f.text for f in fields):
        prefix = prefixes.pop()
        return (Field(f"{prefix}/*" if prefix else "*", glob=True),)
    return ANYTHING


def repeated(outputs: list[Stream]) -> Stream:
    """The output of a loop: nobody knows how often a text came."""
    merged = merge_streams(outputs)
    return merged if merged.text in (None, "") else structs.replace(merged, text=None)
