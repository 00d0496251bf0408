"""Credentials to principals. Total: whoever cannot be proven is anonymous, with the reason.

Order: a bearer token; identity headers from a trusted peer, where switched on; the default principal, only while no
provider is configured and only for loopback callers of the gateway's own user. Whatever is presented must be good: a bad
token never falls back to something weaker.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from gateway.domain.ports import Clock, Identified, Peer
from gateway.domain.principal import ANONYMOUS, CredentialClass, Principal, Proof, sorted_roles
from gateway.identity.tokens import TokenEntry, hash_token

_BILLION = 1_000_000_000
_MAX_TOKEN = 4096
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class IdentityRules(Struct, frozen=True, kw_only=True):
    """What the operator configured. `default` is None where it must not be used."""

    tokens: tuple[TokenEntry, ...] = ()
    default: Principal | None = None
    own_uid: int | None = None
    trust_headers: bool = False
    trusted_peers: tuple[Network, ...] = ()


class Identities:
    """Implements the `Identity` port."""

    def __init__(self, rules: IdentityRules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock
        self._by_hash = {entry.hash: entry for entry in rules.tokens}

    @property
    def has_provider(self) -> bool:
        """Whether any credential is configured, so that a missing one is a failure."""
        return bool(self._rules.tokens) or self._rules.trust_headers

    def identify(self, headers: Mapping[str, str], peer: Peer, agent: str) -> Identified:
        """Who sends a hook."""
        token, problem = _bearer(headers, strict=self.has_provider)
        if problem:
            return _unproven(problem)
        if token:
            return self._by_token(token, ("agent",), agent)
        if self._rules.trust_headers and self._is_trusted(peer):
            return self._by_headers(headers)
        if self.has_provider:
            return _unproven("missing")
        return self._default(peer)

    def classify(self, headers: Mapping[str, str], allowed: Sequence[CredentialClass]) -> Identified:
        """Who asks an administrative surface: a token of one of the classes, nothing else."""
        token, problem = _bearer(headers, strict=True)
        if problem:
            return _unproven(problem)
        return self._by_token(token, allowed, "") if token else _unproven("missing")

    def _by_token(self, token: str, allowed: Sequence[CredentialClass], agent: str) -> Identified:
        entry = self._by_hash.get(hash_token(token))
        now = self._clock() // _BILLION
        if entry is None:
            return _unproven("unknown")
        if entry.credential_class not in allowed:
            return _unproven("wrong_class")
        if entry.expires and now >= entry.expires:
            return _unproven("expired")
        if agent and entry.agents and not any(fnmatchcase(agent, pattern) for pattern in entry.agents):
            return _unproven("wrong_agent")
        principal = Principal(
            id=entry.user,
            roles=sorted_roles(entry.roles),
            attr=entry.attr,
            proof=Proof(provider="token", subject=entry.user, at=now),
            credential_class=entry.credential_class,
        )
        bound = bool(entry.agents) and "*" not in entry.agents
        return Identified(principal=principal, proven=True, agent_bound=bound)

    def _by_headers(self, headers: Mapping[str, str]) -> Identified:
        user = headers.get("x-claude-user", "").strip()
        roles = tuple(role.strip() for role in headers.get("x-claude-roles", "").split(",") if role.strip())
        if not user:
            return _unproven("missing")
        principal = Principal(
            id=user,
            roles=sorted_roles(roles),
            scope=headers.get("x-cerbos-scope", "").strip(),
            proof=Proof(provider="headers", subject=user, at=self._clock() // _BILLION),
        )
        return Identified(principal=principal, proven=True)

    def _default(self, peer: Peer) -> Identified:
        """The one user of a laptop: whoever owns the socket is the user the gateway runs as."""
        principal = self._rules.default
        if principal is None:
            return _unproven("missing")
        if not peer.loopback:
            return _unproven("not_loopback")
        if peer.uid is None or peer.uid != self._rules.own_uid:
            return _unproven("other_user")
        # Nobody else uses this gateway: what the operator says of an agent is said of this user's.
        return Identified(principal=principal, proven=True, agent_bound=True)

    def _is_trusted(self, peer: Peer) -> bool:
        try:
            address = ipaddress.ip_address(peer.address)
        except ValueError:
            return False
        return any(address in network for network in self._rules.trusted_peers)


def _bearer(headers: Mapping[str, str], *, strict: bool) -> tuple[str, str]:
    """The token of the Authorization header, and what is wrong with it.

    An empty token is what an unset variable makes of `Bearer $OSTIARY_TOKEN`: absent while nothing is configured.
    """
    value = headers.get("authorization", "").strip()
    if not value:
        return "", ""
    scheme, _, token = value.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer":
        return "", "wrong_scheme"
    if not token or token.startswith("$"):
        return "", "empty" if strict else ""
    if "," in token or " " in token or len(token) > _MAX_TOKEN:
        return "", "malformed"
    return token, ""


def _unproven(problem: str) -> Identified:
    return Identified(principal=ANONYMOUS, proven=False, problem=problem)
