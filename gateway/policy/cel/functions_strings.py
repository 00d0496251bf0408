"""Functions of strings (CEL "Standard definitions", cel-go extensions strings, encoders). Indices count code points."""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Callable
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.errors import EvaluationError
from gateway.policy.cel.format import format_text, quote
from gateway.policy.cel.operators import shown

_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER: Final = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
# Unicode's White_Space, which is what Go trims; Python's strip() also takes the four separators U+001C to U+001F.
_SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"

_PADDED: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_UNPADDED: Final = re.compile(r"[A-Za-z0-9+/\r\n]*")


def _out_of_range(index: int) -> EvaluationError:
    return EvaluationError(f"index out of range: {index}", "value")


def contains(ctx: Activation, text: str, part: str) -> bool:
    """`text.contains(part)`."""
    ctx.budget.charge_text(len(text))
    return part in text


def starts_with(ctx: Activation, text: str, prefix: str) -> bool:
    """`text.startsWith(prefix)`."""
    ctx.budget.charge_text(len(prefix))
    return text.startswith(prefix)


def ends_with(ctx: Activation, text: str, suffix: str) -> bool:
    """`text.endsWith(suffix)`."""
    ctx.budget.charge_text(len(suffix))
    return text.endswith(suffix)


def char_at(_ctx: Activation, text: str, index: int) -> str:
    """`text.charAt(index)`; "" just behind the end."""
    if not 0 <= index <= len(text):
        raise _out_of_range(index)
    return text[index : index + 1]


def index_of(ctx: Activation, text: str, part: str, start: int = 0) -> int:
    """`text.indexOf(part, start)`; -1 if absent."""
    if start < 0:
        raise _out_of_range(start)
    if not part:
        return min(start, len(text))
    ctx.budget.charge_text(len(text))
    return text.find(part, start)


def last_index_of(ctx: Activation, text: str, part: str, start: int | None = None) -> int:
    """`text.lastIndexOf(part, start)`, where `start` is the last place a match may begin; -1 if absent."""
    if start is not None and start < 0:
        raise _out_of_range(start)
    if not part:
        return len(text) if start is None else min(start, len(text))
    if start is not None and start >= len(text):
        return -1
    # Python searches from the right in time proportional to both lengths.
    ctx.budget.charge_text(len(text) * (1 + len(part) // 64))
    return text.rfind(part) if start is None else text.rfind(part, 0, start + len(part))


def lower_ascii(ctx: Activation, text: str) -> str:
    """`text.lowerAscii()`."""
    ctx.budget.charge_text(len(text))
    return text.lower() if text.isascii() else text.translate(_LOWER)


def upper_ascii(ctx: Activation, text: str) -> str:
    """`text.upperAscii()`."""
    ctx.budget.charge_text(len(text))
    return text.upper() if text.isascii() else text.translate(_UPPER)


def replace(ctx: Activation, text: str, old: str, new: str, count: int = -1) -> str:
    """`text.replace(old, new, count)`; all of them if `count` is negative."""
    occurrences = text.count(old) if old else len(text) + 1
    ctx.budget.charge_text(len(text) + (occurrences if count < 0 else min(count, occurrences)) * len(new))
    return text.replace(old, new, count)


def split(ctx: Activation, text: str, separator: str, count: int = -1) -> list[str]:
    """`text.split(separator, count)`: at most `count` pieces, all of them if it is negative, none if it is 0."""
    if count == 0:
        return []
    if not separator:
        ctx.budget.charge(len(text))
        pieces = list(text)
        return (
            pieces
            if count < 0 or len(pieces) <= count
            else [*pieces[: count - 1], "".join(pieces[count - 1 :])]
        )
    ctx.budget.charge(1 + len(text) // 16 + text.count(separator))
    return text.split(separator, -1 if count < 0 else count - 1)


def substring(ctx: Activation, text: str, start: int, end: int | None = None) -> str:
    """`text.substring(start, end)`."""
    ctx.budget.charge_text(len(text))
    if end is None:
        if not 0 <= start <= len(text):
            raise _out_of_range(start)
        return text[start:]
    if start > end:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {end}", "value")
    for index in (start, end):
        if not 0 <= index <= len(text):
            raise _out_of_range(index)
    return text[start:end]


def trim(ctx: Activation, text: str) -> str:
    """`text.trim()`."""
    ctx.budget.charge_text(len(text))
    return text.strip(_SPACE)


def join(ctx: Activation, parts: list[Any], separator: str = "") -> str:
    """`parts.join(separator)`. Raises for an element that is no string."""
    for part in parts:
        if type(part) is not str:
            raise EvaluationError(f"join: invalid input: {shown(part)}", "type")
    ctx.budget.charge(len(parts))
    ctx.budget.charge_text(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def reverse(ctx: Activation, value: Any) -> Any:
    """`value.reverse()` for strings and lists."""
    ctx.budget.charge(len(value) if type(value) is list else 1 + len(value) // 16)
    return value[::-1]


def encode_base64(ctx: Activation, data: bytes) -> str:
    """`base64.encode(data)`: standard alphabet, padded."""
    ctx.budget.charge_text(len(data))
    return base64.b64encode(data).decode()


def decode_base64(ctx: Activation, text: str) -> bytes:
    """`base64.decode(text)`: padding may be missing, newlines are skipped, as Go decodes."""
    ctx.budget.charge_text(len(text))
    compact = text.replace("\n", "").replace("\r", "")
    if _PADDED.fullmatch(compact):
        return base64.b64decode(compact)
    odd = _UNPADDED.match(text).end()  # type: ignore[union-attr]  # the pattern takes nothing too
    if odd < len(text):
        raise EvaluationError(f"illegal base64 data at input byte {len(text[:odd].encode())}", "value")
    if len(compact) % 4 == 1:
        raise EvaluationError(f"illegal base64 data at input byte {len(text) - 1}", "value")
    return base64.b64decode(compact + "=" * (-len(compact) % 4))


def format_list(ctx: Activation, template: str, args: list[Any]) -> str:
    """`template.format(args)`."""
    return format_text(ctx, template, args)


def quote_text(ctx: Activation, text: str) -> str:
    """`strings.quote(text)`."""
    ctx.budget.charge_text(len(text))
    return quote(text)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "contains": contains,
    "startsWith": starts_with,
    "endsWith": ends_with,
    "charAt": char_at,
    "indexOf": index_of,
    "lastIndexOf": last_index_of,
    "lowerAscii": lower_ascii,
    "upperAscii": upper_ascii,
    "replace": replace,
    "split": split,
    "substring": substring,
    "trim": trim,
    "join": join,
    "reverse": reverse,
    "format": format_list,
    "strings.quote": quote_text,
    "base64.encode": encode_base64,
    "base64.decode": decode_base64,
}
