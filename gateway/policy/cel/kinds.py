"""Static types: what the checker knows about a value before there is one (CEL language definition, "Type checking").

A type parameter of a declaration is named with one capital letter; a fresh one of the checker has a number.
"""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[\w.@]+|[(),]")
_OPAQUE: Final = {
    "hierarchy": "cerbos.lib.hierarchy",
    "spiffeID": "cerbos.lib.spiffeID",
    "spiffeTrustDomain": "cerbos.lib.spiffeTrustDomain",
    "spiffeMatcher": "cerbos.lib.spiffeMatcher",
    "ip": "net.IP",
    "cidr": "net.CIDR",
}
_PRIMITIVES: Final = [
    "dyn",
    "error",
    "null",
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "timestamp",
    "duration",
]


class Kind:
    """A type: `name` is dyn, error, null, bool, …, list, map, type, optional, message, object or param.

    `params` are its type parameters; `label` is the full name of a message or object and the name of a param.
    """

    __slots__ = ("label", "name", "params")

    def __init__(self, name: str, params: tuple[Kind, ...] = (), label: str = "") -> None:
        self.name = name
        self.params = params
        self.label = label

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Kind)
            and self.name == other.name
            and self.label == other.label
            and self.params == other.params
        )

    def __hash__(self) -> int:
        return hash((self.name, self.label, self.params))

    def __str__(self) -> str:
        if self.name == "error":
            return "!error!"
        name = "optional_type" if self.name == "optional" else self.label or self.name
        if not self.params:
            return name
        return f"{name}({', '.join(map(str, self.params))})"


PRIMITIVES: Final = {name: Kind(name) for name in _PRIMITIVES}
DYN: Final = PRIMITIVES["dyn"]
ERROR: Final = PRIMITIVES["error"]
NULL: Final = PRIMITIVES["null"]
BOOL: Final = PRIMITIVES["bool"]
INT: Final = PRIMITIVES["int"]
UINT: Final = PRIMITIVES["uint"]
DOUBLE: Final = PRIMITIVES["double"]
STRING: Final = PRIMITIVES["string"]
BYTES: Final = PRIMITIVES["bytes"]
TIMESTAMP: Final = PRIMITIVES["timestamp"]
DURATION: Final = PRIMITIVES["duration"]
OBJECTS: Final = {name: Kind("object", (), label) for name, label in _OPAQUE.items()}


def list_of(element: Kind) -> Kind:
    """`list(element)`."""
    return Kind("list", (element,))


def map_of(key: Kind, value: Kind) -> Kind:
    """`map(key, value)`."""
    return Kind("map", (key, value))


def optional_of(value: Kind) -> Kind:
    """`optional_type(value)`."""
    return Kind("optional", (value,))


def type_of(value: Kind) -> Kind:
    """`type(value)`: the type of a type."""
    return Kind("type", (value,))


def message(label: str) -> Kind:
    """A record type of Cerbos."""
    return Kind("message", (), label)


def param(label: str) -> Kind:
    """A type parameter."""
    return Kind("param", (), label)


def parse_kind(text: str) -> Kind:
    """A type in the notation of `signatures.txt`, as `map(string, list(T))`."""
    kinds, rest = _kinds(_WORD.findall(text))
    if rest or len(kinds) != 1:
        raise ValueError(text)
    return kinds[0]


def parse_kinds(text: str) -> tuple[Kind, ...]:
    """A comma-separated list of types, perhaps empty."""
    kinds, rest = _kinds(_WORD.findall(text))
    if rest:
        raise ValueError(text)
    return tuple(kinds)


def _kinds(words: list[str]) -> tuple[list[Kind], list[str]]:
    kinds: list[Kind] = []
    while words and words[0] != ")":
        if words[0] == ",":
            words = words[1:]
            continue
        name, words = words[0], words[1:]
        params: list[Kind] = []
        if words and words[0] == "(":
            params, words = _kinds(words[1:])
            words = words[1:]
        kinds.append(_kind(name, tuple(params)))
    return kinds, words


def _kind(name: str, params: tuple[Kind, ...]) -> Kind:
    if name in PRIMITIVES:
        return PRIMITIVES[name]
    if name in OBJECTS:
        return OBJECTS[name]
    if name in ("list", "map", "optional", "type"):
        return Kind(name, params)
    if len(name) == 1 and name.isupper():
        return param(name)
    raise ValueError(name)
