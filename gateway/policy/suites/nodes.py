"""Typed reading of suite files: Cerbos' field names in both spellings, its sentences, its positions.

Cerbos reports a field at its key, an item of a list or an entry of a map at its value (a block mapping at the colon after
its first key), and what is missing without a place. It stops at the first value of the wrong shape; of a file without one
it names every broken rule of the format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from msgspec import Struct

from gateway.policy.tree import Mapping as MappingNode
from gateway.policy.tree import Node, Scalar
from gateway.policy.tree import Sequence as ListNode

Read = TypeVar("Read")
_UNDERSCORE = re.compile(r"_([a-z0-9])")
_WORDS = {"true": True, "false": False}
REQUIRED = "value is required"
NOT_UNIQUE = "repeated value must contain unique items"
TOO_SHORT = "must be at least 1 characters"


class Trouble(Struct, frozen=True):
    """One sentence about a place; line 0 means that there is none."""

    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column} {self.text}" if self.line else self.text


class Troubles:
    """What is wrong with one file: shapes, and rules of the format."""

    def __init__(self) -> None:
        self._shapes: list[Trouble] = []
        self._rules: list[Trouble] = []

    def shape(self, node: Node, text: str) -> None:
        """A value of the wrong type, or a field that does not exist."""
        self._shapes.append(Trouble(node.line, node.column, text))

    def shape_at(self, place: tuple[int, int], text: str) -> None:
        """The same, at a key."""
        self._shapes.append(Trouble(*place, text))

    def rule(self, place: tuple[int, int], path: str, text: str) -> None:
        """A value that breaks a rule of the format."""
        self._rules.append(Trouble(*place, f"{camel(path)}: {text}"))

    @property
    def found(self) -> str:
        """Sentences, one a line: the first wrong shape, else every broken rule; "" when nothing is wrong."""
        if self._shapes:
            return str(min(self._shapes, key=lambda trouble: (trouble.line, trouble.column)))
        rules = sorted(self._rules, key=lambda trouble: (trouble.line == 0, trouble.line, trouble.column))
        return "\n".join(map(str, rules))


NOWHERE = (0, 0)


def camel(name: str) -> str:
    """A snake_case name, or a path of them, in the camelCase that Cerbos prints."""
    return _UNDERSCORE.sub(lambda match: match.group(1).upper(), name)


def value_place(node: Node) -> tuple[int, int]:
    """Where Cerbos says that an item stands."""
    if isinstance(node, MappingNode) and node.keys:
        name, (line, column) = next(iter(node.keys.items()))
        if (line, column) == (node.line, node.column):
            return line, column + len(name)
    return node.line, node.column


class Fields:
    """The fields of one message. `path` is where it stands in the file, as in `tests[0].input`."""

    def __init__(self, node: MappingNode, troubles: Troubles, path: str, known: Collection[str]) -> None:
        self.node = node
        self.troubles = troubles
        self.path = path
        self._keys: dict[str, tuple[int, int]] = {}
        self._nodes: dict[str, Node] = {}
        for name, value in node.fields.items():
            field = camel(name)
            if field not in known:
                troubles.shape_at(node.keys[name], f'unknown field "{name}"')
                continue
            self._keys[field] = node.keys[name]
            if not (isinstance(value, Scalar) and value.is_null):
                self._nodes[field] = value

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    def below(self, name: str) -> str:
        """The path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def place(self, name: str) -> tuple[int, int]:
        """Where a field's key stands."""
        return self._keys.get(name, NOWHERE)

    def node_of(self, name: str) -> Node | None:
        """A field's value, None when it is absent or null."""
        return self._nodes.get(name)

    def demand(self, name: str, *, present: bool) -> None:
        """A required field: complain when it is absent or empty."""
        if not present:
            self.troubles.rule(self.place(name), self.below(name), REQUIRED)

    def text(self, name: str, *, required: bool = False) -> str:
        """A text; numbers and truth values count as what is written."""
        node = self.node_of(name)
        found = "" if node is None else self.as_text(node)
        if required:
            self.demand(name, present=bool(found))
        return found

    def as_text(self, node: Node) -> str:
        """The text of a scalar node."""
        if not isinstance(node, Scalar):
            self.troubles.shape(node, f"expected string got {kind_of(node)}")
            return ""
        return node.text

    def flag(self, name: str) -> bool:
        """A truth value."""
        node = self.node_of(name)
        if node is None:
            return False
        value = _WORDS.get(node.text.lower()) if isinstance(node, Scalar) and node.bare else None
        if value is None:
            self.troubles.shape(node, f"expected boolean value got {kind_of(node)}")
            return False
        return value

    def items(self, name: str) -> list[Node]:
        """The items of a list."""
        node = self.node_of(name)
        if node is None:
            return []
        if not isinstance(node, ListNode):
            self.troubles.shape(node, f"expected sequence got {kind_of(node)}")
            return []
        return node.items

    def texts(self, name: str, *, unique: bool = False, filled: bool = True) -> tuple[str, ...]:
        """A list of texts, none of them empty."""
        nodes = self.items(name)
        found = tuple(self.as_text(node) for node in nodes)
        for number, (node, text) in enumerate(zip(nodes, found, strict=True)):
            if filled and not text:
                self.troubles.rule(value_place(node), f"{self.below(name)}[{number}]", TOO_SHORT)
        if unique and len(set(found)) != len(found):
            self.troubles.rule(self.place(name), self.below(name), NOT_UNIQUE)
        return found

    def entries(self, name: str) -> dict[str, Node]:
        """The entries of a map."""
        node = self.node_of(name)
        return {} if node is None else self.map_of(node)

    def map_of(self, node: Node) -> dict[str, Node]:
        """The entries of a node that must be a map."""
        if not isinstance(node, MappingNode):
            self.troubles.shape(node, f"expected map got {kind_of(node)}")
            return {}
        return node.fields

    def values(self, name: str) -> dict[str, Any]:
        """A map of JSON values."""
        return {key: value.plain() for key, value in self.entries(name).items()}

    def message(self, name: str, known: Collection[str]) -> Fields | None:
        """A message below this one."""
        node = self.node_of(name)
        return None if node is None else self.enter(node, self.below(name), known)

    def enter(self, node: Node, path: str, known: Collection[str]) -> Fields | None:
        """A node that must be a message."""
        if not isinstance(node, MappingNode):
            self.troubles.shape(node, f"expected map got {kind_of(node)}")
            return None
        return Fields(node, self.troubles, path, known)

    def messages(self, name: str, known: Collection[str], read: Callable[[Fields], Read]) -> dict[str, Read]:
        """A map of messages."""
        found: dict[str, Read] = {}
        for key, node in self.entries(name).items():
            below = self.enter(node, f'{self.below(name)}["{key}"]', known)
            if below is not None:
                found[key] = read(below)
        return found


def kind_of(node: Node) -> str:
    """What a node is, in the words of Cerbos' YAML reader."""
    if isinstance(node, MappingNode):
        return "Mapping"
    if isinstance(node, ListNode):
        return "Sequence"
    assert isinstance(node, Scalar)
    value = node.plain()
    if value is None:
        return "Null"
    if isinstance(value, bool):
        return "Bool"
    if isinstance(value, float):
        return "Float" if any(mark in node.text for mark in ".eE") else "Integer"
    return "String"
