"""What the configuration may say about identity: what proves nothing is refused, with the remedy."""

from __future__ import annotations

import pytest

from gateway.config import Config, DefaultPrincipal, HeaderIdentity, IdentitySection, Token
from gateway.configuration.rules import has_provider, identity_rules
from gateway.errors import ConfigError
from gateway.identity.tokens import hash_token

ADA = Token(hash=hash_token("ost_a"), user="ada", roles=("engineer", "analyst", "engineer"))


def config(*tokens: Token, headers: HeaderIdentity | None = None) -> Config:
    return Config(identity=IdentitySection(tokens=tokens, headers=headers or HeaderIdentity()))


def rules(made: Config, posture: str = "advisory"):
    return identity_rules(made, 1000, 1_800_000_000, posture)


def test_without_a_provider_the_default_principal_is_the_gateways_own_user():
    made = rules(Config(identity=IdentitySection(default=DefaultPrincipal(id="me", roles=("b", "a")))))
    assert (made.default.id, made.default.roles, made.own_uid) == ("me", ("a", "b"), 1000)
    assert made.default.key == ("socket", "", "1000")


def test_with_a_provider_there_is_no_default_principal():
    assert has_provider(config(ADA))
    assert rules(config(ADA)).default is None
    assert rules(config(ADA)).tokens[0].roles == ("analyst", "engineer")


def test_one_token_is_one_entry():
    with pytest.raises(ConfigError, match="same hash"):
        rules(config(ADA, Token(hash=ADA.hash, user="max")))


@pytest.mark.parametrize("wrong", ["", "sha256:", "ost_plain", "md5:" + "0" * 64, "sha256:" + "0" * 63])
def test_a_token_itself_is_not_taken_for_its_hash(wrong):
    with pytest.raises(ConfigError, match="hash"):
        rules(config(Token(hash=wrong, user="ada")))


def test_an_expiry_is_a_time():
    assert (
        rules(config(Token(hash=ADA.hash, user="a", expires="2027-01-15T08:00:00Z"))).tokens[0].expires
        == 1_800_000_000
    )
    with pytest.raises(ConfigError, match="ISO 8601"):
        rules(config(Token(hash=ADA.hash, user="a", expires="soon")))


def test_headers_need_the_peers_that_are_believed():
    with pytest.raises(ConfigError, match="trusted_peers"):
        rules(config(headers=HeaderIdentity(enabled=True)))
    with pytest.raises(ConfigError, match="networks"):
        rules(config(headers=HeaderIdentity(enabled=True, trusted_peers=("proxy.example",))))
    made = rules(
        config(headers=HeaderIdentity(enabled=True, trusted_peers=("10.0.0.0/8", "fd00::/8"))), "held"
    )
    assert made.trust_headers
    assert made.default is None


@pytest.mark.parametrize("network", ["127.0.0.0/8", "127.0.0.1", "::1", "0.0.0.0/0", "::/0", "127.1.2.3/32"])
def test_loopback_is_no_trusted_peer_unless_the_posture_is_advisory(network):
    made = config(headers=HeaderIdentity(enabled=True, trusted_peers=(network,)))
    assert rules(made, "advisory").trust_headers
    with pytest.raises(ConfigError, match="loopback"):
        rules(made, "held")
