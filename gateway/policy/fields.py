"""Reads fields of a policy node: type checked, unknown ones refused, every complaint at its place.

Field names may be written as protobuf has them (`derived_roles`) or as its JSON does (`derivedRoles`), as Cerbos reads both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from gateway.policy.problems import Complaints, Place, Problem
from gateway.policy.tree import Mapping as MappingNode
from gateway.policy.tree import Node, Scalar
from gateway.policy.tree import Sequence as ListNode

_AFTER_UNDERSCORE = re.compile(r"_([a-z0-9])")


class Reader:
    """One mapping of a policy file."""

    def __init__(self, node: MappingNode, file: str, complaints: Complaints, what: str) -> None:
        self.node = node
        self.file = file
        self.complaints = complaints
        self.what = what
        self._fields: Mapping[str, Node] = node.fields
        self._keys: Mapping[str, tuple[int, int]] = node.keys

    @property
    def names(self) -> Iterable[str]:
        """The names of its fields."""
        return self._fields.keys()

    def place(self, name: str = "") -> Place:
        """The place of a field's name, or of the mapping."""
        line, column = self._keys.get(name, (self.node.line, self.node.column))
        return Place(self.file, line, column)

    def at(self, node: Node) -> Place:
        """The place of a node."""
        return Place(self.file, node.line, node.column)

    def only(self, names: Sequence[str]) -> None:
        """Refuse every other field."""
        strange = [name for name in self._fields if name not in names]
        if not strange:
            return
        fields, keys = dict(self._fields), dict(self._keys)
        for name in strange:
            camel = _AFTER_UNDERSCORE.sub(lambda found: found.group(1).upper(), name)
            if camel in names and camel != name:
                if camel in fields:
                    self._complain(
                        Problem.DUPLICATE_KEY, self.place(name), f"{camel!r} stands here twice.", "Keep one."
                    )
                fields[camel], keys[camel] = self._fields[name], self._keys[name]
                continue
            close = get_close_matches(name, names, 1)
            remedy = f"Did you mean {close[0]!r}?" if close else f"Known here: {', '.join(sorted(names))}."
            self._complain(
                Problem.UNKNOWN_FIELD, self.place(name), f"{self.what} has no field {name!r}.", remedy
            )
        self._fields, self._keys = fields, keys

    def text(
        self, name: str, *, required: bool = False, pattern: re.Pattern[str] | None = None, form: str = ""
    ) -> str:
        """A text field, "" when it is absent. `form` says in words what `pattern` asks for."""
        node = self._fields.get(name)
        if node is not None and not isinstance(node, Scalar):
            self.wrong(node, name, "text")
            return ""
        text = "" if node is None or node.is_null else node.text
        if not text:
            if required:
                self._missing(name, f"Write `{name}: …`.")
        elif pattern is not None and not pattern.match(text):
            self._bad(self.place(name), f"{name}: {text[:80]!r} is not {form}.", f"Write {form}.")
        return text

    def texts(
        self, name: str, *, required: bool = False, pattern: re.Pattern[str] | None = None, form: str = ""
    ) -> tuple[str, ...]:
        """A list of texts, none empty, none twice."""
        return tuple(
            text for text, _ in self.placed_texts(name, required=required, pattern=pattern, form=form)
        )

    def placed_texts(
        self, name: str, *, required: bool = False, pattern: re.Pattern[str] | None = None, form: str = ""
    ) -> tuple[tuple[str, Place], ...]:
        """As `texts`, each with its place."""
        found: dict[str, Place] = {}
        for node in self.items(name, required=required):
            place = self.at(node)
            if not isinstance(node, Scalar):
                self.wrong(node, name, "a list of texts")
            elif node.is_null or not node.text:
                self._bad(place, f"{name} has an empty text.", "Write a name, or remove it.")
            elif node.text in found:
                self._bad(place, f"{name} names {node.text[:80]!r} twice.", "Remove one of them.")
            else:
                if pattern is not None and not pattern.match(node.text):
                    self._bad(place, f"{name}: {node.text[:80]!r} is not {form}.", f"Write {form}.")
                found[node.text] = place
        return tuple(found.items())

    def items(self, name: str, *, required: bool = False) -> Sequence[Node]:
        """The nodes of a list field."""
        node = self._fields.get(name)
        if node is None:
            if required:
                self._missing(name, f"Write `{name}: [ … ]`.")
            return ()
        if not isinstance(node, ListNode):
            self.wrong(node, name, "a list")
            return ()
        if required and not node.items:
            self._bad(self.place(name), f"{name!r} is empty.", "Name at least one.")
        return node.items

    def mapping(self, name: str, what: str) -> Reader | None:
        """A mapping field, None when it is absent."""
        node = self._fields.get(name)
        return None if node is None else self.enter(node, what)

    def enter(self, node: Node, what: str) -> Reader | None:
        """A node that must be a mapping. Null is none: a rule whose condition got lost would hold for everybody."""
        if not isinstance(node, MappingNode):
            self.wrong(node, what, "a mapping")
            return None
        return Reader(node, self.file, self.complaints, what)

    def get(self, name: str) -> Node | None:
        """A field's node; null counts as absent."""
        node = self._fields.get(name)
        return None if node is None or (isinstance(node, Scalar) and node.is_null) else node

    def flag(self, name: str) -> bool:
        """A boolean field, false when it is absent."""
        node = self.get(name)
        if node is None:
            return False
        value = node.plain() if isinstance(node, Scalar) else None
        if not isinstance(value, bool):
            self.wrong(node, name, "true or false")
            return False
        return value

    def plain(self, name: str) -> Any:
        """A field as JSON value, None when it is absent."""
        node = self._fields.get(name)
        return None if node is None else node.plain()

    def wrong(self, node: Node, name: str, wanted: str) -> None:
        """Complain that a node has the wrong type."""
        what = "empty" if isinstance(node, Scalar) and node.is_null else node.what
        self._complain(
            Problem.WRONG_TYPE,
            self.at(node),
            f"{name} must be {wanted}, not {what}.",
            f"Write {wanted}, or remove it.",
        )

    def _missing(self, name: str, remedy: str) -> None:
        place = self.place(name)
        self._complain(Problem.MISSING_FIELD, place, f"{self.what} lacks {name!r}.", remedy)

    def _bad(self, place: Place, message: str, remedy: str) -> None:
        self._complain(Problem.BAD_VALUE, place, message, remedy)

    def _complain(self, problem: Problem, place: Place, message: str, remedy: str) -> None:
        self.complaints.add(problem, place, message, remedy)
