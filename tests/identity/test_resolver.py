"""Credentials to principals: what is presented must be good, and nothing weaker is taken instead."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.ports import Peer
from gateway.domain.principal import ANONYMOUS, Principal, Proof
from gateway.domain.vocabulary import IDENTITY_PROBLEMS
from gateway.identity.resolver import Identities, IdentityRules
from gateway.identity.tokens import TokenEntry, hash_token, new_token

NOW = 1_800_000_000
TOKEN, OTHER, OLD, ADMIN, BOUND = (f"ost_{letter * 32}" for letter in "abcde")
DEFAULT = Principal(id="local", roles=("engineer",), proof=Proof(provider="socket", subject="1000"))
HOME = Peer(address="127.0.0.1", port=5, uid=1000, loopback=True)
PROXY = Peer(address="10.1.2.3", port=5)


def entry(token: str, user: str = "ada", **fields) -> TokenEntry:
    return TokenEntry(hash=hash_token(token), user=user, roles=("engineer",), **fields)


def tokens() -> Identities:
    rules = IdentityRules(
        tokens=(
            entry(TOKEN),
            entry(OTHER, "max"),
            entry(OLD, expires=NOW),
            entry(ADMIN, credential_class="operator"),
            entry(BOUND, agents=("codex",)),
        ),
        own_uid=1000,
    )
    return Identities(rules, lambda: NOW * 1_000_000_000)


def embedded() -> Identities:
    return Identities(IdentityRules(default=DEFAULT, own_uid=1000), lambda: NOW * 1_000_000_000)


def proxied(*networks: str) -> Identities:
    rules = IdentityRules(
        tokens=(entry(TOKEN),),
        trust_headers=True,
        trusted_peers=tuple(ipaddress.ip_network(network) for network in networks),
    )
    return Identities(rules, lambda: NOW * 1_000_000_000)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def identify(identities: Identities, headers: dict[str, str], peer: Peer = HOME, agent: str = "claude-code"):
    return identities.identify(headers, peer, agent)


def test_a_good_token_is_its_user():
    found = identify(tokens(), bearer(TOKEN))
    assert (found.principal.id, found.principal.roles, found.proven) == ("ada", ("engineer",), True)
    assert found.principal.key == ("token", "", "ada")


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({}, "missing"),
        ({"authorization": ""}, "missing"),
        ({"authorization": "Bearer"}, "empty"),
        ({"authorization": "Bearer "}, "empty"),
        ({"authorization": "Bearer $OSTIARY_TOKEN"}, "empty"),
        ({"authorization": f"Basic {TOKEN}"}, "wrong_scheme"),
        ({"authorization": TOKEN}, "wrong_scheme"),
        (bearer("ost_" + "z" * 32), "unknown"),
        (bearer(TOKEN + "x"), "unknown"),
        (bearer(TOKEN[:-1]), "unknown"),
        (bearer(f"{TOKEN}, Bearer {OTHER}"), "malformed"),
        (bearer(f"{TOKEN} {OTHER}"), "malformed"),
        (bearer("x" * 5000), "malformed"),
        (bearer(OLD), "expired"),
        (bearer(ADMIN), "wrong_class"),
        (bearer(BOUND), "wrong_agent"),
    ],
)
def test_whatever_is_presented_must_be_good(headers, problem):
    found = identify(tokens(), headers)
    assert (found.principal, found.proven, found.problem) == (ANONYMOUS, False, problem)
    assert problem in IDENTITY_PROBLEMS


def test_the_scheme_may_be_written_in_any_case():
    assert identify(tokens(), {"authorization": f"bEARER  {TOKEN} "}).proven


def test_only_a_token_that_names_agents_proves_which_agent_is_in_use():
    assert not identify(tokens(), bearer(TOKEN)).agent_bound
    assert identify(tokens(), bearer(BOUND), agent="codex").agent_bound
    every = Identities(IdentityRules(tokens=(entry(TOKEN, agents=("*",)),)), lambda: 0)
    assert not identify(every, bearer(TOKEN)).agent_bound


def test_the_default_principal_is_a_loopback_caller_of_the_gateways_own_user():
    assert identify(embedded(), {}).principal == DEFAULT
    assert identify(embedded(), {"authorization": "Bearer "}).principal == DEFAULT


@pytest.mark.parametrize(
    ("peer", "problem"),
    [
        (Peer(address="127.0.0.1", uid=1001, loopback=True), "other_user"),
        (Peer(address="127.0.0.1", uid=0, loopback=True), "other_user"),
        (Peer(address="127.0.0.1", uid=None, loopback=True), "other_user"),
        (Peer(address="10.0.0.1", uid=1000, loopback=False), "not_loopback"),
        (Peer(), "not_loopback"),
    ],
)
def test_nobody_else_is_the_default_principal(peer, problem):
    found = identify(embedded(), {}, peer)
    assert (found.proven, found.problem) == (False, problem)


@pytest.mark.parametrize("headers", [bearer("ost_x"), {"authorization": "Basic x"}, bearer("a b")])
def test_a_bad_credential_never_becomes_the_default_principal(headers):
    assert not identify(embedded(), headers).proven


def test_there_is_no_default_principal_once_a_provider_is_configured():
    assert not identify(tokens(), {}).proven


HEADERS = {
    "x-claude-user": "eve",
    "x-claude-roles": "marketing, engineer,marketing",
    "x-cerbos-scope": "acme",
}


def test_headers_of_a_trusted_peer_are_believed():
    found = identify(proxied("10.0.0.0/8"), HEADERS, PROXY)
    assert (found.principal.id, found.principal.roles) == ("eve", ("engineer", "marketing"))
    assert (found.principal.scope, found.proven, found.agent_bound) == ("acme", True, False)
    assert found.principal.key == ("headers", "", "eve")


@pytest.mark.parametrize("address", ["11.0.0.1", "127.0.0.1", "", "::1", "nonsense"])
def test_headers_of_anybody_else_are_not(address):
    assert not identify(proxied("10.0.0.0/8"), HEADERS, Peer(address=address)).proven


def test_headers_mean_nothing_unless_switched_on():
    assert identify(embedded(), HEADERS).principal == DEFAULT
    assert not identify(tokens(), HEADERS, PROXY).proven


def test_headers_never_override_or_extend_a_verified_credential():
    found = identify(proxied("10.0.0.0/8"), {**bearer(TOKEN), **HEADERS}, PROXY)
    assert (found.principal.id, found.principal.roles, found.principal.scope) == ("ada", ("engineer",), "")
    assert not identify(proxied("10.0.0.0/8"), {**bearer("ost_x"), **HEADERS}, PROXY).proven


def test_headers_without_roles_give_no_role_that_a_policy_knows():
    found = identify(proxied("10.0.0.0/8"), {"x-claude-user": "eve"}, PROXY)
    assert found.principal.roles == ("anonymous",)


def test_an_administrative_surface_takes_tokens_of_its_classes_only():
    identities = proxied("10.0.0.0/8")
    assert identities.classify(bearer(TOKEN), ("operator",)).problem == "wrong_class"
    assert identities.classify(HEADERS, ("operator",)).problem == "missing"
    assert embedded().classify({}, ("operator",)).problem == "missing"
    assert tokens().classify(bearer(ADMIN), ("operator",)).proven


@given(st.dictionaries(st.sampled_from(["authorization", *HEADERS]), st.text(max_size=60), max_size=4))
def test_no_header_makes_a_stranger_somebody(headers):
    found = identify(tokens(), headers, PROXY)
    assert not found.proven
    assert found.problem in IDENTITY_PROBLEMS


def test_a_token_has_192_bits_of_chance_and_only_its_hash_is_kept():
    token = new_token(lambda count: bytes(range(count)))
    assert len(token) == len("ost_") + 32
    assert token not in hash_token(token)
    assert len(new_token(lambda count: b"\xff" * count)) == len(token)
