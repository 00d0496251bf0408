"""Regular expressions by RE2, in time linear in the text: `matches` and cel-go's extension regex.

Python's own `re` would let one hostile pattern or text stop the gateway (ReDoS), so it is never used on either.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import re2

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.errors import EvaluationError
from gateway.policy.cel.values import Optional

_MAX_MEMORY: Final = 1 << 20
_NOT_FOUND: Final = (-1, -1)
_MAX_PATTERN: Final = 4_096


# What RE2 says and what Go's regexp, which Cerbos uses, says of the same mistake.
_REASONS: Final = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "trailing \\": "trailing backslash at end of expression",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
}


@lru_cache(maxsize=512)
def _compiled(pattern: str, *, groups: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = not groups
    # Bounds the automaton of one pattern, which the pattern's author could otherwise blow up with counted repeats.
    options.max_mem = _MAX_MEMORY
    return re2.compile(pattern, options=options)


def searcher(pattern: str) -> Callable[[str], bool]:
    """A function that tells whether `pattern` occurs in a text. Raises `EvaluationError` for one RE2 refuses."""
    # The wrapper's search() computes character offsets nobody asks for, at four times the price of the match.
    match, unanchored = compile_pattern(pattern, groups=False)._regexp.Match, re2._Anchor.UNANCHORED  # noqa: SLF001

    def occurs(text: str) -> bool:
        data = text.encode("utf-8", "replace")
        return bool(match(unanchored, data, 0, len(data))[0] != _NOT_FOUND)

    return occurs


def compile_pattern(pattern: str, *, groups: bool = True) -> Any:
    """The compiled pattern. Raises `EvaluationError` for one that RE2 refuses."""
    if len(pattern) > _MAX_PATTERN:
        raise EvaluationError(f"regular expression has more than {_MAX_PATTERN} characters", "limit")
    try:
        return _compiled(pattern, groups=groups)
    except re2.error as error:
        detail = error.args[0]
        reason = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        what, colon, where = reason.partition(": ")
        shown = f"{_REASONS.get(what, what)}: `{where}`" if colon else _REASONS.get(what, what)
        raise EvaluationError(f"error parsing regexp: {shown}", "value") from None


def _charge(ctx: Activation, text: str, pattern: str) -> None:
    ctx.budget.charge(1 + len(text) // 16 + len(pattern) // 16)


def matches(ctx: Activation, text: str, pattern: str) -> bool:
    """`text.matches(pattern)`: whether the pattern occurs anywhere in the text."""
    _charge(ctx, text, pattern)
    return searcher(pattern)(text)


def extract(ctx: Activation, text: str, pattern: str) -> Optional:
    """`regex.extract(text, pattern)`: the first match, or its one group."""
    _charge(ctx, text, pattern)
    compiled = _with_one_group(pattern)
    found = compiled.search(text)
    if found is None:
        return Optional(present=False)
    if compiled.groups:
        group = found.group(1)
        return Optional(group, present=group is not None)
    return Optional(found.group(0), present=True)


def extract_all(ctx: Activation, text: str, pattern: str) -> list[str]:
    """`regex.extractAll(text, pattern)`: every match, or every match of its one group."""
    _charge(ctx, text, pattern)
    compiled = _with_one_group(pattern)
    result: list[str] = []
    for found in compiled.finditer(text):
        ctx.budget.charge(1)
        piece = found.group(1 if compiled.groups else 0)
        if piece or (piece is not None and not compiled.groups):
            result.append(piece)
    return result


def _with_one_group(pattern: str) -> Any:
    compiled = compile_pattern(pattern)
    if compiled.groups > 1:
        raise EvaluationError(f'regular expression has more than one capturing group: "{pattern}"', "value")
    return compiled


def replace(ctx: Activation, text: str, pattern: str, template: str, count: int = -1) -> str:
    r"""`regex.replace(text, pattern, template, count)`: `\1` … `\9` are groups, `\0` is the match, `\\` a backslash."""
    _charge(ctx, text, pattern)
    compiled = compile_pattern(pattern)
    parts = _template(template, compiled.groups)
    if count == 0:
        return text
    pieces: list[str] = []
    position = 0
    for found in compiled.finditer(text):
        ctx.budget.charge(1)
        pieces.append(text[position : found.start()])
        for part in parts:
            piece = part if isinstance(part, str) else found.group(part) or ""
            ctx.budget.charge_text(len(piece))
            pieces.append(piece)
        position = found.end()
        count -= 1
        if count == 0:
            break
    pieces.append(text[position:])
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
            why = f"invalid replacement string: '{template}' \\ must be followed by a digit or \\"
            raise EvaluationError(why, "value")
        position = slash + 2


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "matches": matches,
    "regex.extract": extract,
    "regex.extractAll": extract_all,
    "regex.replace": replace,
}
