"""From a function's name and the values of its arguments to the Python function that computes it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from gateway.policy.cel import (
    functions_collections,
    functions_core,
    functions_identity,
    functions_math,
    functions_network,
    functions_paths,
    functions_regex,
    functions_strings,
    functions_time,
    operators,
)
from gateway.policy.cel.activation import Activation
from gateway.policy.cel.declarations import overloads
from gateway.policy.cel.equality import compare, contains, equal
from gateway.policy.cel.errors import EvaluationError, no_such_overload
from gateway.policy.cel.kinds import Kind
from gateway.policy.cel.values import (
    Address,
    CelMap,
    Duration,
    Hierarchy,
    Network,
    Optional,
    SpiffeId,
    SpiffeMatcher,
    SpiffeTrustDomain,
    Timestamp,
    TypeValue,
    Uint,
    kind_of,
)

Function = Callable[..., Any]

_CLASSES: Final[dict[str, tuple[type, ...]]] = {
    "bool": (bool,),
    "int": (int,),
    "uint": (Uint,),
    "double": (float,),
    "string": (str,),
    "bytes": (bytes,),
    "timestamp": (Timestamp,),
    "duration": (Duration,),
    "list": (list,),
    "map": (dict, CelMap),
    "optional": (Optional,),
    "type": (TypeValue,),
    "net.IP": (Address,),
    "net.CIDR": (Network,),
    "cerbos.lib.hierarchy": (Hierarchy,),
    "cerbos.lib.spiffeID": (SpiffeId,),
    "cerbos.lib.spiffeTrustDomain": (SpiffeTrustDomain,),
    "cerbos.lib.spiffeMatcher": (SpiffeMatcher,),
}
# cel-go binds these once for all their overloads, and their error names the function without its arguments.
_SINGLE: Final = frozenset({"size", "sort"})
_UNNAMED: Final = frozenset({"contains", "startsWith", "endsWith", "matches"})


def _relation(name: str, holds: frozenset[int]) -> Function:
    return lambda _ctx, left, right: compare(left, right, name) in holds


OPERATORS: Final[dict[str, Function]] = {
    "_==_": equal,
    "_!=_": lambda ctx, left, right: not equal(ctx, left, right),
    "_<_": _relation("_<_", frozenset({-1})),
    "_<=_": _relation("_<=_", frozenset({-1, 0})),
    "_>_": _relation("_>_", frozenset({1})),
    "_>=_": _relation("_>=_", frozenset({0, 1})),
    "_+_": operators.add,
    "_-_": operators.subtract,
    "_*_": operators.multiply,
    "_/_": operators.divide,
    "_%_": operators.modulo,
    "-_": operators.negate,
    "@in": contains,
    "_[_]": operators.index,
    "_[?_]": operators.optional_index,
}
"""Operators that evaluate all their operands; they check types themselves."""


@cache
def implementations() -> dict[str, Function]:
    """The Python function of every CEL function; the receiver is its first argument after the activation."""
    table: dict[str, Function] = {}
    for module in (
        functions_core,
        functions_strings,
        functions_regex,
        functions_time,
        functions_math,
        functions_network,
        functions_collections,
        functions_identity,
        functions_paths,
    ):
        table.update(module.FUNCTIONS)
    # `id` is a global function of Cerbos and a method of trust domains.
    table["id"] = _identify
    return table


def _identify(_ctx: Activation, value: Any) -> Any:
    return f"spiffe://{value.name}" if type(value) is SpiffeTrustDomain else value


def _classes(kind: Kind) -> tuple[type, ...]:
    return () if kind.name in ("dyn", "param") else _CLASSES[kind.label or kind.name]


def guard_of(kind: Kind) -> tuple[tuple[type, ...], tuple[type, ...]]:
    """The classes that a value of `kind` may have, and those of a list's elements; none means any."""
    return _classes(kind), _classes(kind.params[0]) if kind.name == "list" else ()


@cache
def dispatcher(name: str, count: int, *, member: bool) -> Function:
    """The function `name` for `count` arguments (receiver included), which picks its overload by their values."""
    if name in OPERATORS:
        return OPERATORS[name]
    candidates = [
        tuple(map(guard_of, overload.args))
        for overload in overloads()[name]
        if overload.member is member and len(overload.args) == count
    ]
    function = implementations()[name]

    def call(ctx: Activation, *args: Any) -> Any:
        for guards in candidates:
            for (guard, element), arg in zip(guards, args, strict=True):
                if guard and type(arg) not in guard:
                    break
                # As cel-go does, a list is judged by its first element.
                if element and arg and type(arg[0]) not in element:
                    break
            else:
                return function(ctx, *args)
        raise mismatch(name, args)

    return call


def mismatch(name: str, args: tuple[Any, ...]) -> EvaluationError:
    """The error of a call whose arguments fit no overload."""
    if name in _UNNAMED:
        return no_such_overload()
    if name in _SINGLE:
        return no_such_overload(name)
    return no_such_overload(f"{name}({', '.join(map(kind_of, args))})")
