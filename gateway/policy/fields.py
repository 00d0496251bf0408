"""Reads fields of a policy node: type checked, unknown ones refused, every complaint at its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from gateway.policy.problems import Complaints, Place, Problem
from gateway.policy.source import Mapping, Node, Scalar
from gateway.policy.source import Sequence as ListNode


class Reader:
    """One mapping of a policy file."""

    def __init__(self, node: Mapping, file: str, complaints: Complaints, what: str) -> None:
        self.node = node
        self.file = file
        self.complaints = complaints
        self.what = what

    def place(self, name: str = "") -> Place:
        """The place of a field, or of the mapping."""
        if name in self.node.keys:
            line, column = self.node.keys[name]
            return Place(self.file, line, column)
        return Place(self.file, self.node.line, self.node.column)

    def at(self, node: Node) -> Place:
        """The place of a node."""
        return Place(self.file, node.line, node.column)

    def only(self, names: Iterable[str]) -> None:
        """Refuse every other field."""
        known = list(names)
        for name in self.node.fields:
            if name not in known:
                close = get_close_matches(name, known, 1)
                remedy = (
                    f"Did you mean {close[0]!r}?" if close else f"Known here: {', '.join(sorted(known))}."
                )
                self.complaints.add(
                    Problem.UNKNOWN_FIELD, self.place(name), f"{self.what} has no field {name!r}.", remedy
                )

    def text(self, name: str, *, required: bool = False) -> str:
        """A text field, "" when it is absent."""
        node = self.get(name)
        if node is None:
            if required:
                self.complaints.add(
                    Problem.MISSING_FIELD,
                    self.place(),
                    f"{self.what} lacks the field {name!r}.",
                    f"Write `{name}: …`.",
                )
            return ""
        if not isinstance(node, Scalar):
            self.wrong(node, name, "text")
            return ""
        return node.text

    def texts(self, name: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of texts."""
        found: list[str] = []
        for node in self.items(name, required=required):
            if isinstance(node, Scalar):
                found.append(node.text)
            else:
                self.wrong(node, name, "a list of texts")
        return tuple(found)

    def items(self, name: str, *, required: bool = False) -> Sequence[Node]:
        """The nodes of a list field."""
        node = self.get(name)
        if node is None:
            if required:
                self.complaints.add(
                    Problem.MISSING_FIELD,
                    self.place(),
                    f"{self.what} lacks the field {name!r}.",
                    f"Write `{name}: [ … ]`.",
                )
            return ()
        if not isinstance(node, ListNode):
            self.wrong(node, name, "a list")
            return ()
        if required and not node.items:
            self.complaints.add(Problem.BAD_VALUE, self.at(node), f"{name!r} is empty.", "Name at least one.")
        return node.items

    def mapping(self, name: str, what: str) -> Reader | None:
        """A mapping field, None when it is absent."""
        node = self.get(name)
        return None if node is None else self.enter(node, what)

    def enter(self, node: Node, what: str) -> Reader | None:
        """A node that must be a mapping."""
        if not isinstance(node, Mapping):
            self.wrong(node, what, "a mapping")
            return None
        return Reader(node, self.file, self.complaints, what)

    def get(self, name: str) -> Node | None:
        """A field's node; null counts as absent."""
        node = self.node.fields.get(name)
        return None if node is None or (isinstance(node, Scalar) and node.is_null) else node

    def plain(self, name: str) -> Any:
        """A field as JSON value, None when it is absent."""
        node = self.get(name)
        return None if node is None else node.plain()

    def wrong(self, node: Node, name: str, wanted: str) -> None:
        """Complain that a node has the wrong type."""
        self.complaints.add(
            Problem.WRONG_TYPE,
            self.at(node),
            f"{name!r} must be {wanted}, not {node.what}.",
            f"Write {wanted}.",
        )
