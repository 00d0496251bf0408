"""The configuration file of a Cerbos PDP, as far as a check depends on it.

Sections and keys are Cerbos' own (0.55). What only Cerbos' own servers need (telemetry, audit, hub, metrics) is left alone and
listed; a store that is not on disk, or a value that would change decisions and is not understood, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from gateway.errors import ConfigError
from gateway.policy.problems import PolicyProblem
from gateway.policy.source import parse

_VARIABLE = re.compile(r"\$\{(\w+)(?::([^}]*))?\}|\$(\w+)")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class _Camel(Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class Cors(_Camel, frozen=True, kw_only=True):
    """`server.cors`."""

    disabled: bool = False
    allowed_origins: tuple[str, ...] = ()
    allowed_headers: tuple[str, ...] = ()
    max_age: str = ""

    @property
    def max_age_seconds(self) -> int:
        """How long a browser may keep an answer."""
        return int(seconds_of(self.max_age, "server.cors.maxAge"))


class Limits(_Camel, frozen=True, kw_only=True):
    """`server.requestLimits`."""

    max_actions_per_resource: int = 50
    max_resources_per_request: int = 50


class Tls(_Camel, frozen=True, kw_only=True):
    """`server.tls`."""

    cert: str = ""
    key: str = ""


class Server(_Camel, frozen=True, kw_only=True):
    """`server`."""

    http_listen_addr: str = ":3592"
    cors: Cors = Cors()
    request_limits: Limits = Limits()
    tls: Tls | None = None


class Disk(_Camel, frozen=True, kw_only=True):
    """`storage.disk`."""

    directory: str = ""
    watch_for_changes: bool = False


class Storage(_Camel, frozen=True, kw_only=True):
    """`storage`."""

    driver: str = "disk"
    disk: Disk = Disk()


class SchemaSection(_Camel, frozen=True, kw_only=True):
    """`schema`."""

    enforcement: Literal["none", "warn", "reject"] = "none"


class EngineSection(_Camel, frozen=True, kw_only=True):
    """`engine`."""

    default_policy_version: str = "default"
    default_scope: str = ""
    globals: Mapping[str, Any] = field(default_factory=dict)
    lenient_scope_search: bool = False
    strict_evaluation: bool = False


class LocalKeys(_Camel, frozen=True, kw_only=True):
    """`local` keys: a file, or data in base64."""

    file: str = ""
    data: str = ""
    pem: bool = False


class RemoteKeys(_Camel, frozen=True, kw_only=True):
    """`remote` keys."""

    url: str
    refresh_interval: str = "1h"


class Insecure(_Camel, frozen=True, kw_only=True):
    """What keys of a set may lack."""

    optional_alg: bool = False
    optional_kid: bool = False


class KeySetSection(_Camel, frozen=True, kw_only=True):
    """One of `auxData.jwt.keySets`."""

    id: str
    local: LocalKeys | None = None
    remote: RemoteKeys | None = None
    insecure: Insecure = Insecure()


class Jwt(_Camel, frozen=True, kw_only=True):
    """`auxData.jwt`."""

    disable_verification: bool = False
    acceptable_time_skew: str = "0s"
    key_sets: tuple[KeySetSection, ...] = ()


class AuxDataSection(_Camel, frozen=True, kw_only=True):
    """`auxData`."""

    jwt: Jwt = Jwt()


class CerbosConfig(_Camel, frozen=True, kw_only=True):
    """A configuration file. `ignored`: the sections that were left alone."""

    server: Server = Server()
    storage: Storage = Storage()
    schema: SchemaSection = SchemaSection()
    engine: EngineSection = EngineSection()
    aux_data: AuxDataSection = AuxDataSection()
    ignored: tuple[str, ...] = ()


_SECTIONS = ("server", "storage", "schema", "engine", "auxData")


def parse_config(text: str, file: str, environment: Mapping[str, str]) -> CerbosConfig:
    """A configuration file's content, `${NAME}` and `${NAME:default}` filled in. Raises ConfigError."""
    filled = _VARIABLE.sub(lambda found: _value(found, environment), text)
    try:
        nodes = parse(filled, file)
    except PolicyProblem as problem:
        raise ConfigError(
            f"{problem.file}:{problem.line}: {problem.message}", number=41, remedy=problem.remedy
        ) from None
    found = nodes[0].plain() if nodes else {}
    if not isinstance(found, dict):
        raise ConfigError(f"{file} is no mapping.", number=41, remedy="Write a Cerbos configuration file.")
    known = {name: value for name, value in found.items() if name in _SECTIONS and value is not None}
    try:
        config = msgspec.convert(known, CerbosConfig, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{file}: {error}.", number=41, remedy="Write the value as Cerbos' documentation shows it."
        ) from None
    _refuse_unserved(config, file)
    ignored = [name for name in found if name not in _SECTIONS]
    return msgspec.structs.replace(config, ignored=tuple(sorted(ignored)))


def _refuse_unserved(config: CerbosConfig, file: str) -> None:
    if config.storage.driver != "disk":
        raise ConfigError(
            f"{file}: storage.driver {config.storage.driver!r} is not served.",
            number=42,
            remedy="Use the driver disk, over a checkout or an archive of the policies.",
        )
    for key_set in config.aux_data.jwt.key_sets:
        if (key_set.local is None) == (key_set.remote is None):
            raise ConfigError(
                f"{file}: the key set {key_set.id!r} has not exactly one of local and remote.",
                number=42,
                remedy="Give it one.",
            )


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    name = found.group(1) or found.group(3)
    return environment.get(name, found.group(2) or "")


def seconds_of(text: str, key: str) -> float:
    """A duration as Go writes it (`1h30m`), in seconds; "" is none. Raises ConfigError."""
    parts = _DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text and text != "0":
        raise ConfigError(f"{key}: {text!r} is no duration.", number=41, remedy="Write 10s, 5m or 1h30m.")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def origins(cors: Cors) -> Sequence[str]:
    """The origins that may read answers; Cerbos allows all where none is named."""
    return cors.allowed_origins or ("*",)
