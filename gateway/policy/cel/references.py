"""What an expression reads of the request and the policy, by name: for dependency order, cache keys and explanations."""

from __future__ import annotations

from typing import Final

import msgspec

from gateway.policy.cel.ast import Call, Ident, ListExpr, Literal, Macro, MapExpr, Node, Select
from gateway.policy.cel.declarations import TYPE_NAMES

_POLICY_NAMES: Final = {
    "V": "variables",
    "variables": "variables",
    "C": "constants",
    "constants": "constants",
    "G": "globals",
    "globals": "globals",
}
_CLOCK: Final = frozenset({"now", "timeSince"})


class References(msgspec.Struct, frozen=True, kw_only=True):
    """The names an expression reads.

    `variables`, `constants`, `globals`, `resource_attributes` and `principal_attributes` hold first-level names.
    `whole_*` is true where the names cannot be told, as in `R.attr[P.id]` or `R.attr.map(…)`. `reads` has the other
    fields of the two records ("R.id", "P.roles").
    """

    variables: frozenset[str] = frozenset()
    constants: frozenset[str] = frozenset()
    globals: frozenset[str] = frozenset()
    resource_attributes: frozenset[str] = frozenset()
    principal_attributes: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    whole_resource: bool = False
    whole_principal: bool = False
    whole_variables: bool = False
    whole_constants: bool = False
    whole_globals: bool = False
    uses_now: bool = False
    uses_aux_data: bool = False
    uses_runtime: bool = False


def references(node: Node) -> References:
    """The references of a checked tree."""
    collector = _Collector()
    collector.visit(node)
    return References(
        variables=frozenset(collector.names["variables"]),
        constants=frozenset(collector.names["constants"]),
        globals=frozenset(collector.names["globals"]),
        resource_attributes=frozenset(collector.names["R"]),
        principal_attributes=frozenset(collector.names["P"]),
        reads=frozenset(collector.reads),
        whole_resource="R" in collector.whole,
        whole_principal="P" in collector.whole,
        whole_variables="variables" in collector.whole,
        whole_constants="constants" in collector.whole,
        whole_globals="globals" in collector.whole,
        uses_now="now" in collector.uses,
        uses_aux_data="auxData" in collector.uses,
        uses_runtime="runtime" in collector.uses,
    )


def _record(node: Node) -> str:
    """The name of the record that an expression is: "R", "P" or "auxData", else nothing."""
    if type(node) is Ident and node.global_name in ("R", "P"):
        return node.name
    if type(node) is Select and type(node.operand) is Ident and node.operand.global_name == "request":
        return {"resource": "R", "principal": "P"}.get(node.field, node.field)
    return ""


def _attributes(node: Node) -> str:
    """Whose attributes an expression is: "R" for `R.attr` and its like, "P" likewise, else nothing."""
    if type(node) is Select and node.field == "attr":
        record = _record(node.operand)
        return record if record in ("R", "P") else ""
    return ""


class _Collector:
    __slots__ = ("names", "reads", "uses", "whole")

    def __init__(self) -> None:
        self.names: dict[str, set[str]] = {
            name: set() for name in ("variables", "constants", "globals", "R", "P")
        }
        self.reads: set[str] = set()
        self.whole: set[str] = set()
        self.uses: set[str] = set()

    def visit(self, node: Node) -> None:
        if type(node) is Literal:
            return
        if type(node) is Ident:
            self._ident(node)
        elif type(node) is Select:
            self._select(node)
        elif type(node) is Call:
            self._call(node)
        elif type(node) is ListExpr:
            for element in node.elements:
                self.visit(element)
        elif type(node) is MapExpr:
            for key, value, _ in node.entries:
                self.visit(key)
                self.visit(value)
        elif type(node) is Macro:
            for part in (node.operand, node.condition, node.body):
                if part is not None:
                    self.visit(part)

    def _ident(self, node: Ident) -> None:
        name = node.global_name
        if name in TYPE_NAMES or not name:
            return
        if name == "request":
            self.whole.update(("R", "P"))
            self.uses.add("auxData")
        elif name == "runtime":
            self.uses.add("runtime")
        else:
            self.whole.add(_POLICY_NAMES.get(name, name))

    def _named(self, container: Node, key: str) -> bool:
        """Note that `key` of `container` is read, if the container is one whose names count."""
        owner = _attributes(container)
        if not owner and type(container) is Ident:
            owner = _POLICY_NAMES.get(container.global_name, "")
        if not owner:
            return False
        self.names[owner].add(key)
        return True

    def _select(self, node: Select) -> None:
        if self._named(node.operand, node.field):
            return
        if _attributes(node):
            self.whole.add(_attributes(node))
            return
        record = _record(node.operand)
        if record in ("R", "P"):
            self.reads.add(f"{record}.{node.field}")
        elif record or _record(node) == "auxData":
            self.uses.add("auxData")
        elif _record(node):
            self.whole.add(_record(node))
        else:
            self.visit(node.operand)

    def _call(self, node: Call) -> None:
        if node.function in _CLOCK:
            self.uses.add("now")
        literal = node.args[0] if node.function == "@in" else node.args[-1] if node.args else None
        if (
            node.function in ("_[_]", "_[?_]", "@in")
            and type(literal) is Literal
            and type(literal.value) is str
        ):
            container = node.args[1 if node.function == "@in" else 0]
            if self._named(container, literal.value):
                return
        for arg in node.args:
            self.visit(arg)
        if node.target is not None:
            self.visit(node.target)
