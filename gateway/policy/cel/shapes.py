"""What the shape and the types of a checked node tell generated code about its value."""

from __future__ import annotations

from typing import Final

from gateway.policy.cel.ast import Call, Ident, Literal, Macro, Node, Select, children
from gateway.policy.cel.values import KIND_NAMES

_RECORD_NAMES: Final = frozenset({"R", "P"})
_TEXT_FIELDS: Final = frozenset({"id", "kind", "scope", "policyVersion"})
_BOOLEAN: Final = frozenset({"_&&_", "_||_", "!_", "_==_", "_!=_", "@in", "_<_", "_<=_", "_>_", "_>=_"})


def is_request(node: Node) -> bool:
    """Whether an expression is the name `request`."""
    return type(node) is Ident and node.global_name == "request"


def record_of(node: Node) -> str:
    """The name of the record that an expression is: "R" or "P", else nothing."""
    if type(node) is Ident:
        return node.global_name if node.global_name in _RECORD_NAMES else ""
    if type(node) is Select and is_request(node.operand):
        return {"resource": "R", "principal": "P"}.get(node.field, "")
    return ""


def is_data(node: Node) -> bool:
    """Whether the value comes from the request's JSON, so that it has none of CEL's own types."""
    while type(node) is Select:
        if record_of(node.operand):
            return True
        node = node.operand
    return False


def is_bool(node: Node) -> bool:
    """Whether the fast code of `node` yields a bool or raises, whatever the request holds."""
    if type(node) is Literal:
        return type(node.value) is bool
    if type(node) is Select:
        return node.test
    if type(node) is Macro:
        return node.name in ("all", "exists", "exists_one")
    if type(node) is not Call:
        return False
    # A function whose only overload returns a bool; a ternary or an index may pass anything through.
    return node.function in _BOOLEAN or (
        node.overload is not None
        and node.overload.result.name == "bool"
        and not node.function.startswith("_")
    )


def is_text(node: Node) -> bool:
    """Whether the value is a string whatever the request holds: a literal, or a field of a record that is one."""
    if type(node) is Literal:
        return type(node.value) is str
    return (
        type(node) is Select
        and not node.test
        and not node.optional
        and node.field in _TEXT_FIELDS
        and record_of(node.operand) != ""
    )


def is_size(node: Node) -> bool:
    """Whether the fast code of `node` yields the length of something or raises."""
    return type(node) is Call and node.function == "size"


def is_variable(node: Node, name: str) -> bool:
    """Whether an expression is the bound variable `name`."""
    return type(node) is Ident and node.name == name and not node.global_name


def mentions(node: Node, name: str) -> bool:
    """Whether `name` occurs in an expression, be it as another variable of that name."""
    stack = [node]
    while stack:
        current = stack.pop()
        if type(current) is Ident and current.name == name:
            return True
        stack += children(current)
    return False


def sought_by(node: Macro) -> Node | None:
    """What `exists(x, x == item)` or `all(x, x != item)` looks for, None where a macro is no lookup."""
    if len(node.names) > 1 or type(node.body) is not Call or node.name not in ("exists", "all"):
        return None
    if node.body.function != ("_==_" if node.name == "exists" else "_!=_"):
        return None
    name, (left, right) = node.names[0], node.body.args
    other = right if is_variable(left, name) else left if is_variable(right, name) else None
    return None if other is None or mentions(other, name) else other


def type_test(left: Node, right: Node) -> tuple[Node, tuple[type, ...]] | None:
    """What `type(x) == T`, either way round, asks: x and the classes that values of type T have, None for any other pair."""
    if type(left) is Ident:
        left, right = right, left
    if type(left) is not Call or left.function != "type" or left.target is not None:
        return None
    name = right.global_name if type(right) is Ident else ""
    classes = tuple([cls for cls, named in KIND_NAMES.items() if named == name])
    return (left.args[0], classes) if classes else None
