"""The configuration as the settings of each part: translation only, refusing what cannot hold together."""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from gateway.assurance.posture import Judgement
from gateway.config import Config, Token
from gateway.configuration.site_facts import command_models, mcp_servers, path_groups, protected_refs
from gateway.domain.modes import Modes
from gateway.domain.principal import Principal, Proof, sorted_roles
from gateway.domain.vocabulary import Posture
from gateway.enforcement.checks import CheckSettings
from gateway.enforcement.quota import Quota
from gateway.enforcement.verdict import Stance
from gateway.errors import ConfigError
from gateway.facts.analyser import FactsData, FactsSettings
from gateway.facts.project import ProjectRule
from gateway.identity.resolver import IdentityRules, Network
from gateway.identity.tokens import TokenEntry
from gateway.policy_sets.switches import known_packs, plain_name, rules_switched_off

_LOOPBACK: tuple[Network, ...] = (
    ipaddress.ip_network("127.0.0.0/8"),
    ipaddress.ip_network("::1/128"),
)
EVALUATE = "evaluate"
"""The key of `packs` that is no switch: where the packs are evaluated."""
_MOST_REASONS = 5
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
            f"posture: held does not hold: {' '.join(found.reasons[:_MOST_REASONS])}",
            number=32,
            remedy="Give these to the gateway's own user (chown, chmod go-w), configure identity where the default "
            "principal is in use, or say `posture: advisory`.",
        )
    return (
        Judgement("advisory", found.reasons or ("Configured so.",)) if config.posture == "advisory" else found
    )


def identity_rules(config: Config, own_uid: int, now: int, posture: Posture = "advisory") -> IdentityRules:
    """Who may ask. Raises ConfigError for identity that proves nothing."""
    identity = config.identity
    try:
        networks = tuple(ipaddress.ip_network(text) for text in identity.headers.trusted_peers)
    except ValueError as error:
        raise ConfigError(
            f"identity.headers.trusted_peers: {error}.", number=33, remedy="Write networks: 10.0.0.0/8."
        ) from None
    _check_headers(config, networks, posture)
    default = Principal(
        id=identity.default.id,
        roles=sorted_roles(identity.default.roles),
        attr=identity.default.attr,
        proof=Proof(provider="socket", subject=str(own_uid), at=now),
    )
    tokens = tuple(_token_entry(token) for token in identity.tokens)
    if len({token.hash for token in tokens}) != len(tokens):
        raise ConfigError(
            "identity.tokens: two entries have the same hash.",
            number=35,
            remedy="Make each its own token: `ostiary token new`.",
        )
    return IdentityRules(
        tokens=tokens,
        default=None if has_provider(config) else default,
        own_uid=own_uid,
        trust_headers=identity.headers.enabled,
        trusted_peers=networks,
    )


def _check_headers(config: Config, networks: Sequence[Network], posture: Posture) -> None:
    """Anybody can send a header: who is believed must be named, and an agent on the same machine cannot be."""
    if not config.identity.headers.enabled:
        return
    if not networks:
        raise ConfigError(
            "identity.headers.enabled without identity.headers.trusted_peers believes nobody.",
            number=39,
            remedy="Name the networks of the proxies that set the headers.",
        )
    loopback = next(
        (network for network in networks if any(network.overlaps(own) for own in _own(network))), None
    )
    if loopback is not None and posture == "held":
        raise ConfigError(
            f"identity.headers.trusted_peers: {loopback} holds loopback, where every agent of this machine is.",
            number=39,
            remedy="Name the proxies' addresses, or say `posture: advisory`.",
        )


def _own(network: Network) -> tuple[Network, ...]:
    """The loopback networks of a network's family."""
    return tuple(own for own in _LOOPBACK if own.version == network.version)


def facts_settings(
    config: Config, own_places: Sequence[Path], listeners: Sequence[str], data: FactsData
) -> FactsSettings:
    """Which places are projects, which are the gateway's own, and what the site knows of programs, paths and servers.

    `listeners` are the addresses the gateway listens on. Raises ConfigError for facts that can mean nothing.
    """
    places = {str(place.absolute()) for place in own_places}
    hosts = {address.rpartition(":")[0].strip("[]") for address in listeners}
    return FactsSettings(
        project=ProjectRule(roots=config.projects.roots, default=config.projects.default),
        extra=config.projects.extra,
        homes=config.facts.homes,
        self_paths=tuple(sorted(places | {os.path.realpath(place) for place in places})),
        self_ports=frozenset(int(address.rpartition(":")[2]) for address in listeners),
        self_hosts=tuple(sorted((hosts | set(config.server.hosts)) - {"", "0.0.0.0", "::"})),  # noqa: S104 - compared, not bound
        groups=path_groups(config),
        commands=command_models(config, data.commands),
        refs=protected_refs(config),
        registries=config.facts.registries,
        project_hosts=config.facts.project_hosts,
        mcp_servers=mcp_servers(config, data.mcp),
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
        no_policy_operation=config.no_policy.operation or "pass",
        no_policy_unknown_tool=config.no_policy.unknown_tool,
        skip_prompt=config.skip_prompt.enabled,
    )


def quota(config: Config) -> Quota:
    """How much each principal may ask."""
    section = config.quota
    return Quota(requests=section.requests, bytes=section.bytes, anonymous_records=section.anonymous_records)


def must_govern(config: Config) -> bool:
    """Whether starting with a backend that has no policy at all would be a mistake: it enforces, and nobody said so."""
    enforces = Modes(default=config.mode, rules=config.modes).strictest == "enforce"
    return enforces and config.no_policy.operation != "pass"


def cerbos_url(config: Config) -> str:
    """Where the remote PDP is. Raises ConfigError for a URL whose answers anybody in between could write."""
    url = config.cerbos.url.rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(
            f"cerbos.url: {url!r} is no http or https URL.", number=37, remedy="Write http://127.0.0.1:3592."
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(
            "cerbos.url holds more than a scheme, a host, a port and a path.",
            number=37,
            remedy="Take user, query and fragment out.",
        )
    if parts.scheme == "http" and not _is_loopback(parts.hostname) and not config.cerbos.insecure:
        raise ConfigError(
            f"cerbos.url: plain http to {parts.hostname} could be answered by anybody in between.",
            number=38,
            remedy="Use https, or say cerbos.insecure: true.",
        )
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def pack_switches(config: Config) -> tuple[str, ...]:
    """The packs and rules the operator switched, as `name: true|false`, sorted: they are part of the revision."""
    return tuple(sorted(f"{plain_name(name)}: {str(on).lower()}" for name, on in _switches(config).items()))


def rules_off(config: Config, names: Iterable[str]) -> tuple[str, ...]:
    """Every full rule name that is switched off. Raises ConfigError for a name no rule has."""
    return rules_switched_off(_switches(config), names, known_packs())


def packs_in_process(config: Config) -> bool:
    """Whether the packs are evaluated here though the backend is remote."""
    return config.packs.get(EVALUATE) == "local"


def _switches(config: Config) -> Mapping[str, bool]:
    """The switches among the keys of `packs`. Raises ConfigError for a value that is none."""
    found: dict[str, bool] = {}
    for name, on in config.packs.items():
        if isinstance(on, bool) == (name == EVALUATE):
            raise ConfigError(
                f"packs.{name}: {on!r} is no value of it.",
                number=31,
                remedy=f"Write true or false; {EVALUATE} takes local or backend.",
            )
        if isinstance(on, bool):
            found[name] = on
    return found


def config_digest(config: Config) -> str:
    """What tells two configurations apart, in the record of a start: tokens stand in it as hashes only."""
    return hashlib.sha256(msgspec.json.encode(config, order="deterministic")).hexdigest()[:12]


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
