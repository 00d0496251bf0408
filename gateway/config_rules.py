"""The configuration as the settings of each part: translation only, refusing what cannot hold together."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from gateway.checks import CheckSettings
from gateway.config import Config, Token
from gateway.domain.modes import Modes
from gateway.domain.principal import Principal, Proof, sorted_roles
from gateway.enforce import Stance
from gateway.errors import ConfigError
from gateway.facts.analyser import FactsSettings
from gateway.facts.project import ProjectRule
from gateway.identity.resolver import IdentityRules
from gateway.identity.tokens import TokenEntry
from gateway.posture import Judgement

_HASH_LENGTH = len("sha256:") + 64


class Judge(Protocol):
    """Judges who could change places."""

    def __call__(self, places: Iterable[Path], *, own_uid: int, uses_default_principal: bool) -> Judgement:
        """The judgement."""
        ...


def has_provider(config: Config) -> bool:
    """Whether any credential is configured."""
    return bool(config.identity.tokens) or config.identity.headers.enabled


def posture_of(config: Config, places: Sequence[Path], *, own_uid: int, judge: Judge) -> Judgement:
    """The posture to state. Raises ConfigError where `held` is demanded and does not hold."""
    found = judge(places, own_uid=own_uid, uses_default_principal=not has_provider(config))
    if config.posture == "held" and found.posture != "held":
        raise ConfigError(
            f"posture: held does not hold: {' '.join(found.reasons[:5])}",
            number=32,
            remedy="Give these to the gateway's own user, configure identity, or say `posture: advisory`.",
        )
    return (
        Judgement("advisory", found.reasons or ("Configured so.",)) if config.posture == "advisory" else found
    )


def identity_rules(config: Config, own_uid: int, now: int) -> IdentityRules:
    """Who may ask."""
    identity = config.identity
    try:
        networks = tuple(ipaddress.ip_network(text) for text in identity.headers.trusted_peers)
    except ValueError as error:
        raise ConfigError(
            f"identity.headers.trusted_peers: {error}.", number=33, remedy="Write networks: 10.0.0.0/8."
        ) from None
    default = Principal(
        id=identity.default.id,
        roles=sorted_roles(identity.default.roles),
        attr=identity.default.attr,
        proof=Proof(provider="socket", subject=str(own_uid), at=now),
    )
    return IdentityRules(
        tokens=tuple(_token_entry(token) for token in identity.tokens),
        default=None if has_provider(config) else default,
        own_uid=own_uid,
        trust_headers=identity.headers.enabled,
        trusted_peers=networks,
    )


def facts_settings(config: Config, own_places: Sequence[Path], ports: frozenset[int]) -> FactsSettings:
    """Which places are projects, and which are the gateway's own."""
    places = {str(place.absolute()) for place in own_places}
    return FactsSettings(
        project=ProjectRule(roots=config.projects.roots, default=config.projects.default),
        extra=config.projects.extra,
        self_paths=tuple(sorted(places | {os.path.realpath(place) for place in places})),
        self_ports=ports,
    )


def check_settings(config: Config, rules_off_names: tuple[str, ...]) -> CheckSettings:
    """How calls become questions."""
    return CheckSettings(
        kind_prefix=config.check.kind_prefix, dropped=config.check.drop_attributes, rules_off=rules_off_names
    )


def stance(config: Config) -> Stance:
    """How decisions become answers."""
    return Stance(
        modes=Modes(default=config.mode, rules=config.modes),
        failure_policy=config.failure_policy,
        no_policy_operation=config.no_policy.operation,
        no_policy_unknown_tool=config.no_policy.unknown_tool,
        skip_prompt=config.skip_prompt.enabled,
        watched=config.messages.watched,
    )


def rules_off_patterns(config: Config) -> tuple[str, ...]:
    """The packs and rules the operator switched off, by name."""
    return tuple(sorted(name for name, on in config.packs.items() if not on))


def rules_off(config: Config, names: Iterable[str]) -> tuple[str, ...]:
    """Every full rule name that is switched off. Raises ConfigError for a name no rule has."""
    known = set(names)
    found: set[str] = set()
    for pattern in rules_off_patterns(config):
        matching = {name for name in known if name == pattern or name.startswith(f"{pattern}.")}
        if not matching:
            raise ConfigError(
                f"packs.{pattern}: no rule has this name.",
                number=31,
                remedy="`ostiary policy rules` lists them.",
            )
        found |= matching
    return tuple(sorted(found))


def stated(config: Config) -> dict[str, Any]:
    """The part of the configuration that the status tells."""
    return {
        "mode": config.mode,
        "modes": [
            {"mode": rule.mode, "role": rule.role, "agent": rule.agent, "event": rule.event}
            for rule in config.modes
        ],
        "failure_policy": dict(config.failure_policy),
        "durability": config.audit.durability,
    }


def _token_entry(token: Token) -> TokenEntry:
    expires = 0
    if token.expires:
        try:
            expires = int(datetime.fromisoformat(token.expires).timestamp())
        except ValueError:
            raise ConfigError(
                f"identity.tokens: {token.expires!r} is no ISO 8601 time.",
                number=34,
                remedy="Write 2027-01-31T00:00:00Z.",
            ) from None
    if not token.hash.startswith("sha256:") or len(token.hash) != _HASH_LENGTH:
        raise ConfigError(
            f"identity.tokens: the hash of {token.user!r} is none.",
            number=35,
            remedy="`ostiary token new` prints it.",
        )
    return TokenEntry(
        hash=token.hash,
        user=token.user,
        roles=sorted_roles(token.roles),
        attr=token.attr,
        credential_class=token.credential_class,
        agents=token.agents,
        expires=expires,
    )
