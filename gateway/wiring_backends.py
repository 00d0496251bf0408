"""Builds the remote policy backend, proven by canaries."""

from __future__ import annotations

from collections.abc import Callable

from adapters.pdp.beside import PacksBesidePdp
from adapters.pdp.cerbos_http import TESTED_VERSIONS, CerbosHttpPdp, CerbosSettings
from gateway import clock
from gateway.assurance.proven import ProvenPdp
from gateway.config import Config
from gateway.configuration.rules import cerbos_url, must_govern, packs_in_process
from gateway.domain.ports import Pdp
from gateway.processes.supervision import RemoteRules


def cerbos_settings(config: Config) -> CerbosSettings:
    """Where the remote PDP is. Raises ConfigError."""
    return CerbosSettings(
        url=cerbos_url(config),
        timeout_seconds=config.cerbos.timeout_ms / 1000,
        connections=config.cerbos.connections,
        revision=config.cerbos.revision,
        layers=config.layers,
    )


def build_remote(
    config: Config, local: Pdp, asked: Callable[[str, str, float], None], proved: Callable[[str], None]
) -> ProvenPdp:
    """The remote backend, with the embedded one beside it where packs are evaluated here.

    `asked(backend, code, seconds)` is told of every request, `proved(problem)` of every canary.
    """
    cerbos = CerbosHttpPdp(
        cerbos_settings(config),
        clock.stopwatch,
        lambda code, seconds: asked(CerbosHttpPdp.name, code, seconds),
    )
    backend = PacksBesidePdp(local, cerbos, config.check.kind_prefix) if packs_in_process(config) else cerbos
    return ProvenPdp(backend, clock.stopwatch, config.check.kind_prefix, proved)


def remote_rules(config: Config) -> RemoteRules:
    """What is expected of a remote backend."""
    return RemoteRules(
        seconds=config.cerbos.timeout_ms / 1000,
        tested_versions=TESTED_VERSIONS,
        must_govern=must_govern(config),
    )
