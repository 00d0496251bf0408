"""What a token says before anybody asks whether it is true: its parts, header and claims, read as a Cerbos PDP 0.55 reads them.

The PDP hands tokens to a Go library that guesses each part's base64 alphabet, reads the first JSON value of a part and
replaces what is no Unicode. A token that it refuses is refused here, whether or not signatures are verified.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NoReturn

from gateway.errors import CredentialError

_ALGORITHMS = frozenset({
    *("none", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES256K", "ES384", "ES512", "EdDSA", "Ed25519", "Ed448"),
})  # fmt: skip
_TEXTS = ("typ", "cty", "kid", "jku", "x5u", "x5t", "x5t#S256")
_MAX_DEPTH = 200


def header_of(token: str) -> dict[str, Any]:
    """The header of a compact token. Raises CredentialError."""
    return _object(_decoded(_parts(token)[0]))


def payload_of(token: str) -> bytes:
    """The payload of a token that nobody verifies: a compact one, or bare JSON. Raises CredentialError."""
    if token.lstrip().startswith("{"):
        return token.encode("utf-8", "replace")
    header, payload, signature = _parts(token)
    _check_header(_object(_decoded(header)))
    if not signature:
        raise refused("it has no signature")
    _decoded(signature)
    return _decoded(payload)


def claims_of(payload: bytes) -> dict[str, Any]:
    """The claims of a payload; what is no Unicode is replaced in them. Raises CredentialError."""
    found: dict[str, Any] = _unicode(_object(payload), _MAX_DEPTH)
    return found


def refused(reason: str) -> CredentialError:
    """The error of a token."""
    return CredentialError(f"The token is refused: {reason}.", number=20)


def _parts(token: str) -> tuple[str, str, str]:
    parts = token.strip().split(".")
    if len(parts) != 3:
        raise refused("it has not three parts")
    return parts[0], parts[1], parts[2]


def _check_header(header: Mapping[str, Any]) -> None:
    if "alg" in header and not (isinstance(header["alg"], str) and header["alg"] in _ALGORITHMS):
        raise refused("its alg is unknown")
    if any(not isinstance(header.get(name) or "", str) for name in _TEXTS):
        raise refused("a text of its header is none")
    if not isinstance(header.get("crit") or [], list):
        raise refused("its crit is no list")
    # Keys and certificates that a token brings along are nobody's: such a token is not for us.
    if header.get("b64") is False or header.get("jwk") is not None or header.get("x5c") is not None:
        raise refused("its header asks for what is not supported")


def _decoded(text: str) -> bytes:
    """A part's bytes: either alphabet of base64, with its padding or without."""
    altchars = b"+/" if "+" in text or "/" in text else b"-_"
    padded = text if text.endswith("=") else text + "=" * (-len(text) % 4)
    mixed = altchars == b"+/" and ("-" in text or "_" in text)
    try:
        decoded = base64.b64decode(padded.encode("ascii"), altchars=altchars, validate=True)
    except (ValueError, binascii.Error):
        decoded = None
    if decoded is None or mixed or len(padded) % 4:
        raise refused("a part of it is not base64")
    return decoded


def _object(raw: bytes) -> dict[str, Any]:
    """The first JSON value of a part, an object."""
    try:
        text = raw.decode("utf-8", "replace").lstrip(" \t\r\n")
        found, _ = json.JSONDecoder(parse_float=_finite, parse_constant=_constant).raw_decode(text)
    except (ValueError, RecursionError):
        raise refused("a part of it is not JSON") from None
    if not isinstance(found, dict):
        raise refused("a part of it is no JSON object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is too large")
    return number


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _unicode(value: Any, depth: int) -> Any:
    """A JSON value without halves of surrogate pairs."""
    if depth == 0:
        raise refused("its claims are too deep")
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_unicode(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {_unicode(name, depth): _unicode(item, depth - 1) for name, item in value.items()}
    return value
