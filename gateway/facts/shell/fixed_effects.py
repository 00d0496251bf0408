"""Effects that a model states in full, whatever the arguments: the entries of its `effects` and of those of a flag.

Each entry is a mapping of texts whose first known key says what it is, as docs/command-model.md describes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from gateway.facts.shell.effects import (
    Contact,
    Credential,
    Dimension,
    Effect,
    Indirect,
    Note,
    Package,
    Touch,
    Trait,
)
from gateway.facts.shell.options import names_of
from gateway.facts.shell.values import Field

_YES: Final = ("yes", "true")
_KINDS: Final[dict[str, Callable[[Mapping[str, str]], Effect]]] = {
    "indirect": lambda spec: Indirect(kind=spec["indirect"], name=spec.get("name", "")),
    "trait": lambda spec: Trait(name=spec["trait"]),
    "credential": lambda spec: Credential(store=spec["credential"], all=spec.get("all") in _YES),
    "note": lambda spec: Note(
        reason=spec["note"],
        dimensions=tuple(msgspec.convert(spec.get("leaves", "").split(), list[Dimension])),
    ),
    "contact": lambda spec: Contact(target=Field(spec["contact"])),
    "package": lambda spec: Package(manager=spec["manager"], action=spec["package"]),
    "read": lambda spec: Touch(action="read", path=Field(spec["read"]), tree=spec.get("tree") in _YES),
    "write": lambda spec: Touch(action="write", path=Field(spec["write"]), tree=spec.get("tree") in _YES),
    "delete": lambda spec: Touch(action="delete", path=Field(spec["delete"]), tree=spec.get("tree") in _YES),
}
EFFECT_KINDS: Final = tuple(_KINDS)
"""What an entry of `effects` can be."""


def effects_of(specs: tuple[Mapping[str, str], ...]) -> list[Effect]:
    """The effects that entries state; an entry of no known kind has none."""
    found: list[Effect] = []
    for spec in specs:
        kind = next((key for key in _KINDS if key in spec), None)
        if kind == "trait":
            found.extend(Trait(name=name) for name in names_of(spec["trait"]))
        elif kind is not None:
            found.append(_KINDS[kind](spec))
    return found
