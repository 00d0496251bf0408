"""Formats of JSON Schema where Cerbos' validator and ours differ; all others are the library's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import jsonschema_rs

_TIME_OR_SPAN = jsonschema_rs.Draft202012Validator(
    {"anyOf": [{"format": "date-time"}, {"format": "duration"}]}, validate_formats=True
)
_SPAN = jsonschema_rs.Draft202012Validator({"format": "duration"}, validate_formats=True)
_LABEL = re.compile(r"(?!-)[a-zA-Z0-9-]{1,63}(?<!-)\Z")
_HOST_LENGTH = 253


def is_hostname(text: str) -> bool:
    """RFC 1123; a final dot is allowed."""
    name = text.removesuffix(".")
    return len(name) <= _HOST_LENGTH and all(_LABEL.match(label) for label in name.split("."))


def is_period(text: str) -> bool:
    """ISO 8601: two times, or a time and a duration, with `/` between them."""
    first, separator, second = text.partition("/")
    both = bool(separator) and all(_TIME_OR_SPAN.is_valid(part) for part in (first, second))
    return both and not (_SPAN.is_valid(first) and _SPAN.is_valid(second))


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "hostname": is_hostname,
    "period": is_period,
    # Cerbos asserts none of this one.
    "idn-email": lambda _text: True,
}
