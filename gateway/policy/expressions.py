"""Expressions as trees that tools can look at: their parts, what they read, and their text again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.policy.cel.ast import Call, Ident, ListExpr, Literal, Macro, MapExpr, Node, Select
from gateway.policy.cel.checker import check
from gateway.policy.cel.parser import parse
from gateway.policy.cel.values import Uint

AND, OR, NOT, IF = "_&&_", "_||_", "!_", "_?_:_"
EQUALS, DIFFERS, IN = "_==_", "_!=_", "@in"
INDEX = ("_[_]", "_[?_]")
_RECORDS = {"R": ("R",), "P": ("P",), "V": ("V",), "C": ("C",), "G": ("G",)}
_LONG_NAMES = {"variables": "V", "constants": "C", "globals": "G"}
_REQUEST = {"resource": "R", "principal": "P"}
_INFIX = {
    "_||_": ("||", 1), "_&&_": ("&&", 2), "_==_": ("==", 3), "_!=_": ("!=", 3), "_<_": ("<", 3), "_<=_": ("<=", 3),
    "_>_": (">", 3), "_>=_": (">=", 3), "@in": ("in", 3), "_+_": ("+", 4), "_-_": ("-", 4), "_*_": ("*", 5),
    "_/_": ("/", 5), "_%_": ("%", 5),
}  # fmt: skip
_UNARY, _MEMBER = 6, 7
_EXTREMES = {"math.@max": "math.greatest", "math.@min": "math.least"}
_NAME = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)

Path = tuple[str, ...]
"""A chain of names from a record: `("R", "attr", "tool_input", "command")`."""


def checked_tree(text: str) -> Node:
    """The tree of an expression, names resolved. Raises CelCompileError."""
    node = parse(text)
    check(text, node)
    return node


def children(node: Node) -> list[Node]:
    """The parts of a node, in reading order."""
    if isinstance(node, Select):
        return [node.operand]
    if isinstance(node, Call):
        return [*([node.target] if node.target is not None else []), *node.args]
    if isinstance(node, ListExpr):
        return list(node.elements)
    if isinstance(node, MapExpr):
        return [part for key, value, _ in node.entries for part in (key, value)]
    if isinstance(node, Macro):
        return [part for part in (node.operand, node.condition, node.body) if part is not None]
    return []


def walk(node: Node) -> Iterator[Node]:
    """A node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def path_of(node: Node) -> Path | None:
    """The path that a node reads, None when it is something else. `request.resource` is `R`; bound names are no path."""
    if isinstance(node, Ident):
        if not node.global_name:
            return None
        name = _LONG_NAMES.get(node.name, node.name)
        return _RECORDS.get(name) or ((name,) if name in {"request", "runtime"} else None)
    if isinstance(node, Select):
        return _below(node.operand, node.field)
    if isinstance(node, Call) and node.function in INDEX and len(node.args) == 2:
        key = node.args[1]
        if isinstance(key, Literal) and isinstance(key.value, str):
            return _below(node.args[0], key.value)
    return None


def _below(node: Node, name: str) -> Path | None:
    path = path_of(node)
    if path is None:
        return None
    if path == ("request",):
        return (_REQUEST[name],) if name in _REQUEST else (*path, name)
    return (*path, name)


def paths_in(node: Node) -> Iterator[tuple[Path, Node]]:
    """The longest paths that an expression reads, each with its node; the arguments of other nodes are searched."""
    path = path_of(node)
    if path is not None:
        yield path, node
        return
    for child in children(node):
        yield from paths_in(child)


def is_test(node: Node) -> bool:
    """Whether a node is `has(…)`."""
    return isinstance(node, Select) and node.test


def literal_text(node: Node) -> str | None:
    """The text of a text literal, else None."""
    return node.value if isinstance(node, Literal) and isinstance(node.value, str) else None


def literal_texts(node: Node) -> list[str]:
    """The texts of a text literal or of a list of them."""
    nodes = node.elements if isinstance(node, ListExpr) else [node]
    return [text for text in map(literal_text, nodes) if text is not None]


def unparse(node: Node, within: int = 0) -> str:
    """The text of a tree, with no more parentheses than it needs. It parses to the same tree."""
    text, level = _text(node)
    return f"({text})" if level < within else text


def _text(node: Node) -> tuple[str, int]:
    if isinstance(node, Literal):
        return _literal(node.value), _MEMBER
    if isinstance(node, Ident):
        return node.name, _MEMBER
    if isinstance(node, Select):
        field = node.field if _NAME.match(node.field) else f"`{node.field}`"
        text = f"{unparse(node.operand, _MEMBER)}.{'?' if node.optional else ''}{field}"
        return (f"has({text})" if node.test else text), _MEMBER
    if isinstance(node, ListExpr):
        items = [
            f"{'?' if number in node.optional else ''}{unparse(element)}"
            for number, element in enumerate(node.elements)
        ]
        return f"[{', '.join(items)}]", _MEMBER
    if isinstance(node, MapExpr):
        entries = [
            f"{'?' if optional else ''}{unparse(key)}: {unparse(value)}"
            for key, value, optional in node.entries
        ]
        return f"{{{', '.join(entries)}}}", _MEMBER
    if isinstance(node, Macro):
        return _macro(node), _MEMBER
    return _call(node)


def _call(node: Call) -> tuple[str, int]:
    if node.target is None and node.function in _INFIX and len(node.args) > 1:
        sign, level = _INFIX[node.function]
        first, *others = node.args
        return f" {sign} ".join([unparse(first, level), *(unparse(arg, level + 1) for arg in others)]), level
    if node.function == IF:
        condition, then, other = node.args
        return f"{unparse(condition, 1)} ? {unparse(then, 1)} : {unparse(other)}", 0
    if node.function in {NOT, "-_"}:
        operand = unparse(node.args[0], _MEMBER)
        # A sign before a number would become part of it, and two signs would cancel each other.
        text = f"({operand})" if operand[0] in "0123456789.-!" else operand
        return f"{node.function[0]}{text}", _UNARY
    if node.function in INDEX:
        mark = "?" if node.function == "_[?_]" else ""
        return f"{unparse(node.args[0], _MEMBER)}[{mark}{unparse(node.args[1])}]", _MEMBER
    arguments = ", ".join(map(unparse, node.args))
    target = f"{unparse(node.target, _MEMBER)}." if node.target is not None else ""
    return f"{target}{_EXTREMES.get(node.function, node.function)}({arguments})", _MEMBER


def _macro(node: Macro) -> str:
    if node.name == "bind":
        return f"cel.bind({node.names[0]}, {unparse(node.operand)}, {unparse(node.body)})"
    # `filter` has no body of its own: what passes is the element.
    parts = [node.condition] if node.name == "filter" else [node.condition, node.body]
    arguments = ", ".join([*node.names, *(unparse(part) for part in parts if part is not None)])
    name = "existsOne" if node.name == "exists_one" and len(node.names) == 2 else node.name
    return f"{unparse(node.operand, _MEMBER)}.{name}({arguments})"


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bytes):
        shown = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in value)
        return f'b"{"".join(shown)}"'
    if isinstance(value, Uint):
        return f"{int(value)}u"
    return repr(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped.replace(chr(9), chr(92) + "t")}"'
