"""The static check: every node gets a type, every call its overload (cel-go's rules of assignability).

A `dyn` (everything under `attr`) fits everywhere; between known types nothing converts by itself. The result for a
node is in its `type`; a namespaced call loses its target; names of the environment are told from bound variables.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.policy.cel.ast import Call, Ident, ListExpr, Literal, Macro, MapExpr, Node, Select
from gateway.policy.cel.declarations import (
    FIELDS,
    NAMES,
    TYPE_NAMES,
    VARIABLES,
    Overload,
    field_name,
    overloads,
)
from gateway.policy.cel.errors import CelCheckError, EvaluationError
from gateway.policy.cel.kinds import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    INT,
    NULL,
    STRING,
    UINT,
    Kind,
    list_of,
    map_of,
    optional_of,
)
from gateway.policy.cel.lexer import place
from gateway.policy.cel.literals import CHECKED, check_literals
from gateway.policy.cel.planning import PLANNED, find_defect, is_suspect
from gateway.policy.cel.unify import Bindings
from gateway.policy.cel.values import Uint

_LITERALS = {
    type(None): NULL,
    bool: BOOL,
    int: INT,
    Uint: UINT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
}


class Checked(NamedTuple):
    """What the check found out: the type of the value, and the error in which every evaluation must end, if any."""

    kind: Kind
    defect: EvaluationError | None


def check(text: str, node: Node) -> Checked:
    """Check the tree of `text` in place. Raises `CelCheckError`."""
    checker = _Checker(text)
    kind = checker.check(node, {})
    check_literals(text, checker.calls, checker.bindings)
    return Checked(checker.bindings.resolve(kind), find_defect(node) if checker.suspect else None)


class _Checker:
    __slots__ = ("_overloads", "_text", "bindings", "calls", "suspect")

    def __init__(self, text: str) -> None:
        self._text = text
        self._overloads = overloads()
        self.bindings = Bindings()
        self.calls: list[Call] = []
        self.suspect = False

    def _error(self, node: Node, message: str) -> CelCheckError:
        line, column = place(self._text, node.offset)
        return CelCheckError(message, line=line, column=column, offset=node.offset)

    def check(self, node: Node, scope: dict[str, Kind]) -> Kind:
        cls = type(node)
        if cls is Literal:
            kind = _LITERALS[type(node.value)]  # type: ignore[union-attr]  # told by the class
        elif cls is Ident:
            kind = self._ident(node, scope)  # type: ignore[arg-type]
        elif cls is Select:
            kind = self._select(node, scope)  # type: ignore[arg-type]
        elif cls is Call:
            kind = self._call(node, scope)  # type: ignore[arg-type]
        elif cls is ListExpr:
            kind = self._list(node, scope)  # type: ignore[arg-type]
        elif cls is MapExpr:
            kind = self._map(node, scope)  # type: ignore[arg-type]
        else:
            kind = self._macro(node, scope)  # type: ignore[arg-type]
        node.type = kind
        return kind

    def _ident(self, node: Ident, scope: dict[str, Kind]) -> Kind:
        kind = scope.get(node.name)
        if kind is not None:
            return kind
        kind = NAMES.get(node.name) or TYPE_NAMES.get(node.name)
        if kind is None:
            raise self._error(node, f"undeclared reference to '{node.name}' (in container '')")
        node.global_name = node.name
        return kind

    def _select(self, node: Select, scope: dict[str, Kind]) -> Kind:
        qualified = _qualified(node)
        if qualified in TYPE_NAMES and not node.test:
            return TYPE_NAMES[qualified]
        operand = self.bindings.resolve_top(self.check(node.operand, scope))
        unwrapped = operand
        if operand.name == "optional":
            unwrapped = self.bindings.resolve_top(operand.params[0])
        if unwrapped.name == "map":
            kind = unwrapped.params[1]
        elif unwrapped.name == "message":
            kind = self._field(node, unwrapped)
        elif unwrapped.name == "param":
            self.bindings.assign(DYN, unwrapped)
            kind = DYN
        elif unwrapped.name in ("dyn", "error"):
            kind = DYN
        else:
            raise self._error(
                node, f"type '{self.bindings.resolve(operand)}' does not support field selection"
            )
        if node.test:
            return BOOL
        if node.optional or operand.name == "optional":
            kind = self.bindings.resolve_top(kind)
            return kind if kind.name == "optional" else optional_of(kind)
        return kind

    def _field(self, node: Select, record: Kind) -> Kind:
        if record is VARIABLES:
            return DYN
        name = field_name(node.field)
        kind = FIELDS[record.label].get(name)
        if kind is None:
            raise self._error(node, f"undefined field '{node.field}'")
        node.field = name
        return kind

    def _call(self, node: Call, scope: dict[str, Kind]) -> Kind:
        if node.target is not None:
            name = _qualified(node.target)
            if name and f"{name}.{node.function}" in self._overloads:
                node.function, node.target = f"{name}.{node.function}", None
        node.member = node.target is not None
        if node.function in CHECKED:
            self.calls.append(node)
        kinds = [self.check(arg, scope) for arg in node.args]
        if node.target is not None:
            kinds.insert(0, self.check(node.target, scope))
        if node.function in ("_&&_", "_||_"):
            for arg, kind in zip(node.args, kinds, strict=True):
                if not self.bindings.assign(kind, BOOL):
                    message = f"expected type 'bool' but found '{self.bindings.resolve(kind)}'"
                    raise self._error(arg, message)
            return BOOL
        kind = self._resolve(node, node.function, kinds, member=node.member)
        if node.function in PLANNED and node.target is None and is_suspect(node):
            self.suspect = True
        return kind

    def _resolve(self, node: Call | Macro, function: str, kinds: list[Kind], *, member: bool) -> Kind:
        candidates = self._overloads.get(function)
        if candidates is None:
            raise self._error(node, f"undeclared reference to '{function}' (in container '')")
        result: Kind | None = None
        chosen: list[Overload] = []
        for overload in candidates:
            if overload.member is not member or len(overload.args) != len(kinds):
                continue
            args, outcome = overload.args, overload.result
            if overload.generic:
                args, outcome = self.bindings.fresh(args, outcome)
            if self.bindings.assign_all(kinds, args):
                chosen.append(overload)
                outcome = self.bindings.resolve_once(outcome)
                result = outcome if result is None or result == outcome else DYN
        if result is None:
            raise self._error(node, self._no_overload(function, kinds, member=member))
        if type(node) is Call:
            node.overload = chosen[0] if len(chosen) == 1 else None
        return result

    def _no_overload(self, function: str, kinds: list[Kind], *, member: bool) -> str:
        names = [str(self.bindings.resolve(kind)) for kind in kinds]
        applied = f"{names[0]}.({', '.join(names[1:])})" if member else f"({', '.join(names)})"
        return f"found no matching overload for '{function}' applied to '{applied}'"

    def _join(self, previous: Kind | None, current: Kind) -> Kind:
        if previous is None:
            return current
        if self.bindings.assign(previous, current):
            return self.bindings.most_general(previous, current)
        return DYN

    def _list(self, node: ListExpr, scope: dict[str, Kind]) -> Kind:
        element: Kind | None = None
        for index, item in enumerate(node.elements):
            kind = self.check(item, scope)
            if index in node.optional:
                kind = self._unwrapped(item, kind)
            element = self._join(element, kind)
        return list_of(self.bindings.new() if element is None else element)

    def _unwrapped(self, node: Node, kind: Kind) -> Kind:
        kind = self.bindings.resolve_top(kind)
        if kind.name == "optional":
            return kind.params[0]
        if kind.name in ("dyn", "error"):
            return DYN
        raise self._error(
            node,
            f"expected type '{optional_of(self.bindings.resolve(kind))}' but found '{self.bindings.resolve(kind)}'",
        )

    def _map(self, node: MapExpr, scope: dict[str, Kind]) -> Kind:
        keys: Kind | None = None
        values: Kind | None = None
        for key, value, optional in node.entries:
            keys = self._join(keys, self.check(key, scope))
            kind = self.check(value, scope)
            values = self._join(values, self._unwrapped(value, kind) if optional else kind)
        if keys is None or values is None:
            return map_of(self.bindings.new(), self.bindings.new())
        return map_of(keys, values)

    def _macro(self, node: Macro, scope: dict[str, Kind]) -> Kind:
        operand = self.bindings.resolve_top(self.check(node.operand, scope))
        name = node.name
        if name == "bind":
            return self.check(node.body, {**scope, node.names[0]: operand})
        if name in ("optMap", "optFlatMap"):
            return self._optional_macro(node, operand, scope)
        inner = dict(scope)
        inner.update(zip(node.names, self._ranges(node, operand), strict=True))
        condition = self.check(node.condition, inner) if node.condition is not None else None
        body = self.check(node.body, inner)
        if name in ("all", "exists"):
            return self._resolve(node, "_&&_" if name == "all" else "_||_", [BOOL, body], member=False)
        if name == "exists_one":
            self._resolve(node, "_?_:_", [body, INT, INT], member=False)
            return BOOL
        if name == "sortBy":
            return self._resolve(node, "@sortByAssociatedKeys", [operand, list_of(body)], member=True)
        if name == "transformMap":
            result = map_of(inner[node.names[0]], body)
        elif name == "transformMapEntry":
            result = body
            if type(node.body) is not MapExpr and self.bindings.resolve_top(body).name not in ("map", "dyn"):
                raise self._error(
                    node, self._no_overload("cel.@mapInsert", [map_of(DYN, DYN), body], member=False)
                )
        else:
            result = list_of(body)
        if condition is not None:
            self._resolve(node, "_?_:_", [condition, result, result], member=False)
        return result

    def _ranges(self, node: Macro, operand: Kind) -> tuple[Kind, ...]:
        two = len(node.names) == 2  # one variable or two
        if operand.name == "list":
            return (INT, operand.params[0]) if two else (operand.params[0],)
        if operand.name == "map":
            return operand.params if two else (operand.params[0],)
        if operand.name in ("dyn", "error", "param"):
            if operand.name == "param":
                self.bindings.assign(DYN, operand)
            return (DYN, DYN) if two else (DYN,)
        kind = self.bindings.resolve(operand)
        message = (
            f"expression of type '{kind}' cannot be range of a comprehension (must be list, map, or dynamic)"
        )
        raise self._error(node.operand, message)

    def _optional_macro(self, node: Macro, operand: Kind, scope: dict[str, Kind]) -> Kind:
        self._resolve(node, "hasValue", [operand], member=True)
        inner = operand.params[0] if operand.name == "optional" else DYN
        body = self.check(node.body, {**scope, node.names[0]: inner})
        if node.name == "optMap":
            return optional_of(body)
        return self._resolve(node, "_?_:_", [BOOL, body, optional_of(self.bindings.new())], member=False)


def _qualified(node: Node) -> str:
    """`a.b.c` of a chain of plain selections, else ""."""
    names: list[str] = []
    while type(node) is Select and not node.test and not node.optional:
        names.append(node.field)
        node = node.operand
    if type(node) is not Ident:
        return ""
    return ".".join((node.name, *reversed(names)))
