r"""URLs as agents write them to the authorities a client may contact.

Two programs can read one URL differently, so that there may be several: `http://a.example\@127.0.0.1/` is `a.example` to
a browser and `127.0.0.1` to others.

Sources: WHATWG URL (special schemes) and RFC 3986.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from msgspec import Struct

MAX_URL = 65_536
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_ENDS = "".join(chr(code) for code in range(33))
_DROPPED = str.maketrans("", "", "\t\r\n")
_SLASHES = re.compile(r"[/\\]*")
_SPECIAL_END = re.compile(r"[/\\?#]")
_PLAIN_END = re.compile(r"[/?#]")
_HIDDEN = re.compile(r"[\\?#][^/]*@")
_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>\d*))?\Z")


class Authority(Struct, frozen=True):
    """A host as written, percent-decoded, with its port (None when the URL names none), and the scheme in lower case."""

    scheme: str
    host: str
    port: int | None


def is_url(text: str) -> bool:
    """Whether a text begins like a URL with an authority, `scheme://` or `//host.name`."""
    begin = text.lstrip(_ENDS)[:64].translate(_DROPPED)
    found = _SCHEME.match(begin)
    return bool(found and begin[found.end() : found.end() + 2].replace("\\", "/") == "//")


def authorities(url: str, special: frozenset[str]) -> Iterator[Authority]:
    """Every authority that a client may take a URL to name, a browser's reading first.

    Text without a scheme is completed with https, as clients do. An authority that is none comes out with an empty host.
    """
    text = url[:MAX_URL].strip(_ENDS).translate(_DROPPED)
    found = _SCHEME.match(text)
    if found and not (found.group(1).lower() not in special and text[found.end() :].isdigit()):
        scheme, rest = found.group(1).lower(), text[found.end() :]
    else:
        scheme, rest = "https", f"//{text.lstrip('/')}"
    is_special = scheme in special
    if is_special:
        slashes = _SLASHES.match(rest)
        rest = rest[slashes.end() :] if slashes else rest
    elif rest[:2].replace("\\", "/") == "//":
        rest = rest[2:]
    else:
        return
    seen: set[Authority] = set()
    for text in _candidates(rest, is_special=is_special):
        authority = _parsed(scheme, text)
        if authority not in seen:
            seen.add(authority)
            yield authority


def _candidates(rest: str, *, is_special: bool) -> Iterator[str]:
    end = (_SPECIAL_END if is_special else _PLAIN_END).search(rest)
    first = rest[: end.start()] if end else rest
    parts = first.split("@")
    yield parts[-1]
    yield from parts[1:-1]
    if end and _HIDDEN.match(rest, end.start()):
        # Behind what ends the authority for a browser, an `@` makes it the user's name for others.
        plain = re.split(r"/", rest, maxsplit=1)[0]
        yield plain.rpartition("@")[2]


def _parsed(scheme: str, text: str) -> Authority:
    decoded = unquote(text, errors="replace") if "%" in text and not text.startswith("[") else text
    found = _PORT.match(decoded)
    if not found:
        return Authority(scheme, "", None)
    digits = found.group("port")
    port = int(digits[:8]) if digits else None
    if port is not None and port > 65_535:
        return Authority(scheme, "", None)
    return Authority(scheme, found.group("host"), port)
