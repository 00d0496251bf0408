"""Reading SPIFFE IDs and trust domains (SPIFFE-ID specification, sections 2.1 and 2.2)."""

from __future__ import annotations

import re
from typing import Final

from gateway.policy.cel.errors import EvaluationError
from gateway.policy.cel.values import SpiffeId

_SCHEME: Final = "spiffe://"
_DOMAIN: Final = re.compile(r"[a-z0-9._-]+")
_SEGMENT: Final = re.compile(r"[a-zA-Z0-9._-]+")


def parse_domain(text: str) -> str:
    """The name of the trust domain that `text` names, alone or as part of a SPIFFE ID. Raises `EvaluationError`."""
    name = text
    if ":/" in text:
        name = parse_id(text).domain
    if not name:
        raise EvaluationError("trust domain is missing", "value")
    if _DOMAIN.fullmatch(name) is None:
        why = (
            "trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores"
        )
        raise EvaluationError(why, "value")
    return name


def parse_id(text: str) -> SpiffeId:
    """The SPIFFE ID that `text` is. Raises `EvaluationError`."""
    if not text:
        raise EvaluationError("cannot be empty", "value")
    if not text.startswith(_SCHEME):
        raise EvaluationError("scheme is missing or invalid", "value")
    domain, slash, rest = text[len(_SCHEME) :].partition("/")
    if not domain:
        raise EvaluationError("trust domain is missing", "value")
    if _DOMAIN.fullmatch(domain) is None:
        why = (
            "trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores"
        )
        raise EvaluationError(why, "value")
    if slash:
        _check_path(rest)
    return SpiffeId(domain, slash + rest)


def _check_path(path: str) -> None:
    for segment in path.split("/"):
        if not segment:
            trailing = path.endswith("/") or not path
            why = "path cannot have a trailing slash" if trailing else "path cannot contain empty segments"
            raise EvaluationError(why, "value")
        if segment in (".", ".."):
            raise EvaluationError("path cannot contain dot segments", "value")
        if _SEGMENT.fullmatch(segment) is None:
            why = "path segment characters are limited to letters, numbers, dots, dashes, and underscores"
            raise EvaluationError(why, "value")
