"""Bearer tokens, of which only hashes are kept: who reads the configuration cannot use what stands there.

A token has at least 192 bits of randomness, so a plain SHA-256 is enough: there is nothing to guess.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, field

from gateway.domain.principal import CredentialClass

PREFIX = "ost_"
_RANDOM_BYTES = 24


class TokenEntry(Struct, frozen=True, kw_only=True):
    """One credential of the configuration. `expires` is in seconds since the epoch, 0 for never."""

    hash: str
    user: str
    roles: tuple[str, ...]
    attr: Mapping[str, Any] = field(default_factory=dict)
    credential_class: CredentialClass = "agent"
    agents: tuple[str, ...] = ()
    expires: int = 0


def new_token(random_bytes: Callable[[int], bytes]) -> str:
    """A fresh token: the prefix and 32 URL-safe random characters."""
    return PREFIX + base64.urlsafe_b64encode(random_bytes(_RANDOM_BYTES)).decode("ascii")


def hash_token(token: str) -> str:
    """What the configuration holds of a token: `sha256:<hex>`."""
    return "sha256:" + hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
