"""Builds `ostiary pdp`: the engine behind the HTTP API of a Cerbos PDP, from a Cerbos configuration file."""

from __future__ import annotations

import base64
import binascii
import ssl
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Any

import structlog
from msgspec import Struct

from gateway import clock
from gateway.domain.check import CheckAnswer, CheckRequest
from gateway.errors import ConfigError, OstiaryError
from gateway.policy.aux_data import KeySet, KeySetRules, TokenVerifier
from gateway.policy.settings import EngineSettings
from gateway.policy_sets.source import PolicySource
from gateway.processes.gate import Listener
from gateway.processes.pdp_process import PdpProcess
from gateway.processes.remote_keys import RemoteKeySet, Source
from gateway.web.cerbos_api import CerbosApi, ServerInfo
from gateway.web.cerbos_cors import CrossOrigin, cross_origin
from gateway.web.listeners import address_of, bind
from gateway.wire.cerbos_config import (
    CerbosConfig,
    KeySetSection,
    origins,
    parse_config,
    seconds_of,
)
from gateway.wire.cerbos_server import RequestLimits, Token

COMPATIBLE_VERSION = "0.55.0"
"""The Cerbos PDP whose answers these are."""
_HOUR = 3600.0
_LOG = structlog.stdlib.get_logger("ostiary.pdp")


class BuiltPdp(Struct):
    """A PDP ready to run, and what its start says."""

    process: PdpProcess
    listen: str
    policies: str
    rules: int
    revision: str
    ignored: tuple[str, ...]


def build_pdp(
    config_file: Path, environment: Mapping[str, str], *, policies: Path | None, port: int | None
) -> BuiltPdp:
    """The PDP of a configuration file. Raises ConfigError or PolicyError."""
    try:
        text = config_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{config_file} cannot be read: {error}.", number=41, remedy="Name a Cerbos configuration file."
        ) from None
    config = parse_config(text, str(config_file), environment)
    directory = policies or Path(config.storage.disk.directory)
    if not str(directory):
        raise ConfigError(
            f"{config_file} names no storage.disk.directory.",
            number=41,
            remedy="Name it, or give --policies DIR.",
        )
    source = PolicySource([directory], engine_settings(config), clock.stopwatch)
    verifier, remote_keys = _verifier(config)

    def decide(request: CheckRequest, now: int) -> CheckAnswer:
        return source.engine.check(request, now)

    def claims(token: Token, now: int) -> Mapping[str, Any]:
        return verifier.claims(token.text, token.key_set, now)

    limits = config.server.request_limits
    api = CerbosApi(
        decide=decide,
        claims=claims,
        limits=RequestLimits(
            actions_per_resource=limits.max_actions_per_resource,
            resources_per_request=limits.max_resources_per_request,
        ),
        info=ServerInfo(version=f"{COMPATIBLE_VERSION}+ostiary.{distribution_version('ostiary')}"),
        clock=clock.now,
        new_id=clock.Uuid7(),
    )
    cors = config.server.cors
    middlewares = (
        ()
        if cors.disabled
        else (cross_origin(CrossOrigin(origins(cors), cors.allowed_headers, cors.max_age_seconds)),)
    )
    listener, listen = _listener(config, port, api.application(*middlewares))

    async def reload() -> None:
        try:
            revision = await source.reload()
        except (OstiaryError, OSError) as error:
            _LOG.error("policies_refused", error=str(error))
            return
        _LOG.info("policies_loaded", revision=revision)

    return BuiltPdp(
        process=PdpProcess(
            listener=listener,
            reload=reload,
            before=tuple(keys.fetch for keys in remote_keys),
            beside=(
                *(keys.keep for keys in remote_keys),
                *([partial(source.watch, reload)] if config.storage.disk.watch_for_changes else []),
            ),
            tls=_tls(config),
        ),
        listen=listen,
        policies=str(directory),
        rules=len(source.engine.rules()),
        revision=source.engine.revision,
        ignored=config.ignored,
    )


def engine_settings(config: CerbosConfig) -> EngineSettings:
    """The evaluation settings of a configuration file."""
    engine = config.engine
    return EngineSettings(
        globals=engine.globals,
        default_version=engine.default_policy_version or "default",
        default_scope=engine.default_scope.removeprefix("."),
        lenient_scope_search=engine.lenient_scope_search,
        strict_evaluation=engine.strict_evaluation,
        schema_enforcement=config.schema.enforcement,
    )


def _listener(config: CerbosConfig, port: int | None, application: Any) -> tuple[Listener, str]:
    listen = config.server.http_listen_addr
    if listen.startswith("unix:"):
        path = Path(listen.removeprefix("unix:"))
        return Listener(application=application, path=path), listen
    host, _, number = listen.rpartition(":")
    bound = bind(f"{host or '0.0.0.0'}:{number if port is None else port}", "server.httpListenAddr", "--port")  # noqa: S104 - Cerbos' own meaning of ":3592"
    return Listener(application=application, bound=bound), address_of(bound)


def _tls(config: CerbosConfig) -> ssl.SSLContext | None:
    tls = config.server.tls
    if tls is None or not (tls.cert or tls.key):
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(tls.cert, tls.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"server.tls: {error}.", number=43, remedy="Name a certificate and its key in PEM form."
        ) from None
    return context


def _verifier(config: CerbosConfig) -> tuple[TokenVerifier, tuple[RemoteKeySet, ...]]:
    """The verifier, and the key sets that have to be fetched before it knows a key of theirs."""
    jwt = config.aux_data.jwt
    skew = seconds_of(jwt.acceptable_time_skew, "auxData.jwt.acceptableTimeSkew")
    if jwt.disable_verification:
        return TokenVerifier(None, skew), ()
    sets: dict[str, KeySet] = {}
    fetched: list[RemoteKeySet] = []
    for section in jwt.key_sets:
        rules = KeySetRules(
            optional_algorithm=section.insecure.optional_alg, optional_kid=section.insecure.optional_kid
        )
        if section.remote is None:
            sets[section.id] = _key_set(section, rules)
            continue
        seconds = seconds_of(section.remote.refresh_interval, "auxData.jwt.keySets.remote.refreshInterval")
        source = Source(name=section.id, url=section.remote.url, rules=rules, seconds=seconds or _HOUR)
        sets[section.id] = KeySet(section.id, b'{"keys":[]}', rules)
        fetched.append(RemoteKeySet(source, partial(sets.__setitem__, section.id)))
    return TokenVerifier(sets, skew), tuple(fetched)


def _key_set(section: KeySetSection, rules: KeySetRules) -> KeySet:
    local = section.local
    assert local is not None
    try:
        data = Path(local.file).read_bytes() if local.file else base64.b64decode(local.data, validate=True)
    except (OSError, binascii.Error) as error:
        raise ConfigError(
            f"The key set {section.id!r} cannot be read: {error}.",
            number=44,
            remedy="Check its file or data.",
        ) from None
    return KeySet(section.id, data, rules, pem=local.pem)
