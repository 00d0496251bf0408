"""`matches` and cel-go's extension regex, on the patterns of `regex.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.errors import EvaluationError
from gateway.policy.cel.regex import Pattern, Span, compile_pattern
from gateway.policy.cel.values import Optional


def matches(ctx: Activation, text: str, pattern: str) -> bool:
    """`text.matches(pattern)`: whether the pattern occurs anywhere in the text."""
    compiled = compile_pattern(pattern, ctx.budget)
    ctx.budget.charge(compiled.price(len(text)))
    return compiled.occurs(text)


def extract(ctx: Activation, text: str, pattern: str) -> Optional:
    """`regex.extract(text, pattern)`: the first match, or its one group if that is not empty."""
    compiled = _with_one_group(ctx, pattern)
    data = _bytes(ctx, text)
    spans = compiled.find(ctx.budget, data)
    if spans is None:
        return Optional(present=False)
    span = spans[compiled.groups]
    return Optional(_piece(data, span), present=not compiled.groups or span[1] > span[0])


def extract_all(ctx: Activation, text: str, pattern: str) -> list[str]:
    """`regex.extractAll(text, pattern)`: every match, or every match of its one group that is not empty."""
    compiled = _with_one_group(ctx, pattern)
    data = _bytes(ctx, text)
    found = (spans[compiled.groups] for spans in compiled.find_all(ctx.budget, data))
    return [_piece(data, span) for span in found if span[1] > span[0] or not compiled.groups]


def _with_one_group(ctx: Activation, pattern: str) -> Pattern:
    compiled = compile_pattern(pattern, ctx.budget, groups=True)
    if compiled.groups > 1:
        raise EvaluationError(f'regular expression has more than one capturing group: "{pattern}"', "value")
    return compiled


def _bytes(ctx: Activation, text: str) -> bytes:
    ctx.budget.charge_text(len(text))
    return text.encode("utf-8", "replace")


def _piece(data: bytes, span: Span) -> str:
    return data[max(0, span[0]) : max(0, span[1])].decode("utf-8", "replace")


def replace(ctx: Activation, text: str, pattern: str, template: str, count: int = -1) -> str:
    r"""`regex.replace(text, pattern, template, count)`: `\1` … `\9` are groups, `\0` is the match, `\\` a backslash."""
    if count == 0:
        return text
    compiled = compile_pattern(pattern, ctx.budget, groups=True)
    data = _bytes(ctx, text)
    parts: list[str | int] | None = None
    pieces: list[str] = []
    position = 0
    for spans in compiled.find_all(ctx.budget, data):
        # Without a match nobody looks at the template.
        parts = _template(template, compiled.groups) if parts is None else parts
        pieces.append(_piece(data, (position, spans[0][0])))
        for part in parts:
            piece = part if isinstance(part, str) else _piece(data, spans[part])
            ctx.budget.charge_text(len(piece))
            pieces.append(piece)
        position = spans[0][1]
        count -= 1
        if count == 0:
            break
    pieces.append(_piece(data, (position, len(data))))
    return "".join(pieces)


def _template(template: str, groups: int) -> list[str | int]:
    parts: list[str | int] = []
    position = 0
    while True:
        slash = template.find("\\", position)
        if slash < 0:
            parts.append(template[position:])
            return parts
        parts.append(template[position:slash])
        code = template[slash + 1 : slash + 2]
        if code == "\\":
            parts.append("\\")
        elif code in tuple("0123456789"):
            if int(code) > groups:
                raise EvaluationError(
                    f"replacement string references group {code} but regex has only {groups} group(s)",
                    "value",
                )
            parts.append(int(code))
        else:
            what = "\\ must be followed by a digit or \\" if code else "\\ not allowed at end"
            why = f"invalid replacement string: '{template}' {what}"
            raise EvaluationError(why, "value")
        position = slash + 2


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "matches": matches,
    "regex.extract": extract,
    "regex.extractAll": extract_all,
    "regex.replace": replace,
}
