"""YAML and JSON text to a tree of nodes that know their place, before any meaning is given to them.

A scalar keeps its source text: Cerbos reads `on`, `yes` and `no` as those words, a YAML 1.1 loader as booleans, which is
silently another policy. Built from the parser's events, so that depth, node count and aliases are checked before anything
recursive walks the tree. Refused: tags of one's own, duplicate keys, keys that are not scalars, aliases that contain themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from gateway.policy.problems import Place, PolicyProblem, Problem
from gateway.policy.steps import Steps, finish
from gateway.policy.tree import Mapping, Node, Scalar, Sequence

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 200_000
"""Nodes of one file with every alias counted in full: an alias bomb is small on disk only."""

_EVENTS_A_STEP = 64
_CORE = "tag:yaml.org,2002:"
_SCALAR_TAGS = {
    f"{_CORE}str": False,
    **dict.fromkeys((_CORE + name for name in ("int", "float", "bool", "null")), True),
}
"""Tags of the core schema, and whether such text may stand for something else than text."""
_COLLECTION_TAGS = frozenset({f"{_CORE}map", f"{_CORE}seq"})
_MERGE = "<<"


def parse(text: str, file: str) -> list[Node]:
    """Every document of a YAML text, empty ones left out. Raises PolicyProblem at the first thing that is wrong."""
    return finish(parse_steps(text, file))


def parse_steps(text: str, file: str) -> Steps[list[Node]]:
    """As `parse`, in small steps."""
    return _Builder(text, file).documents()


class _Builder:
    """One pass over the events of a text. Open collections are on a stack, so nothing here recurses."""

    def __init__(self, text: str, file: str) -> None:
        if len(text) > MAX_BYTES:
            raise PolicyProblem(
                Problem.TOO_LARGE,
                Place(file, 1, 1),
                f"The file has {len(text)} characters, more than {MAX_BYTES}.",
                "Split it: a policy set may have any number of files.",
            )
        self._text = text
        self._file = file
        self._nodes = 0
        self._anchors: dict[str, Node | None] = {}
        self._open: list[tuple[Node, str | None]] = []
        self._found: list[Node] = []
        self._key: _FieldName | None = None
        self._keys: list[_FieldName | None] = []

    def documents(self) -> Steps[list[Node]]:
        """Build every document."""
        for count, event in enumerate(self._events(), 1):
            if not count % _EVENTS_A_STEP:
                yield
            place = (event.start_mark.line + 1, event.start_mark.column + 1)
            if isinstance(event, yaml.ScalarEvent):
                self._place(self._scalar(event, *place))
            elif isinstance(event, yaml.AliasEvent):
                self._place(self._alias(event.anchor or "", *place))
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                self._begin(event, *place)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self._place(self._end())
            elif isinstance(event, yaml.DocumentStartEvent):
                self._anchors.clear()
        return self._found

    def _scalar(self, event: yaml.ScalarEvent, line: int, column: int) -> Scalar:
        bare = not event.style
        if event.tag is not None and event.tag != "!":
            if event.tag not in _SCALAR_TAGS:
                raise self._tag(event.tag, line, column)
            bare = _SCALAR_TAGS[event.tag]
        node = Scalar(line, column, event.value, bare=bare)
        self._count(node)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _begin(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, line: int, column: int) -> None:
        if event.tag is not None and event.tag not in _COLLECTION_TAGS:
            raise self._tag(event.tag, line, column)
        node = Mapping(line, column) if isinstance(event, yaml.MappingStartEvent) else Sequence(line, column)
        self._count(node)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append((node, event.anchor))
        self._keys.append(self._key)
        self._key = None
        if len(self._open) > MAX_DEPTH:
            raise self._deep(line, column)

    def _end(self) -> Node:
        node, anchor = self._open.pop()
        if anchor is not None:
            self._anchors[anchor] = node
        self._key = self._keys.pop()
        return node

    def _place(self, node: Node) -> None:
        """Put a finished value where it belongs: document, item, field name or field."""
        if not self._open:
            if not (isinstance(node, Scalar) and node.bare and not node.text):
                self._found.append(node)
            return
        parent = self._open[-1][0]
        if isinstance(parent, Sequence):
            parent.items.append(node)
            self._grow(parent, node)
            return
        assert isinstance(parent, Mapping)
        if self._key is None:
            self._key = self._field_name(node, parent)
        else:
            self._set(parent, self._key, node)
            self._key = None

    def _events(self) -> Iterator[Any]:
        loader = yaml.CSafeLoader(self._text)
        try:
            while loader.check_event():
                yield loader.get_event()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Place(self._file, mark.line + 1, mark.column + 1) if mark else Place(self._file, 1, 1)
            raise PolicyProblem(
                Problem.SYNTAX,
                place,
                f"This is not YAML: {error.problem or error.context}.",
                "Check the indentation and the quotes around this line.",
            ) from None
        except (yaml.YAMLError, ValueError) as error:
            raise PolicyProblem(
                Problem.SYNTAX,
                Place(self._file, 1, 1),
                f"This is not YAML: {error}.",
                "Save the file as UTF-8 text.",
            ) from None
        finally:
            loader.dispose()

    def _count(self, node: Node, size: int = 1) -> None:
        self._nodes += size
        if self._nodes > MAX_NODES:
            raise PolicyProblem(
                Problem.TOO_MANY_NODES,
                Place(self._file, node.line, node.column),
                f"The file has more than {MAX_NODES} values, aliases counted in full.",
                "Write the values out instead of nesting aliases, or split the file.",
            )

    def _grow(self, parent: Node, child: Node) -> None:
        parent.size += child.size
        if child.depth >= parent.depth:
            parent.depth = child.depth + 1

    def _deep(self, line: int, column: int) -> PolicyProblem:
        return PolicyProblem(
            Problem.TOO_DEEP,
            Place(self._file, line, column),
            f"Values are nested deeper than {MAX_DEPTH} levels.",
            "Name parts of the condition as variables.",
        )

    def _tag(self, tag: str, line: int, column: int) -> PolicyProblem:
        return PolicyProblem(
            Problem.TAG,
            Place(self._file, line, column),
            f"The YAML tag {tag!r} has no meaning in a policy.",
            "Remove the tag; put the value in quotes when it must be text.",
        )

    def _alias(self, anchor: str, line: int, column: int) -> Node:
        node = self._anchors.get(anchor)
        if node is None:
            within = anchor in self._anchors
            raise PolicyProblem(
                Problem.ALIAS,
                Place(self._file, line, column),
                f"The alias *{anchor} {'stands inside its own anchor' if within else 'has no anchor before it'}.",
                f"Write the value out, or put &{anchor} at a value above.",
            )
        self._count(node, node.size)
        if len(self._open) + node.depth > MAX_DEPTH:
            raise self._deep(line, column)
        return node

    def _field_name(self, node: Node, parent: Mapping) -> _FieldName:
        if not isinstance(node, Scalar):
            raise PolicyProblem(
                Problem.WRONG_TYPE,
                Place(self._file, node.line, node.column),
                f"A field name must be text, not {node.what}.",
                "Write `name: value`.",
            )
        if node.bare and node.text == _MERGE:
            return _MergeKey(), node.line, node.column
        seen = parent.keys.get(node.text)
        if seen is not None and node.text not in parent.merged:
            raise PolicyProblem(
                Problem.DUPLICATE_KEY,
                Place(self._file, node.line, node.column),
                f"The field {node.text!r} stands here for the second time; the first is in line {seen[0]}.",
                "Keep one of them.",
            )
        return node, node.line, node.column

    def _set(self, parent: Mapping, key: _FieldName, value: Node) -> None:
        name, line, column = key
        if isinstance(name, _MergeKey):
            self._merge(parent, value)
            return
        parent.fields[name.text] = value
        parent.keys[name.text] = (line, column)
        parent.merged.discard(name.text)
        self._grow(parent, value)

    def _merge(self, parent: Mapping, value: Node) -> None:
        """`<<`: fields of the merged mapping, unless the mapping has its own; earlier merges win over later ones."""
        for source in value.items if isinstance(value, Sequence) else (value,):
            if not isinstance(source, Mapping):
                raise PolicyProblem(
                    Problem.ALIAS,
                    Place(self._file, source.line, source.column),
                    "`<<` merges a mapping, or a list of mappings.",
                    "Write `<<: *anchor` with an anchor at a mapping.",
                )
            for name, field in source.fields.items():
                if name not in parent.fields:
                    parent.fields[name] = field
                    parent.keys[name] = source.keys[name]
                    parent.merged.add(name)
                    self._grow(parent, field)


class _MergeKey:
    """Marks the key `<<`."""


_FieldName = tuple[Scalar | _MergeKey, int, int]
"""A field name with its line and column."""
