"""The tree of a parsed expression. Macros are nodes of their own instead of being unrolled into folds."""

from __future__ import annotations

from typing import Any, Union


class Literal:
    """A constant of the text: None, bool, int, Uint, float, str or bytes."""

    __slots__ = ("depth", "offset", "type", "value")

    def __init__(self, value: Any, offset: int) -> None:
        self.value = value
        self.offset = offset
        self.depth: int = 1
        self.type: Any = None


class Ident:
    """A name. The checker sets `global_name` for a name of the environment and leaves it "" for a bound variable."""

    __slots__ = ("depth", "global_name", "name", "offset", "type")

    def __init__(self, name: str, offset: int) -> None:
        self.name = name
        self.offset = offset
        self.depth: int = 1
        self.global_name = ""
        self.type: Any = None


class Select:
    """`operand.field`, `operand.?field` (`optional`) or `has(operand.field)` (`test`)."""

    __slots__ = ("depth", "field", "offset", "operand", "optional", "test", "type")

    def __init__(
        self, operand: Node, field: str, offset: int, *, optional: bool = False, test: bool = False
    ) -> None:
        self.operand = operand
        self.field = field
        self.offset = offset
        self.optional = optional
        self.test = test
        self.depth: int = operand.depth + 1
        self.type: Any = None


class Call:
    """A function or operator; `target` is the receiver of a method call. `&&` and `||` take two terms or more.

    After the check a namespaced function (`math.abs(x)`) has its full name and no target.
    """

    __slots__ = ("args", "depth", "function", "member", "offset", "overload", "target", "type")

    def __init__(self, function: str, args: list[Node], offset: int, target: Node | None = None) -> None:
        self.function = function
        self.args = args
        self.target = target
        self.offset = offset
        self.member = target is not None
        depth = max((arg.depth for arg in args), default=0)
        self.depth: int = 1 + (max(depth, target.depth) if target is not None else depth)
        self.overload: Any = None
        self.type: Any = None


class ListExpr:
    """A list literal; the elements at the positions in `optional` are written `?element`."""

    __slots__ = ("depth", "elements", "offset", "optional", "type")

    def __init__(self, elements: list[Node], optional: frozenset[int], offset: int) -> None:
        self.elements = elements
        self.optional = optional
        self.offset = offset
        self.depth: int = 1 + max((element.depth for element in elements), default=0)
        self.type: Any = None


class MapExpr:
    """A map literal of (key, value, optional) entries."""

    __slots__ = ("depth", "entries", "offset", "type")

    def __init__(self, entries: list[tuple[Node, Node, bool]], offset: int) -> None:
        self.entries = entries
        self.offset = offset
        self.depth: int = 1 + max((max(key.depth, value.depth) for key, value, _ in entries), default=0)
        self.type: Any = None


class Macro:
    """A macro that binds variables: `name` says which, `operand` is what it runs over, `names` are its variables.

    all, exists, exists_one, filter, map, transformList, transformMap, transformMapEntry: `condition` (may be None
    for the last four) and `body`. sortBy: `body` is the key. bind, optMap, optFlatMap: `body` is the result. `weight` is what one round costs:
    the nodes of condition and body, without those that the rounds of inner macros pay for.
    """

    __slots__ = ("body", "condition", "depth", "name", "names", "offset", "operand", "type", "weight")

    def __init__(
        self,
        name: str,
        operand: Node,
        names: tuple[str, ...],
        body: Node,
        offset: int,
        condition: Node | None = None,
    ) -> None:
        self.name = name
        self.operand = operand
        self.names = names
        self.body = body
        self.condition = condition
        self.offset = offset
        self.depth: int = 1 + max(operand.depth, body.depth, condition.depth if condition is not None else 0)
        self.type: Any = None
        self.weight = _weight([body] if condition is None else [condition, body])


def _weight(nodes: list[Node]) -> int:
    count = 0
    stack = list(nodes)
    while stack:
        node = stack.pop()
        count += 1
        if type(node) is Macro:
            stack.append(node.operand)
        else:
            stack += children(node)
    return count


def children(node: Node) -> list[Node]:
    """The nodes directly below one, in the order of the text."""
    if type(node) is Select:
        return [node.operand]
    if type(node) is Call:
        return node.args if node.target is None else [node.target, *node.args]
    if type(node) is ListExpr:
        return node.elements
    if type(node) is MapExpr:
        return [part for key, value, _ in node.entries for part in (key, value)]
    if type(node) is Macro:
        return [part for part in (node.operand, node.condition, node.body) if part is not None]
    return []


Node = Union[Literal, Ident, Select, Call, ListExpr, MapExpr, Macro]  # noqa: UP007  # the classes above name it first
