"""Calls that are no calls: the macros of CEL and its extensions, recognised by name, style and number of arguments.

Sources: CEL language definition, "Macros"; the extensions bindings, two-variable comprehensions, math, lists; the
optional types' optMap and optFlatMap.
"""

from __future__ import annotations

from typing import Final

from gateway.policy.cel.ast import Call, Ident, ListExpr, Literal, Macro, MapExpr, Node, Select
from gateway.policy.cel.lexer import syntax_error

_ONE: Final = frozenset({"all", "exists", "exists_one"})
_TRANSFORMS: Final = frozenset({"transformList", "transformMap", "transformMapEntry"})
_ACCUMULATORS: Final = frozenset({"__result__"})


def expand_global(text: str, name: str, args: list[Node], offset: int) -> Node:
    """`name(args)`: `has` becomes a test of a field, everything else a call."""
    if name == "has" and len(args) == 1:
        field = args[0]
        if type(field) is not Select or field.test or field.optional:
            raise syntax_error(text, offset, "invalid argument to has() macro")
        field.test = True
        return field
    return Call(name, args, offset)


def expand_member(text: str, target: Node, name: str, args: list[Node], offset: int) -> Node:
    """`target.name(args)`: a macro where name and number of arguments fit one, else a call."""
    count = len(args)
    # The camelCase name exists for two variables only.
    if (name in _ONE and count in (2, 3)) or (name == "existsOne" and count == 3):
        kind = "exists_one" if name == "existsOne" else name
        return Macro(kind, target, _names(text, args[:-1]), args[-1], offset)
    if name == "map" and count in (2, 3):
        return Macro("map", target, _names(text, args[:1]), args[-1], offset, args[1] if count == 3 else None)
    if name == "filter" and count == 2:
        names = _names(text, args[:1])
        return Macro("filter", target, names, Ident(names[0], args[0].offset), offset, args[1])
    if name in _TRANSFORMS and count in (3, 4):
        names = _names(text, args[:2])
        return Macro(name, target, names, args[-1], offset, args[2] if count == 4 else None)
    if name == "sortBy" and count == 2:
        if type(target) in (Literal, MapExpr):
            message = (
                "sortBy can only be applied to a list, identifier, comprehension, call or select expression"
            )
            raise syntax_error(text, offset, message)
        return Macro("sortBy", target, _names(text, args[:1]), args[1], offset)
    if name in ("optMap", "optFlatMap") and count == 2:
        return Macro(name, target, _names(text, args[:1]), args[1], offset)
    if type(target) is Ident:
        if name == "bind" and count == 3 and target.name == "cel":
            return Macro("bind", args[1], _names(text, args[:1]), args[2], offset)
        if name in ("greatest", "least") and target.name == "math":
            return _extreme(text, name, args, offset)
    return Call(name, args, offset, target)


def _names(text: str, args: list[Node]) -> tuple[str, ...]:
    names = []
    for arg in args:
        if type(arg) is not Ident:
            raise syntax_error(text, arg.offset, "argument must be a simple name")
        if arg.name in _ACCUMULATORS:
            raise syntax_error(text, arg.offset, "iteration variable overwrites accumulator variable")
        names.append(arg.name)
    if len(names) == 2 and names[0] == names[1]:
        raise syntax_error(text, args[1].offset, f"duplicate variable name: {names[1]}")
    return tuple(names)


def _numeric(arg: Node) -> bool:
    if type(arg) is Literal:
        return not isinstance(arg.value, bool) and isinstance(arg.value, int | float)
    return type(arg) not in (ListExpr, MapExpr)


def _extreme(text: str, name: str, args: list[Node], offset: int) -> Node:
    function = "math.@max" if name == "greatest" else "math.@min"
    if not args:
        raise syntax_error(text, offset, f"math.{name}() requires at least one argument")
    if len(args) == 1:
        arg = args[0]
        elements = arg.elements if type(arg) is ListExpr else [arg]
        if not elements or not all(map(_numeric, elements)):
            raise syntax_error(text, arg.offset, f"math.{name}() invalid single argument value")
        return Call(function, args, offset)
    for arg in args:
        if not _numeric(arg):
            raise syntax_error(text, arg.offset, f"math.{name}() simple literal arguments must be numeric")
    if len(args) == 2:
        return Call(function, args, offset)
    return Call(function, [ListExpr(args, frozenset(), offset)], offset)
