"""Checks of what is written into an agent's settings: the address of the gateway, paths and names.

A URL is shown to the model when a hook fails, and lands in a shell line, a JSON text, a property list and a registry file;
so it holds an address and a path of plain characters and nothing else.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from gateway.errors import ConfigError

_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?\Z")
_NAME = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z][a-z0-9-]{0,61}[a-z0-9]?\Z"
)
DEFAULT_PATH = "/v1/hooks/"


def check_url(url: str, agent: str) -> str:
    """The URL to post hooks to, complete and in one spelling. Raises ConfigError that says what is wrong with it.

    Refused: user, query, fragment; a name where a literal address would do; plain http to anything but loopback.
    """
    _plain(url, "--url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _wrong(url, str(error), "Write http://127.0.0.1:8787.") from None
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise _wrong(url, "it is no http or https URL", "Write http://127.0.0.1:8787.")
    if "@" in parts.netloc:
        raise _wrong(url, "it holds a user or a password", "Send a token instead: --token.")
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        raise _wrong(url, "it holds a query or a fragment", "Take them out.")
    host, loopback = _host(url, parts)
    if parts.scheme == "http" and not loopback:
        raise _wrong(url, "plain http leaves this machine", "Use https, or run the gateway on loopback.")
    if port == 0:
        raise _wrong(url, "0 is no port", "Name the port the gateway listens on.")
    if not _PATH.match(parts.path) or {".", ".."} & set(parts.path.split("/")):
        raise _wrong(url, "its path holds characters that mean something elsewhere", "Use plain letters.")
    path = parts.path if parts.path.strip("/") else f"{DEFAULT_PATH}{agent}"
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{path}"


def host_of(url: str) -> str:
    """The host of a checked URL, an IPv6 address without its brackets."""
    return urlsplit(url).hostname or ""


def origin_of(url: str) -> str:
    """Scheme, host and port of a checked URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def check_path(path: str, flag: str) -> str:
    """An absolute path that is safe to write into settings. Raises ConfigError."""
    _plain(path, flag)
    if not path.startswith("/") and not re.match(r"[A-Za-z]:[/\\]", path):
        raise ConfigError(f"{flag}: {path!r} is no absolute path.", number=51, remedy="Write the whole path.")
    return path


def _plain(text: str, flag: str) -> None:
    if any(ord(letter) < 32 or 127 <= ord(letter) < 160 or 0xD800 <= ord(letter) < 0xE000 for letter in text):
        raise ConfigError(f"{flag}: {text!r} holds control characters.", number=51, remedy="Take them out.")


def check_text(text: str, flag: str) -> str:
    """A text without control characters. Raises ConfigError."""
    _plain(text, flag)
    return text


def _host(url: str, parts: SplitResult) -> tuple[str, bool]:
    """The host in its canonical spelling, and whether it is loopback."""
    host = (parts.hostname or "").rstrip(".")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _checked_name(url, parts, host), False
    if address.is_unspecified or address.is_multicast or getattr(address, "scope_id", None):
        raise _wrong(url, f"{host} is no address of one machine", "Write the address clients reach.")
    return (f"[{address}]" if address.version == 6 else str(address)), address.is_loopback


def _checked_name(url: str, parts: SplitResult, name: str) -> str:
    if name == "localhost" or name.endswith(".localhost"):
        raise _wrong(url, "a name can be answered by somebody else", "Write 127.0.0.1 or [::1].")
    if not _NAME.match(name):
        raise _wrong(url, f"{name!r} is neither an address nor a name", "Write http://127.0.0.1:8787.")
    if parts.scheme == "http":
        raise _wrong(
            url, "a name can be answered by somebody else", "Write the literal address, or use https."
        )
    return name


def _wrong(url: str, why: str, remedy: str) -> ConfigError:
    return ConfigError(f"--url: {url!r} cannot be used: {why}.", number=50, remedy=remedy)
