"""Arithmetic on abstract values: integers where everything is known, else a number nobody knows.

Source: Bash Reference Manual 5.2, 6.5. Bash evaluates the text of variables that it meets, subscripts with commands
included: `x='a[$(id)]'; (( x ))` runs `id`. So the texts that could be evaluated are handed on.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Final

from gateway.facts.shell.state import State
from gateway.facts.shell.values import HOLE, Field

NUMBER: Final = Field("*", glob=True)
_NAMES: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SIMPLE: Final = re.compile(r"[\sA-Za-z0-9_+\-*/%()]{0,200}")
_ASSIGNMENT: Final = re.compile(
    r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<index>\[[^\]]*\])?\s*(?:(?:<<|>>|[-+*/%&^|])?=(?!=)|\+\+|--)"
    r"|(?:\+\+|--)\s*(?P<after>[A-Za-z_][A-Za-z0-9_]*)"
)
_OPERATORS: Final[dict[type[ast.operator], Callable[[int, int], int]]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: abs(left) // abs(right) * (1 if left * right >= 0 else -1),
    # The sign of C: that of the left side.
    ast.Mod: lambda left, right: abs(left) % abs(right) * (1 if left >= 0 else -1),
}
MAX_NUMBER: Final = 2**63


def evaluate(expression: Field, state: State) -> Field:
    """The value of an expression."""
    text = expression.text.strip()
    if not text:
        return Field("0")
    if not expression.known or not _SIMPLE.fullmatch(text):
        return NUMBER
    try:
        tree = ast.parse(text, mode="eval")
        return Field(str(_number(tree.body, state)))
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError, MemoryError):
        return NUMBER


def assign(expression: Field, state: State) -> None:
    """Carry out the assignments in an expression (`x=1`, `x+=2`, `x++`): the variables hold some number afterwards."""
    text = expression.text
    if "=" not in text and "++" not in text and "--" not in text:
        return
    for found in _ASSIGNMENT.finditer(text):
        name = found["after"] or found["name"]
        if found["index"] is None:
            state.set(name, (NUMBER,))
        else:
            array = state.array(name)
            key = (
                Field(found["index"][1:-1])
                if array.associative
                else evaluate(Field(found["index"][1:-1]), state)
            )
            state.set_array(name, array.assigned(key, NUMBER))


def hidden_code(expression: Field, state: State) -> Iterator[str]:
    """Texts within an expression, and in the variables it names, that would run commands when evaluated."""
    seen: set[str] = set()
    waiting = [expression.text]
    while waiting:
        text = waiting.pop()
        if "$(" in text or "`" in text:
            yield text
        for name in _NAMES.findall(text):
            if name not in seen:
                seen.add(name)
                waiting.extend(
                    field.text.replace(HOLE, "")
                    for field in state.variables.get(name, ())
                    if field.text != HOLE
                )


def _number(node: ast.expr, state: State) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name):
        value = state.variables.get(node.id, ())
        if len(value) == 1 and value[0].known:
            return int(value[0].text or "0")
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        operand = _number(node.operand, state)
        return -operand if isinstance(node.op, ast.USub) else operand
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        result = _OPERATORS[type(node.op)](_number(node.left, state), _number(node.right, state))
        if abs(result) < MAX_NUMBER:
            return result
    raise ValueError(ast.dump(node))
