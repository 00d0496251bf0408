"""Optimistic Python for a checked expression: `and` for `&&`, `d["k"]` for `d.k`, and an exception for every doubt.

The code never evaluates text of the expression: field names enter it through `repr`, every other constant through a
name bound in the code's globals. What has no fast form calls the exact evaluator for that part.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.ast import Call, Ident, ListExpr, Literal, Macro, MapExpr, Node, Select
from gateway.policy.cel.dispatch import dispatcher
from gateway.policy.cel.errors import EvaluationError
from gateway.policy.cel.evaluator import evaluate
from gateway.policy.cel.fastpath import NAMES, charged_finder, finder
from gateway.policy.cel.literals import decided_membership
from gateway.policy.cel.regex import compile_pattern
from gateway.policy.cel.shapes import (
    is_bool,
    is_data,
    is_request,
    is_size,
    is_text,
    record_of,
    sought_by,
    type_test,
)

Scope = dict[str, str]

_RECORDS: Final = {"R": "a._resource", "P": "a._principal"}
_TIMES: Final = {"timestamp": "instant", "duration": "span"}
_READ_TIMES: Final = {"timestamp": "timestamp_at", "duration": "duration_of"}
_ATTRIBUTES: Final = {"R": "a.resource_attr", "P": "a.principal_attr"}
_TABLES: Final = {
    "V": "a.variables",
    "variables": "a.variables",
    "C": "a._constants",
    "constants": "a._constants",
    "G": "a._globals",
    "globals": "a._globals",
}
_RELATIONS: Final = {"_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">="}
_FOLDED: Final = frozenset(
    {"timestamp", "duration", "hierarchy", "ip", "cidr", "spiffeID", "spiffeTrustDomain"}
)
_LAZY: Final = frozenset({"or", "orValue"})
_SIZED: Final = frozenset({"string", "bytes", "list", "map"})
_EXACT: Final = 2**53


class _NoFastForm(Exception):
    """This node, or one inside it, has no fast form."""


def generate(node: Node) -> Callable[[Activation], Any]:
    """A function of the activation that returns the value of `node`, or raises something where it is unsure."""
    writer = _Writer()
    try:
        source = f"def fast(a):\n return {writer.code(node, {})}\n"
        # The source holds operators, names made here and literals made by `repr`; see the module's contract.
        exec(compile(source, "<cel>", "exec"), writer.names)  # noqa: S102
    except (_NoFastForm, SyntaxError, RecursionError, MemoryError):
        # Too deep for Python's compiler, or nothing to gain.
        return lambda ctx: evaluate(node, ctx)
    fast: Callable[[Activation], Any] = writer.names.pop("fast")
    return fast


class _Writer:
    __slots__ = ("_count", "names")

    def __init__(self) -> None:
        self.names: dict[str, Any] = dict(NAMES)
        self.names["__builtins__"] = {}
        self._count = 0

    def _bind(self, prefix: str, value: Any) -> str:
        self._count += 1
        name = f"{prefix}{self._count}"
        self.names[name] = value
        return name

    def code(self, node: Node, scope: Scope) -> str:
        """An expression of Python for `node`; `scope` maps bound variables to Python's names."""
        try:
            return self._code(node, scope)
        except _NoFastForm:
            if scope:
                raise
            return f"{self._bind('x', lambda ctx: evaluate(node, ctx))}(a)"

    def _code(self, node: Node, scope: Scope) -> str:
        if type(node) is Literal:
            return self._literal(node.value)
        if type(node) is Ident:
            if not node.global_name:
                return scope[node.name]
            if node.name in _TABLES:
                return _TABLES[node.name]
            raise _NoFastForm
        if type(node) is Select:
            return self._select(node, scope)
        if type(node) is Call:
            return self._call(node, scope)
        if type(node) is ListExpr:
            return self._list(node, scope)
        if type(node) is MapExpr:
            return self._map(node, scope)
        assert type(node) is Macro
        return self._macro(node, scope)

    def _literal(self, value: Any) -> str:
        if value is None or type(value) in (bool, int, str):
            # Negative numbers in brackets, so that a method or an operator may follow.
            return f"({value!r})" if type(value) is int else repr(value)
        return self._bind("k", value)

    def _bool(self, node: Node, scope: Scope) -> str:
        code = self.code(node, scope)
        return code if is_bool(node) else f"truth({code})"

    def _select(self, node: Select, scope: Scope) -> str:
        if node.optional or (node.type is not None and node.type.name in ("optional", "type")):
            raise _NoFastForm
        record = record_of(node.operand)
        if node.test:
            if record or type(node.operand) is Ident:
                raise _NoFastForm
            operand = self.code(node.operand, scope)
            attributes = operand in _ATTRIBUTES.values()
            return f"({node.field!r} in {operand if attributes else f'table({operand})'})"
        if record:
            if node.field == "attr":
                return _ATTRIBUTES[record]
            return f"{_RECORDS[record]}[{node.field!r}]"
        if type(node.operand) is Literal:
            raise _NoFastForm
        if type(node.operand) is Ident and node.operand.global_name == "runtime":
            return f"list(a.runtime[{node.field!r}])"
        if (
            type(node.operand) is Select
            and is_request(node.operand.operand)
            and node.operand.field == "auxData"
        ):
            return f"a._aux[{node.field!r}]"
        if node.operand.type is not None and node.operand.type.name == "optional":
            raise _NoFastForm
        return f"{self.code(node.operand, scope)}[{node.field!r}]"

    def _list(self, node: ListExpr, scope: Scope) -> str:
        if node.optional:
            raise _NoFastForm
        if all(type(element) is Literal for element in node.elements):
            return self._bind("k", [element.value for element in node.elements])  # type: ignore[union-attr]  # literals
        return f"[{', '.join([self.code(element, scope) for element in node.elements])}]"

    def _map(self, node: MapExpr, scope: Scope) -> str:
        keys = [key.value for key, _, _ in node.entries if type(key) is Literal and type(key.value) is str]
        if len(set(keys)) < len(node.entries) or any(optional for _, _, optional in node.entries):
            raise _NoFastForm
        entries = [
            f"{key!r}: {self.code(value, scope)}"
            for key, (_, value, _) in zip(keys, node.entries, strict=True)
        ]
        return f"{{{', '.join(entries)}}}"

    def _call(self, node: Call, scope: Scope) -> str:
        name, args = node.function, node.args
        if name in ("_&&_", "_||_"):
            word = " and " if name == "_&&_" else " or "
            return f"({word.join([self._bool(arg, scope) for arg in args])})"
        if name == "!_":
            return f"(not {self._bool(args[0], scope)})"
        if name == "_?_:_":
            then, otherwise = self.code(args[1], scope), self.code(args[2], scope)
            return f"({then} if {self._bool(args[0], scope)} else {otherwise})"
        if name in ("_==_", "_!=_"):
            equal = self._equal(args[0], args[1], scope)
            return equal if name == "_==_" else f"(not {equal})"
        if name in _RELATIONS:
            return self._relation(node, scope)
        if name == "@in":
            return self._in(args[0], args[1], scope)
        if name == "_[_]" and type(args[1]) is Literal and type(args[1].value) is str:
            if type(args[0]) is Literal or (args[0].type is not None and args[0].type.name == "optional"):
                raise _NoFastForm
            return f"{self.code(args[0], scope)}[{args[1].value!r}]"
        return self._function(node, scope)

    def _equal(self, left: Node, right: Node, scope: Scope) -> str:
        tested = type_test(left, right)
        if tested is not None:
            found = f"kind({self.code(tested[0], scope)})"
            return f"({found} in {self._bind('k', tested[1])})"
        if type(left) is Literal:
            left, right = right, left
        times = self._times(left, right, scope)
        if times:
            return f"({times[0]} == {times[1]})"
        code = self.code(left, scope)
        if type(right) is Literal:
            value = right.value
            if value is None:
                return f"({code} is None)"
            if type(value) is str:
                return f"({code} == {value!r})"
            if type(value) is bool and is_data(left):
                return f"({code} is {value!r})"
            # Python takes True for 1 and False for 0, CEL does not.
            if type(value) in (int, float) and value not in (0, 1) and abs(value) < _EXACT:
                return f"({code} == {self._literal(value)})"
        other = self.code(right, scope)
        if not scope and (is_text(left) or is_text(right)):
            # Python's answer beside a string is CEL's; in a macro `same` lets long texts pay.
            return f"({code} == {other})"
        return f"same(a, {code}, {other})"

    def _times(self, left: Node, right: Node, scope: Scope) -> list[str]:
        """Two timestamps or two durations as numbers, nothing for operands of other types."""
        kinds = {node.type.name if node.type is not None else "" for node in (left, right)}
        if len(kinds) > 1 or not kinds <= _TIMES.keys():
            return []
        return [self._time(node, scope) for node in (left, right)]

    def _time(self, node: Node, scope: Scope) -> str:
        if type(node) is Call:
            args = node.args if node.target is None else [node.target, *node.args]
            if self._is_folded(node):
                return repr(self._folded(node).ns)
            if node.function in _READ_TIMES and node.overload is not None and len(args) == 1:
                return f"{_READ_TIMES[node.function]}({self.code(args[0], scope)})"
            if node.function in _READ_TIMES and args[0].type is not None and args[0].type.name == "dyn":
                return f"{_READ_TIMES[node.function]}({self.code(args[0], scope)})"
            if node.function == "now":
                return "a.now"
            if node.function == "timeSince":
                return f"since(a, {self._time(args[0], scope)})"
        assert node.type is not None
        return f"{_TIMES[node.type.name]}({self.code(node, scope)})"

    def _relation(self, node: Call, scope: Scope) -> str:
        left, right = node.args
        times = self._times(left, right, scope)
        if times:
            return f"({times[0]} {_RELATIONS[node.function]} {times[1]})"
        codes = [self.code(left, scope), self.code(right, scope)]
        literals = [arg.value for arg in node.args if type(arg) is Literal]
        if literals and type(literals[0]) is str:
            return f"({codes[0]} {_RELATIONS[node.function]} {codes[1]})"
        if literals and type(literals[0]) in (int, float) and abs(literals[0]) < _EXACT:
            shown = [
                code if type(arg) is Literal or is_size(arg) else f"number({code})"
                for code, arg in zip(codes, node.args, strict=True)
            ]
            return f"({shown[0]} {_RELATIONS[node.function]} {shown[1]})"
        return f"{self._bind('f', dispatcher(node.function, 2))}(a, {codes[0]}, {codes[1]})"

    def _in(self, item: Node, container: Node, scope: Scope) -> str:
        decided = decided_membership(item, container)
        if decided is not None:
            return repr(decided)
        code = self.code(item, scope)
        if type(container) is ListExpr and not container.optional and container.elements:
            values = [element.value for element in container.elements if type(element) is Literal]
            if len(values) == len(container.elements) and all(type(value) is str for value in values):
                # Equality with a string needs no more than a hash; an unhashable item raises, which is a doubt.
                return f"({code} in {self._bind('k', frozenset(values))})"
        holder = self.code(container, scope)
        if not scope and item.type is not None and item.type.name == "string":
            return f"({code} in {holder if holder in _ATTRIBUTES.values() else f'box({holder})'})"
        return f"within(a, {code}, {holder})"

    def _function(self, node: Call, scope: Scope) -> str:
        name = node.function
        if node.target is not None and name in _LAZY:
            raise _NoFastForm
        if self._is_folded(node):
            return self._bind("k", self._folded(node))
        nodes = node.args if node.target is None else [node.target, *node.args]
        codes = [self.code(arg, scope) for arg in nodes]
        if name in ("startsWith", "endsWith") and not scope:
            return f"{name.lower()}({codes[0]}, {codes[1]})"
        if name == "contains":
            return f"holds(a, {codes[0]}, {codes[1]})"
        if name == "matches" and type(nodes[1]) is Literal:
            try:
                pattern = compile_pattern(nodes[1].value)
            except EvaluationError:
                raise _NoFastForm from None
            found = self._bind("f", charged_finder(pattern) if scope else finder(pattern))
            return f"{found}(a, {codes[0]})"
        if name == "size" and nodes[0].type is not None:
            return f"{'len' if nodes[0].type.name in _SIZED else 'length'}({codes[0]})"
        function = dispatcher(name, len(nodes), node.overload)
        return f"{self._bind('f', function)}({', '.join(['a', *codes])})"

    @staticmethod
    def _is_folded(node: Call) -> bool:
        return (
            node.function in _FOLDED
            and node.target is None
            and all(type(arg) is Literal for arg in node.args)
        )

    @staticmethod
    def _folded(node: Call) -> Any:
        try:
            return evaluate(node, Activation())
        except EvaluationError:
            raise _NoFastForm from None

    def _lookup(self, node: Macro, operand: str, scope: Scope) -> str:
        """The code of a macro that only asks whether something is in a list, "" for any other."""
        sought = sought_by(node)
        if sought is None:
            return ""
        found = f"among(a, {self.code(sought, scope)}, {operand})"
        return found if node.name == "exists" else f"(not {found})"

    def _macro(self, node: Macro, scope: Scope) -> str:
        operand = self.code(node.operand, scope)
        lookup = self._lookup(node, operand, scope)
        if lookup:
            return lookup
        self._count += 1
        names = [f"v{self._count}_{position}" for position in range(len(node.names))]
        inner = {**scope, **dict(zip(node.names, names, strict=True))}
        body = (
            self._bool(node.body, inner)
            if node.name in ("all", "exists", "exists_one")
            else self.code(node.body, inner)
        )
        if node.name == "bind":
            return f"(lambda {names[0]}: {body})({operand})"
        visit = "rounds" if len(names) == 1 else "rounds_of_two"
        source = f"for {', '.join(names)} in {visit}(a, {operand}, {node.weight})"
        if node.name == "all":
            return f"all({body} {source})"
        if node.name == "exists":
            return f"any({body} {source})"
        if node.name == "exists_one":
            return f"(sum(1 {source} if {body}) == 1)"
        if node.name in ("map", "filter", "transformList"):
            condition = f" if {self._bool(node.condition, inner)}" if node.condition is not None else ""
            return f"[{body} {source}{condition}]"
        raise _NoFastForm
