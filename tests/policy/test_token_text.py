"""Tokens whose signatures nobody verifies, read or refused as a PDP 0.55 does with `disableVerification`."""

from __future__ import annotations

import base64

import pytest

from gateway.errors import CredentialError
from gateway.policy.aux_data import TokenVerifier

NOW = 1_700_000_000 * 10**9
_HS256 = b'{"alg":"HS256"}'


def segment(data):
    """A part of a token."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(claims=b"{}", header=_HS256, signature="AA"):
    """A token of the bytes given."""
    return f"{segment(header)}.{segment(claims)}.{signature}"


READ = {
    "plain": (token(), {}),
    "no algorithm": (token(b'{"a":1}', b"{}"), {"a": 1}),
    "null key id": (token(header=b'{"alg":"HS256","kid":null}'), {}),
    "spaces around": (f" {token()}\n", {}),
    "bare claims": (' {"a": [1]}', {"a": [1]}),
    "something behind the claims": (token(b'{"a":1} x'), {"a": 1}),
    "padding": (f"{segment(_HS256)}.eyJhIjoxfQ==.AA==", {"a": 1}),
    "the other alphabet": (token(signature="+/+/"), {}),
    "half a pair": (token(b'{"\\ud800":"\\ud83e\\udd89"}'), {"\ufffd": "🦉"}),
    "no text": (token(b'{"a":"\xff"}'), {"a": "\ufffd"}),
    "null claims": (token(b'{"sub":null,"iss":null,"x":null}'), {"sub": "", "iss": ""}),
    "time as text": (token(b'{"iat":"2020-01-01T00:00:00.5+01:00"}'), {"iat": "2019-12-31T23:00:00Z"}),
    "time as a number in text": (token(b'{"iat":"5.7"}'), {"iat": "1970-01-01T00:00:05Z"}),
}
REFUSED = {
    "expired bare claims": '{"exp": 5}',
    "both alphabets": token(signature="+-"),
    "wrong padding": f"{segment(_HS256)}==.e30.AA",
    "no signature": token(signature=""),
    "signature that is none": token(signature="!!"),
    "four parts": token() + ".AA",
    "unknown algorithm": token(header=b'{"alg":"foo"}'),
    "algorithm of an encryption": token(header=b'{"alg":"RSA-OAEP"}'),
    "null algorithm": token(header=b'{"alg":null}'),
    "list as algorithm": token(header=b'{"alg":[]}'),
    "number as type": token(header=b'{"alg":"HS256","typ":5}'),
    "number as critical names": token(header=b'{"alg":"HS256","crit":5}'),
    "payload that is not encoded": token(header=b'{"alg":"HS256","b64":false}'),
    "a key brought along": token(header=b'{"alg":"HS256","jwk":{}}'),
    "list as claims": token(b"[]"),
    "no claims": token(b""),
    "number beyond a double": token(b'{"a":1e400}'),
    "no number": token(b'{"a":NaN}'),
    "a mark before the claims": token(b"\xef\xbb\xbf{}"),
    "null audience": token(b'{"aud":null}'),
    "null expiry": token(b'{"exp":null}'),
    "time with an exponent in text": token(b'{"iat":"1e3"}'),
    "time behind a space": token(b'{"iat":" 5"}'),
    "depth without end": '{"a":' + "[" * 20_000 + "]" * 20_000 + "}",
}


@pytest.mark.parametrize("name", READ)
def test_what_the_pdp_reads_is_read(name):
    text, claims = READ[name]
    assert TokenVerifier(None).claims(text, "", NOW) == claims


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_pdp_refuses_is_refused(name):
    with pytest.raises(CredentialError):
        TokenVerifier(None).claims(REFUSED[name], "", NOW)
