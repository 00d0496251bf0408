"""The values of CEL as Python objects.

null, bool, int, double, string, bytes, list and string-keyed map are Python's None, bool, int, float, str, bytes, list
and dict. The other types have a class here. A class that Python would compare too generously has an `__eq__` that
raises: the fast code then hands over to the exact evaluator, which knows CEL's rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from gateway.policy.cel.errors import EvaluationError

MIN_INT: Final = -(2**63)
MAX_INT: Final = 2**63 - 1
MAX_UINT: Final = 2**64 - 1


class Uint(int):
    """An unsigned 64-bit integer. Arithmetic on it yields plain ints; `operators.py` wraps them again."""

    __slots__ = ()


class Undecided(Exception):
    """Python's operators do not know the answer; the exact evaluator must be asked. Never leaves this package."""


class _Opaque:
    """Base of values that only the exact evaluator may compare."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # unhashable, so that set lookups are undecided too

    def __eq__(self, other: object) -> bool:
        raise Undecided

    def __ne__(self, other: object) -> bool:
        raise Undecided


class Timestamp(_Opaque):
    """A point in time: `ns` nanoseconds since 1970-01-01T00:00:00Z (negative before).

    `offset` is the zone it was written in, in seconds east of UTC: it shows in the timestamp's text and nowhere else.
    """

    __slots__ = ("ns", "offset")

    def __init__(self, ns: int, offset: int = 0) -> None:
        self.ns = ns
        self.offset = offset


class Duration(_Opaque):
    """A span of time: `ns` nanoseconds, signed, 64 bits (about ±292 years)."""

    __slots__ = ("ns",)

    def __init__(self, ns: int) -> None:
        self.ns = ns


class Optional(_Opaque):
    """An optional value: `present` says whether `value` counts."""

    __slots__ = ("present", "value")

    def __init__(self, value: Any = None, *, present: bool) -> None:
        self.value = value
        self.present = present


class TypeValue(_Opaque):
    """A type used as a value, as `type(1)` or the name `int`; `name` is CEL's name of it."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Message(_Opaque):
    """A typed record of the request (principal, resource, …): `fields` by their camelCase names."""

    __slots__ = ("fields", "type_name")

    def __init__(self, type_name: str, fields: dict[str, Any]) -> None:
        self.type_name = type_name
        self.fields = fields


class Hierarchy(_Opaque):
    """A dotted path as its parts, Cerbos's `hierarchy()`."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[str, ...]) -> None:
        self.parts = parts


class SpiffeId(_Opaque):
    """A SPIFFE ID: `domain` and `path` ("" or with its leading slash)."""

    __slots__ = ("domain", "path")

    def __init__(self, domain: str, path: str) -> None:
        self.domain = domain
        self.path = path

    def __str__(self) -> str:
        return f"spiffe://{self.domain}{self.path}"


class SpiffeTrustDomain(_Opaque):
    """The trust domain of SPIFFE IDs."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class SpiffeMatcher(_Opaque):
    """Matches SPIFFE IDs: any (both None), those of `ids`, or those of the trust domain `domain`."""

    __slots__ = ("domain", "ids")

    def __init__(self, *, ids: tuple[str, ...] | None = None, domain: str | None = None) -> None:
        self.ids = ids
        self.domain = domain


class Address(_Opaque):
    """An IP address: `version` 4 or 6 and its bits as an integer."""

    __slots__ = ("bits", "version")

    def __init__(self, version: int, bits: int) -> None:
        self.version = version
        self.bits = bits


class Network(_Opaque):
    """A CIDR range as written: its address (host bits kept) and the length of its prefix."""

    __slots__ = ("address", "prefix")

    def __init__(self, address: Address, prefix: int) -> None:
        self.address = address
        self.prefix = prefix


class CelMap(_Opaque):
    """A map with at least one key that is no string; `entries` maps the identity of a key to (key, value)."""

    __slots__ = ("entries",)

    def __init__(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        self.entries: dict[object, tuple[Any, Any]] = {identity(key): (key, value) for key, value in pairs}

    def find(self, key: Any) -> tuple[Any, Any] | None:
        """The entry of `key`. A whole double finds an int or uint key, an int a uint key and the reverse; no other key a double."""
        entry = self.entries.get(identity(key))
        if entry is not None:
            return entry
        cls = type(key)
        if cls is float and key == key and abs(key) != float("inf") and key == int(key):  # noqa: PLR0124  # NaN
            return self.entries.get(("int", int(key))) or self.entries.get(("uint", int(key)))
        if cls is int or cls is Uint:
            return self.entries.get(("uint" if cls is int else "int", int(key)))
        return None

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _ in self.entries.values())


def identity(key: Any) -> object:
    """A hashable stand-in for a key of a map: 1, 1u, 1.0, true and "1" are different keys, as in a Go map.

    Raises `EvaluationError` for bytes and hierarchies, which are no keys in Go.
    """
    cls = type(key)
    if cls is str:
        return key
    if cls is float:
        return ("double", key) if key == key else object()  # noqa: PLR0124  # NaN is equal to no key, itself included
    if cls in _KEY_NAMES:
        return (_KEY_NAMES[cls], key.ns if cls is Timestamp or cls is Duration else key)
    if cls is bytes or cls is Hierarchy:
        raise EvaluationError(
            f"internal error: runtime error: hash of unhashable type {go_name(key)}", "type"
        )
    return (id(key),)


_KEY_NAMES: Final[dict[type, str]] = {
    bool: "bool",
    int: "int",
    Uint: "uint",
    Timestamp: "timestamp",
    Duration: "duration",
    type(None): "null",
}
_GO_NAMES: Final[dict[type, str]] = {
    bool: "types.Bool",
    int: "types.Int",
    Uint: "types.Uint",
    float: "types.Double",
    str: "types.String",
    bytes: "types.Bytes",
    list: "*types.baseList",
    dict: "*types.baseMap",
    CelMap: "*types.baseMap",
    type(None): "types.Null",
    Timestamp: "types.Timestamp",
    Duration: "types.Duration",
    Optional: "*types.Optional",
    TypeValue: "*types.Type",
    Hierarchy: "types.Hierarchy",
    SpiffeId: "types.SPIFFEID",
    SpiffeTrustDomain: "types.SPIFFETrustDomain",
    SpiffeMatcher: "types.SPIFFEMatcher",
    Address: "ext.IP",
    Network: "ext.CIDR",
}


def go_name(value: Any) -> str:
    """The name of the value's Go type, which Cerbos shows in some errors."""
    if type(value) is Message:
        return f"*enginev1.{value.type_name.removeprefix('cerbos.engine.v1.').replace('.', '_')}"
    return _GO_NAMES.get(type(value), "")


KIND_NAMES: Final[dict[type, str]] = {
    bool: "bool",
    int: "int",
    Uint: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    CelMap: "map",
    type(None): "null_type",
    Timestamp: "google.protobuf.Timestamp",
    Duration: "google.protobuf.Duration",
    Optional: "optional_type",
    TypeValue: "type",
    Hierarchy: "cerbos.lib.hierarchy",
    SpiffeId: "cerbos.lib.spiffeID",
    SpiffeTrustDomain: "cerbos.lib.spiffeTrustDomain",
    SpiffeMatcher: "cerbos.lib.spiffeMatcher",
    Address: "net.IP",
    Network: "net.CIDR",
}


def kind_of(value: Any) -> str:
    """CEL's name of the type of `value` at run time."""
    if type(value) is Message:
        name: str = value.type_name
        return name
    return KIND_NAMES.get(type(value), type(value).__name__)


def sorted_keys(value: Any) -> Any:
    """The keys of a map in the order in which macros visit them.

    Go's maps have no order of their own. Sorted keys make the answer depend on what the request says alone, and not
    on the order in which it says it; keys that are no strings stay in the order of the expression.
    """
    return sorted(value) if type(value) is dict else iter(value)


def sorted_items(value: Any) -> Any:
    """The (key, value) pairs of a map in the order of `sorted_keys`."""
    if type(value) is dict:
        return sorted(value.items(), key=_first)
    return value.entries.values()


def _first(pair: tuple[str, Any]) -> str:
    return pair[0]


def items_of(value: Any) -> Any:
    """The (key, value) pairs of a map."""
    return value.items() if type(value) is dict else value.entries.values()


def make_map(pairs: list[tuple[Any, Any]]) -> dict[str, Any] | CelMap:
    """A map of `pairs`, the last of equal keys wins: a plain dict when every key is a string."""
    if all(type(key) is str for key, _ in pairs):
        return dict(pairs)
    return CelMap(pairs)


def doubles(value: Any) -> Any:
    """JSON data as CEL sees it: every number is a double. Returns `value` itself where nothing had to change.

    Cerbos receives attributes as google.protobuf.Value, whose numbers are doubles, so 9007199254740993 loses its
    last digit here as it does there.
    """
    cls = type(value)
    if cls is str or cls is float or cls is bool:
        return value
    if cls is dict:
        for item in value.values():
            kind = type(item)
            if kind is str or kind is bool or kind is float:
                continue
            if item is not doubles(item):
                return {key: doubles(inner) for key, inner in value.items()}
        return value
    if cls is list or cls is tuple:
        for item in value:
            if type(item) is not str and item is not doubles(item):
                return [doubles(inner) for inner in value]
        return value if cls is list else list(value)
    if cls is int:
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    return value
