"""Hosts as programs name them: URLs, `user@host:path`, `host:port`."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from gateway.facts.hosts import canonical_host
from gateway.facts.shell.values import HOLE, Field

_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_AUTHORITY: Final = re.compile(r"(?:[^@/?#]*@)*(?P<host>\[[^\]]*\]|[^:/?#\\]*)")
_COPY_TARGET: Final = re.compile(r"(?:[^@/:\s]+@)?(?P<host>\[[^\]]+\]|[^/:\s@]+):(?!//)")


def host_of(target: Field) -> tuple[str | None, str]:
    """The host that a URL, or a bare `host[:port][/path]`, names, and the URL without its user information.

    None when nobody knows the host; "" for a target that is no host (an empty one).
    """
    text = target.text
    found = _URL.match(text)
    if found and found["scheme"].lower() == "file":
        return None, "file://" + unquote(found["rest"].removeprefix("localhost"))
    rest = found["rest"] if found else text.lstrip("/")
    authority = _AUTHORITY.match(rest)
    host = authority["host"].strip("[]") if authority else ""
    if HOLE in host or (target.glob and any(char in host for char in "*?[")):
        return None, text
    tail = rest[authority.end() :] if authority else ""
    shown = f"{found['scheme']}://{host}{tail}" if found else host + tail
    return canonical_host(host) or host.lower(), shown.replace(HOLE, "*")


def remote_host(text: str) -> str:
    """The host of an scp-like `[user@]host:path`, "" for a local path (which a slash before the colon tells)."""
    found = _COPY_TARGET.match(text)
    return found["host"].strip("[]").lower() if found and "/" not in text[: found.start("host")] else ""


def looks_like_url(text: str) -> bool:
    """Whether a text is a URL with a host."""
    found = _URL.match(text)
    return bool(found) and found is not None and found["scheme"].lower() != "file"
