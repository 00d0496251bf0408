"""Assignments: plain ones, those to arrays and their elements, and those that stand among the arguments of `export` and its like.

Source: Bash Reference Manual 5.2, 3.4 (Shell Parameters) and 6.7 (Arrays).
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.arrays import Array
from gateway.facts.shell.expand import Expansion
from gateway.facts.shell.state import State
from gateway.facts.shell.tree import Assignment, Text, Word
from gateway.facts.shell.values import UNKNOWN, Field, append_fields

_NAMED: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")


def elements_of(assignment: Assignment, expansion: Expansion) -> tuple[tuple[Field | None, Field], ...]:
    """The elements of an array literal, each with its subscript where one is written."""
    found: list[tuple[Field | None, Field]] = []
    for element in assignment.elements or ():
        if element.key is not None:
            key = expansion.text(element.key)
            expansion.around.evaluate(key)
            found.append((key, expansion.text(element.value)))
        else:
            found.extend((None, field) for field in expansion.fields(element.value))
    return tuple(found)


def assigned(assignment: Assignment, expansion: Expansion, state: State, *, keep: bool) -> Field | None:
    """The value of a plain assignment, None of one to an array; with `keep` it stays in the state."""
    name = assignment.name
    if assignment.elements is not None:
        elements = elements_of(assignment, expansion)
        if keep:
            kept = state.array(name)
            before = kept if assignment.append else Array(associative=kept.associative)
            state.set_array(name, before.extended(elements))
        return None
    assert assignment.value is not None
    value = expansion.text(assignment.value, assignment=True)
    if assignment.index is not None:
        array = state.array(name)
        index = expansion.text(assignment.index)
        number = expansion.around.evaluate(index)
        if keep:
            key = index if array.associative else number
            if assignment.append:
                there = array.element(key)
                value = append_fields(there[0], value) if len(there) == 1 else UNKNOWN
            state.set_array(name, array.assigned(key, value))
        return None
    if assignment.append:
        value = append_fields(expansion.value(name, None), value)
    if name in state.integers:
        value = expansion.around.evaluate(value)
    if keep:
        state.set(name, (value,))
    return value


def declared_by(word: Word) -> tuple[str, Word] | None:
    """The `name=` and the value of a word that assigns, None for any other."""
    first = word.parts[0] if word.parts else None
    if type(first) is not Text or first.quoted:
        return None
    found = _NAMED.match(first.value)
    if found is None:
        return None
    return found.group(), Word(parts=(Text(first.value[found.end() :]), *word.parts[1:]))
