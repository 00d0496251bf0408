"""`json.encode()`: a value as the text of its JSON, in the form of Go's encoding/json."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.gotext import plain_text
from gateway.policy.cel.json_output import to_json

# What Go escapes beyond JSON's own rules, so that the text may stand inside HTML and JavaScript.
_ESCAPES: Final = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)
_SMALL: Final = 1e-6
_LARGE: Final = 1e21


def _number(value: float) -> str:
    """The shortest digits, with an exponent only outside the range in which a browser writes none."""
    if value == 0 or _SMALL <= abs(value) < _LARGE:
        return "-0" if value == 0 and math.copysign(1.0, value) < 0 else plain_text(value)
    mantissa, _, exponent = repr(value).partition("e")
    power = int(exponent)
    return f"{mantissa.removesuffix('.0')}e{'+' if power > 0 else '-'}{abs(power)}"


def _write(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).translate(_ESCAPES)
    if isinstance(value, list):
        return "[" + ",".join(map(_write, value)) + "]"
    return "{" + ",".join(f"{_write(key)}:{_write(value[key])}" for key in sorted(value)) + "}"


def encode_json(ctx: Activation, value: Any) -> str:
    """`json.encode(value)`: compact, keys sorted. Raises `EvaluationError` for what JSON cannot hold."""
    return _write(to_json(value, ctx.budget))


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {"json.encode": encode_json}
