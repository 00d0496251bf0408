"""The real PDP and our engine over the same files and settings, asked the same bytes."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from typing import Any

import yaml

from gateway.errors import CredentialError
from gateway.policy.aux_data import TokenVerifier
from gateway.policy.directory import read_roots
from gateway.policy.engine import Engine, compile_policies
from gateway.policy.settings import EngineSettings
from gateway.wire.cerbos_errors import CerbosError
from gateway.wire.cerbos_server import (
    RequestLimits,
    encode_reply,
    read_check_resources,
    with_claims,
    write_check_resources,
)
from tests.support.processes import CerbosProcess, free_port

Answer = tuple[int, dict[str, Any]]


def settings_of(config: dict[str, Any]) -> EngineSettings:
    """Our settings for a Cerbos configuration's `engine` and `schema` sections."""
    engine = config.get("engine", {})
    return EngineSettings(
        globals=engine.get("globals", {}),
        lenient_scope_search=engine.get("lenientScopeSearch", False),
        strict_evaluation=engine.get("strictEvaluation", False),
        default_version=engine.get("defaultPolicyVersion", "default"),
        default_scope=engine.get("defaultScope", ""),
        schema_enforcement=config.get("schema", {}).get("enforcement", "none"),
    )


def start_pdp(directory: Path, policies: Path, config: dict[str, Any]) -> CerbosProcess:
    """A real PDP with some sections of its configuration given."""
    port = free_port()
    full = {
        "server": {
            "httpListenAddr": f"127.0.0.1:{port}",
            "grpcListenAddr": f"127.0.0.1:{free_port()}",
        },
        "storage": {"driver": "disk", "disk": {"directory": str(policies), "watchForChanges": False}},
        "telemetry": {"disabled": True},
    }
    for section, values in config.items():
        full[section] = {**full.get(section, {}), **values}
    return CerbosProcess(directory, policies, config=yaml.safe_dump(full), port=port)


class RealPdp:
    """A connection to a real PDP."""

    def __init__(self, process: CerbosProcess) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=20)

    def ask(self, body: bytes, path: str = "/api/check/resources") -> Answer:
        """Its answer."""
        self._connection.request("POST", path, body, {"Content-Type": "application/json"})
        reply = self._connection.getresponse()
        return reply.status, json.loads(reply.read())

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class OurPdp:
    """Our engine behind our codec, without a socket between."""

    def __init__(self, engine: Engine, verifier: TokenVerifier) -> None:
        self.engine = engine
        self._verifier = verifier
        self._limits = RequestLimits()

    @classmethod
    def over(cls, policies: Path, config: dict[str, Any]) -> OurPdp:
        """The engine of a directory."""
        unverified = config.get("auxData", {}).get("jwt", {}).get("disableVerification", False)
        return cls(
            compile_policies(read_roots([policies]), settings_of(config)),
            TokenVerifier(None if unverified else {}),
        )

    def ask(self, body: bytes) -> Answer:
        """The answer that our server would give."""
        try:
            served = read_check_resources(body, self._limits)
            now, request = time.time_ns(), served.request
            if served.token is not None:
                request = with_claims(
                    request, self._verifier.claims(served.token.text, served.token.key_set, now), {}
                )
            answer = self.engine.check(request, now)
            reply = encode_reply(write_check_resources(served, answer, "id"))
        except CredentialError:
            return 400, {"code": 3, "message": "invalid auxData"}
        except CerbosError as error:
            return error.status, json.loads(error.body())
        return 200, json.loads(reply)
