"""Tokens: only a key of the set makes one count, whatever its header says. The table is what a PDP 0.55 accepts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from joserfc import jwk, jwt

from gateway.errors import ConfigError, CredentialError
from gateway.policy.aux_data import KeySet, KeySetRules, TokenVerifier

NOW = 1_700_000_000
RSA = jwk.RSAKey.generate_key(2048, private=True)
EC = jwk.ECKey.generate_key("P-256", private=True)


def _encode(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(key, algorithm, kid=None, claims=None, **header):
    """A signed token."""
    given = {"alg": algorithm, **({"kid": kid} if kid else {}), **header}
    return jwt.encode(given, claims or {"sub": "s", "exp": NOW + 100}, key, algorithms=[algorithm])


def forged(claims, **header):
    """A token with a signature of nobody."""
    return f"{_encode(json.dumps(header).encode())}.{_encode(json.dumps(claims).encode())}.AAAA"


def public(key, **fields):
    """The public half of a key, with some fields of its own."""
    return {**key.as_dict(private=False), "kid": None, **fields}


def key_set(*keys, **rules):
    """A key set."""
    data = json.dumps(
        {"keys": [{name: value for name, value in key.items() if value is not None} for key in keys]}
    )
    return KeySet("k", data.encode(), KeySetRules(**rules))


_FULL = (public(RSA, kid="r", alg="RS256"), public(EC, kid="e", alg="ES256"))
SETS = {
    "full": key_set(*_FULL),
    "no alg": key_set(public(RSA, kid="r", alg=None), optional_algorithm=True),
    "any kid": key_set(*_FULL, optional_kid=True),
    "encryption": key_set(public(RSA, kid="r", alg="RS256", use="enc")),
    "pem": KeySet(
        "p", RSA.as_pem(private=False), KeySetRules(optional_algorithm=True, optional_kid=True), pem=True
    ),
}
TOKENS = {
    "right": token(RSA, "RS256", "r"),
    "right ec": token(EC, "ES256", "e"),
    "no kid": token(RSA, "RS256"),
    "other kid": token(RSA, "RS256", "x"),
    "other alg": token(RSA, "RS512", "r"),
    "pss": token(RSA, "PS256", "r"),
    "other key": token(EC, "ES256", "r"),
    "unsigned": forged({"a": 1}, alg="none", kid="r"),
    "forged": forged({"a": 1}, alg="RS256", kid="r"),
    "own key url": token(RSA, "RS256", "r", jku="http://127.0.0.1:1/keys"),
}
ACCEPTED = {
    "full": {"right", "right ec", "own key url"},
    "no alg": {"right", "other alg", "pss", "own key url"},
    "any kid": {"right", "right ec", "no kid", "other kid", "other key", "own key url"},
    "encryption": set(),
    "pem": {"right", "no kid", "other kid", "other alg", "pss", "own key url"},
}


def accepted(verifier, text, key_set=""):
    """Whether a verifier takes a token."""
    try:
        verifier.claims(text, key_set, NOW * 10**9)
    except CredentialError:
        return False
    return True


@pytest.mark.parametrize("name", SETS)
def test_a_set_takes_the_tokens_its_keys_signed(name):
    verifier = TokenVerifier({name: SETS[name]})
    assert {which for which, text in TOKENS.items() if accepted(verifier, text)} == ACCEPTED[name]


def test_a_public_key_is_no_secret():
    signed = f"{_encode(json.dumps({'alg': 'HS256', 'kid': 'r'}).encode())}.{_encode(b'{}')}"
    secret = hmac.new(RSA.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
    for name in ("full", "no alg", "pem"):
        assert not accepted(TokenVerifier({name: SETS[name]}), f"{signed}.{_encode(secret)}")


def test_the_key_set_is_named_where_there_are_several():
    verifier = TokenVerifier({"a": SETS["full"], "b": SETS["pem"]})
    assert accepted(verifier, TOKENS["right"], "a")
    assert not accepted(verifier, TOKENS["right"])
    assert not accepted(verifier, TOKENS["right"], "c")


@pytest.mark.parametrize(
    ("claims", "skew", "taken"),
    [
        ({"exp": NOW - 1}, 0, False), ({"exp": NOW - 1}, 5, True), ({"exp": NOW + 1}, 0, True), ({"exp": "soon"}, 0, False),
        ({"nbf": NOW + 1}, 0, False), ({"nbf": NOW + 1}, 5, True), ({"iat": NOW + 9}, 0, False), ({"iat": NOW}, 0, True),
        ({"exp": True}, 0, False), ({"exp": -5}, 0, False), ({"exp": str(NOW + 5)}, 0, True), ({}, 0, True),
        ({"sub": 5}, 0, False), ({"aud": 5}, 0, False), ({"aud": ["x", 5]}, 0, False), ({"aud": "x"}, 0, True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("verified", [True, False])
def test_times_and_forms_of_claims_must_hold_even_unverified(claims, skew, taken, verified):
    text = token(RSA, "RS256", "r", {"x": 1, **claims})
    assert accepted(TokenVerifier({"k": SETS["full"]} if verified else None, skew), text) is taken


def test_conditions_see_times_as_text_and_audiences_as_a_list():
    claims = TokenVerifier({"k": SETS["full"]}).claims(
        token(RSA, "RS256", "r", {"exp": NOW + 1.9, "aud": "x", "n": 1.5, "deep": {"a": [None]}}),
        "",
        NOW * 10**9,
    )
    assert claims == {"exp": "2023-11-14T22:13:21Z", "aud": ["x"], "n": 1.5, "deep": {"a": [None]}}


@pytest.mark.parametrize(
    "text", ["", "a.b", "a.b.c", "..", "é.é.é", "x" * 100_000, f"{_encode(b'[]')}.{_encode(b'{}')}.x"]
)
def test_what_is_no_token_is_refused(text):
    for verifier in (TokenVerifier({"k": SETS["full"]}), TokenVerifier(None)):
        assert not accepted(verifier, text)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ([public(RSA, alg="RS256")], "no kid"),
        ([public(RSA, kid="r", alg=None)], "no alg"),
        ([public(RSA, kid="r", alg="ES256")], "does not fit"),
        ([{"kty": "RSA"}], "cannot be read"),
    ],
)
def test_a_set_that_could_be_misread_is_refused_at_the_start(keys, reason):
    with pytest.raises(ConfigError, match=reason):
        key_set(*keys)
