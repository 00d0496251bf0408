"""Tokens of a request as `request.auxData.jwt`: verified with the key sets of the configuration, and nothing else.

A key says which algorithm it is for; the token's header chooses a key by `kid` and nothing more: `jku`, `x5u`, `jwk` and
`x5c` are never looked at. As a Cerbos PDP 0.55 does, times of a token (`exp`, `nbf`, `iat`) must hold even where signatures
are not verified, and they appear in conditions as RFC 3339 text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from joserfc import jwk, jws
from joserfc.errors import JoseError
from msgspec import Struct

from gateway.errors import ConfigError
from gateway.policy.cel.gotext import parse_timestamp
from gateway.policy.token_text import claims_of, header_of, payload_of, refused

_BY_TYPE: Mapping[str, tuple[str, ...]] = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
    "oct": ("HS256", "HS384", "HS512"),
}
_TIMES = ("exp", "nbf", "iat")
_TEXTS = ("iss", "sub", "jti")
_MAX_TOKEN = 64 * 1024
_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]+)?")
_LATEST_SECOND = 253_402_300_799


class KeySetRules(Struct, frozen=True, kw_only=True):
    """What a key set's keys may lack."""

    optional_algorithm: bool = False
    optional_kid: bool = False


class _Key(Struct, frozen=True, eq=False):
    key: Any
    kid: str
    algorithms: tuple[str, ...]


class KeySet:
    """Keys that may sign tokens. Raises ConfigError for a set that cannot be used."""

    def __init__(self, name: str, data: bytes, rules: KeySetRules, *, pem: bool = False) -> None:
        self._rules = rules
        try:
            found = [_pem(data)] if pem else _jwks(data)
        except (ValueError, KeyError, TypeError, JoseError) as error:
            raise _unusable(name, f"its keys cannot be read: {error}") from None
        self._keys = [self._usable(name, index, key) for index, key in enumerate(found)]

    def _usable(self, name: str, index: int, key: Any) -> _Key:
        fields = key.as_dict(private=False)
        kid, algorithm = str(fields.get("kid") or ""), str(fields.get("alg") or "")
        if not kid and not self._rules.optional_kid:
            raise _unusable(name, f"key {index} has no kid")
        allowed = _BY_TYPE.get(key.key_type, ())
        if not algorithm and not self._rules.optional_algorithm:
            raise _unusable(name, f"key {index} has no alg")
        if algorithm and algorithm not in allowed:
            raise _unusable(
                name, f"the alg {algorithm!r} of key {index} does not fit its type {key.key_type}"
            )
        if fields.get("use", "sig") != "sig":
            return _Key(key, kid, ())
        return _Key(key, kid, (algorithm,) if algorithm else allowed)

    def verify(self, token: str) -> bytes:
        """The payload of a token that one of the keys signed. Raises CredentialError."""
        header = header_of(token)
        algorithm, kid = header.get("alg"), header.get("kid")
        for key in self._keys:
            if algorithm not in key.algorithms or (not self._rules.optional_kid and kid != key.kid):
                continue
            try:
                return jws.deserialize_compact(token, key.key, algorithms=[str(algorithm)]).payload
            except (JoseError, ValueError):
                continue
        raise refused("no key of the set signed it")


class TokenVerifier:
    """Verifies tokens with named key sets; `sets` None leaves signatures unverified, which the operator must want.

    `now` in nanoseconds since the epoch; `skew_seconds` is allowed between clocks.
    """

    def __init__(self, sets: Mapping[str, KeySet] | None, skew_seconds: float = 0.0) -> None:
        self._sets = sets
        self._skew = skew_seconds

    def claims(self, token: str, key_set: str, now: int) -> dict[str, Any]:
        """The claims of a token, as conditions see them. Raises CredentialError."""
        if len(token) > _MAX_TOKEN:
            raise refused("it is too long")
        payload = payload_of(token) if self._sets is None else self._chosen(key_set).verify(token)
        claims = claims_of(payload)
        for name in _TEXTS:
            if name in claims and claims[name] is None:
                claims[name] = ""
        if any(name in claims and claims[name] is None for name in (*_TIMES, "aud")):
            raise refused("a registered claim is null")
        found = {name: value for name, value in claims.items() if value is not None}
        self._check_times(found, now / 1e9)
        for name in _TIMES:
            if name in found:
                moment = datetime.fromtimestamp(_seconds(name, found[name]), UTC)
                found[name] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        for name in _TEXTS:
            if not isinstance(found.get(name, ""), str):
                raise refused(f"its {name} is no text")
        if isinstance(found.get("aud"), str):
            found["aud"] = [found["aud"]]
        audience = found.get("aud", [])
        if not isinstance(audience, list) or not all(isinstance(item, str) for item in audience):
            raise refused("its aud is no list of texts")
        return found

    def _chosen(self, name: str) -> KeySet:
        assert self._sets is not None
        if not name and len(self._sets) == 1:
            return next(iter(self._sets.values()))
        chosen = self._sets.get(name)
        if chosen is None:
            raise refused(f"there is no key set {name!r}")
        return chosen

    def _check_times(self, claims: Mapping[str, Any], now: float) -> None:
        for name in _TIMES:
            if name not in claims:
                continue
            moment = _seconds(name, claims[name])
            if name == "exp" and now >= moment + self._skew:
                raise refused("it has expired")
            if name != "exp" and now < moment - self._skew:
                raise refused(f"its {name} lies in the future")


def _seconds(name: str, value: Any) -> int:
    """A time claim in whole seconds: a number, also as text, or RFC 3339 text."""
    seconds = -1.0
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        seconds = float(value)
    elif isinstance(value, str) and (moment := parse_timestamp(value)) is not None:
        seconds = moment[0] / 1e9
    if not 0 <= seconds <= _LATEST_SECOND:
        raise refused(f"its {name} is no time")
    return int(seconds)


def _pem(data: bytes) -> Any:
    for kind in (jwk.RSAKey, jwk.ECKey, jwk.OKPKey):
        try:
            return kind.import_key(data)
        except (ValueError, TypeError, JoseError):
            continue
    raise ValueError("no RSA, EC or Ed25519 key in PEM form")


def _jwks(data: bytes) -> Iterable[Any]:
    found = json.loads(data)
    return [jwk.import_key(fields) for fields in found.get("keys", [found])]


def _unusable(name: str, reason: str) -> ConfigError:
    return ConfigError(
        f"The key set {name!r} cannot be used: {reason}.",
        number=44,
        remedy="Give every key a kid and an alg, or allow their absence under `insecure`.",
    )
