"""Tokens → tree: precedence climbing over CEL's grammar (language definition, section "Syntax")."""

from __future__ import annotations

from typing import Final

from gateway.policy.cel.ast import Call, Ident, ListExpr, Literal, MapExpr, Node, Select
from gateway.policy.cel.errors import CelSyntaxError
from gateway.policy.cel.lexer import Token, int_in_range, syntax_error, tokenize
from gateway.policy.cel.limits import MAX_DEPTH, MAX_NESTING
from gateway.policy.cel.macros import expand_global, expand_member

_RELATIONS: Final = frozenset({"<", "<=", ">=", ">", "==", "!=", "in"})
_PRECEDENCE: Final = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(_RELATIONS, 3),
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "%": 5,
}
_OPERATORS: Final = {op: f"_{op}_" for op in _PRECEDENCE} | {"in": "@in"}
_RESERVED: Final = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "namespace",
        "package",
        "return",
        "var",
        "void",
        "while",
    ]
)


def parse(text: str) -> Node:
    """The tree of `text`. Raises `CelSyntaxError` and nothing else."""
    return _Parser(text).parse()


class _Parser:
    __slots__ = ("_index", "_nesting", "_text", "_tokens")

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._index = 0
        self._nesting = 0

    def parse(self) -> Node:
        node = self._expression()
        token = self._tokens[self._index]
        if token.kind != "end":
            raise self._unexpected(token)
        return node

    def _error(self, offset: int, message: str) -> CelSyntaxError:
        return syntax_error(self._text, offset, message)

    def _unexpected(self, token: Token) -> CelSyntaxError:
        return self._error(token.offset, f"unexpected '{token.value}'")

    def _next_is(self, op: str) -> bool:
        token = self._tokens[self._index]
        return token.kind == "op" and token.value == op

    def _take(self, op: str) -> bool:
        if self._next_is(op):
            self._index += 1
            return True
        return False

    def _expect(self, op: str) -> None:
        if not self._take(op):
            token = self._tokens[self._index]
            raise self._error(token.offset, f"unexpected '{token.value}', expecting '{op}'")

    def _name(self) -> Token:
        token = self._tokens[self._index]
        if token.kind != "name":
            raise self._unexpected(token)
        self._index += 1
        return token

    def _field(self) -> Token:
        token = self._tokens[self._index]
        if token.kind == "escaped":
            self._index += 1
            return token
        return self._name()

    def _deep(self, node: Node) -> Node:
        if node.depth > MAX_DEPTH:
            raise self._error(node.offset, f"expression is more than {MAX_DEPTH} levels deep")
        return node

    def _expression(self) -> Node:
        token = self._tokens[self._index]
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise self._error(token.offset, f"expression nests more than {MAX_NESTING} levels")
        node = self._binary(1)
        # A chain of conditions nests to the right; it is read in a loop, as long as it may be.
        chain: list[tuple[Node, Node, int]] = []
        while self._next_is("?"):
            offset = self._tokens[self._index].offset
            self._index += 1
            then = self._binary(1)
            self._expect(":")
            chain.append((node, then, offset))
            node = self._binary(1)
        for condition, then, offset in reversed(chain):
            node = self._deep(Call("_?_:_", [condition, then, node], offset))
        self._nesting -= 1
        return node

    def _binary(self, minimum: int) -> Node:
        left = self._unary()
        while True:
            token = self._tokens[self._index]
            level = _PRECEDENCE.get(token.value, 0) if token.kind == "op" else 0  # type: ignore[call-overload]  # op values are strings
            if level < minimum or not level:
                return left
            self._index += 1
            right = self._binary(level + 1)
            function = _OPERATORS[token.value]  # type: ignore[index]  # likewise
            # A chain of one logical operator is one node: it is read as balanced, and stays shallow.
            if (
                level < 3
                and type(left) is Call
                and left.function == function
                and left.target is None
                and left.member
            ):
                left.args.append(right)
                left.depth = max(left.depth, right.depth + 1)
            else:
                left = Call(function, [left, right], token.offset)
                left.member = level < 3  # marks a chain that is still open
            self._deep(left)

    def _unary(self) -> Node:
        start = self._index
        while self._next_is("!") or self._next_is("-"):
            self._index += 1
            if self._tokens[self._index].value != self._tokens[start].value:
                break
        signs = self._index - start
        if not signs:
            return self._postfix()
        first = self._tokens[start]
        last = self._tokens[self._index]
        if first.value == "-" and last.kind == "literal" and type(last.value) in (int, float):
            self._tokens[self._index] = Token("literal", -last.value, self._tokens[self._index - 1].offset)  # type: ignore[operator]  # a number
            signs -= 1
        node = self._nested_unary() if self._next_is("!") or self._next_is("-") else self._postfix()
        # Two signs of a kind cancel each other.
        if signs % 2:
            node = self._deep(Call("!_" if first.value == "!" else "-_", [node], first.offset))
        return node

    def _nested_unary(self) -> Node:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise self._error(
                self._tokens[self._index].offset, f"expression nests more than {MAX_NESTING} levels"
            )
        node = self._unary()
        self._nesting -= 1
        return node

    def _postfix(self) -> Node:
        node = self._primary()
        while True:
            token = self._tokens[self._index]
            if token.kind != "op" or token.value not in (".", "["):
                return node
            self._index += 1
            optional = self._take("?")
            if token.value == "[":
                index = self._expression()
                self._expect("]")
                node = Call("_[?_]" if optional else "_[_]", [node, index], token.offset)
            else:
                name = self._field()
                if not optional and name.kind == "name" and self._next_is("("):
                    offset = self._tokens[self._index].offset
                    args = self._arguments()
                    node = expand_member(self._text, node, str(name.value), args, offset)
                else:
                    node = Select(node, str(name.value), token.offset, optional=optional)
            self._deep(node)

    def _arguments(self) -> list[Node]:
        self._expect("(")
        args: list[Node] = []
        if self._take(")"):
            return args
        while True:
            args.append(self._expression())
            if not self._take(","):
                self._expect(")")
                return args

    def _primary(self) -> Node:
        token = self._tokens[self._index]
        self._index += 1
        if token.kind == "literal":
            if type(token.value) is int and not int_in_range(token.value):
                raise self._error(token.offset, "invalid int literal")
            return Literal(token.value, token.offset)
        if token.kind == "op":
            if token.value == "(":
                node = self._expression()
                self._expect(")")
                if type(node) is Call:
                    node.member = node.target is not None  # a bracket closes a chain of && or ||
                return node
            if token.value == "[":
                return self._deep(self._list(token.offset))
            if token.value == "{":
                return self._deep(self._map(token.offset))
            if token.value != ".":
                raise self._unexpected(token)
            # A leading dot asks for the root of the namespace; there is only one here.
            token = self._name()
        elif token.kind != "name":
            raise self._unexpected(token)
        name = str(token.value)
        if self._next_is("("):
            offset = self._tokens[self._index].offset
            return self._deep(expand_global(self._text, name, self._arguments(), offset))
        if name in _RESERVED:
            raise self._error(token.offset, f"reserved identifier: {name}")
        return Ident(name, token.offset)

    def _list(self, offset: int) -> Node:
        elements: list[Node] = []
        optional: set[int] = set()
        if self._empty("]"):
            return ListExpr(elements, frozenset(optional), offset)
        while not self._take("]"):
            if self._take("?"):
                optional.add(len(elements))
            elements.append(self._expression())
            if not self._take(","):
                self._expect("]")
                break
        return ListExpr(elements, frozenset(optional), offset)

    def _empty(self, closing: str) -> bool:
        """Whether a literal ends at once; the grammar lets a lone comma stand in an empty one."""
        after = self._tokens[min(self._index + 1, len(self._tokens) - 1)]
        if self._next_is(",") and after.kind == "op" and after.value == closing:
            self._index += 2
            return True
        return False

    def _map(self, offset: int) -> Node:
        entries: list[tuple[Node, Node, bool]] = []
        if self._empty("}"):
            return MapExpr(entries, offset)
        while not self._take("}"):
            optional = self._take("?")
            key = self._expression()
            self._expect(":")
            entries.append((key, self._expression(), optional))
            if not self._take(","):
                self._expect("}")
                break
        return MapExpr(entries, offset)
