"""From a function's name and the values of its arguments to the Python function that computes it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from gateway.policy.cel import (
    functions_collections,
    functions_core,
    functions_identity,
    functions_json,
    functions_math,
    functions_network,
    functions_paths,
    functions_regex,
    functions_strings,
    functions_time,
    operators,
)
from gateway.policy.cel.activation import Activation
from gateway.policy.cel.declarations import Overload, overloads
from gateway.policy.cel.equality import METHODS, compare, contains, equal, unequal
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
# Functions that a type answers for itself in cel-go: one with methods of its own fails without naming the function,
# any other with the name alone. All other functions fail with the types of the arguments too.
_METHODS_OF: Final = frozenset(
    {
        *("size", "sort", "path", "trustDomain", "name", "isMemberOf", "matchesID"),
        *("ancestorOf", "descendentOf", "immediateChildOf", "immediateParentOf", "siblingOf", "overlaps"),
        "commonAncestors",
    }
)
_UNNAMED: Final = frozenset({"contains", "startsWith", "endsWith", "matches", "timeSince", "or", "orValue"})


_PARAMETRIC: Final = {"list": "list(dyn)", "map": "map(dyn, dyn)"}


def _relation(name: str, holds: frozenset[int]) -> Function:
    # Beside NaN the order is None, and no relation holds.
    return lambda _ctx, left, right: compare(left, right, name) in holds


OPERATORS: Final[dict[str, Function]] = {
    "_==_": equal,
    "_!=_": unequal,
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
        functions_json,
    ):
        table.update(module.FUNCTIONS)
    return table


def _classes(kind: Kind) -> tuple[type, ...]:
    return () if kind.name in ("dyn", "param") else _CLASSES[kind.label or kind.name]


def guard_of(kind: Kind) -> tuple[tuple[type, ...], tuple[type, ...]]:
    """The classes that a value of `kind` may have, and those of a list's elements; none means any."""
    # cel-go does not judge lists inside a list: flattening a list without any returns it.
    judged = kind.name == "list" and kind.params[0].name != "list"
    return _classes(kind), _classes(kind.params[0]) if judged else ()


@cache
def dispatcher(name: str, count: int, chosen: Overload | None = None) -> Function:
    """The function `name` for `count` arguments (receiver included), which picks its overload by their values.

    Whether it was called as a method does not count: values of type dyn find overloads of either style, as in cel-go.
    Where the static types left one overload, `chosen`, values that fit another are refused. Operators and what a
    type answers for itself take no notice of it.
    """
    if name in OPERATORS:
        return OPERATORS[name]
    found = [overload for overload in overloads()[name] if len(overload.args) == count]
    if chosen is not None and name not in _METHODS_OF and name != "id":
        found = [chosen]
    candidates = [tuple(map(guard_of, overload.args)) for overload in found]
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
    kinds = [_PARAMETRIC.get(kind_of(arg)) or kind_of(arg) for arg in args] if name == "flatten" else None
    if kinds is not None:
        return no_such_overload(f"{kinds[0]}.flatten({', '.join(kinds[1:])})")
    if name in _UNNAMED or (name in _METHODS_OF and type(args[0]) in METHODS):
        return no_such_overload()
    if name == "sort" and type(args[0]) is list:
        return EvaluationError("list elements must be comparable", "type")
    if name in _METHODS_OF:
        return no_such_overload(name)
    return no_such_overload(f"{name}({', '.join(map(kind_of, args))})")
