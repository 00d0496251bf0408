"""The gateway a command means: the one that runs with the data directory, and where agents reach it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.cli.configured import hooks_url, reachable
from gateway.cli.gateway_api import STATUS_SOCKET, NotRunning, ask_socket, ask_url
from gateway.config import Config
from gateway.errors import ConfigError, StoreError

_SECONDS = 3.0


def status_of(config: Config, data_dir: Path, *, url: str = "") -> Mapping[str, Any]:
    """The status of the running gateway: on its socket, or on the admin listener with the credential of OSTIARY_TOKEN.

    Raises NotRunning when there is none, ConfigError or StoreError when it does not tell.
    """
    token = os.environ.get("OSTIARY_TOKEN", "")
    if not url:
        try:
            return _body(ask_socket(data_dir, STATUS_SOCKET, "/v1/status", timeout=_SECONDS))
        except NotRunning:
            if not token:
                raise
    base = url or f"http://{reachable(config.server.admin_listen, 'server.admin_listen')}"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return _body(ask_url(f"{base.rstrip('/')}/v1/status", headers=headers, timeout=_SECONDS))


def hooks_url_of(config: Config, status: Mapping[str, Any] | None, agent: str) -> str:
    """Where hooks go: to the gateway that runs, else to where the configuration says one would."""
    listen = (status or {}).get("listeners", {}).get("hooks", "")
    if not listen:
        return hooks_url(config, agent)
    return f"http://{reachable(listen, 'server.listen')}/v1/hooks/{agent}"


def _body(reply: Any) -> Mapping[str, Any]:
    body = reply.body if isinstance(reply.body, dict) else {}
    if reply.status == 200:
        return body
    message = str(body.get("message") or f"The gateway answered {reply.status}.")
    remedy = str(body.get("remedy") or "Look at its log.")
    if reply.status in {401, 403}:
        raise ConfigError(message, number=46, remedy="Set OSTIARY_TOKEN to a viewer's credential.")
    raise StoreError(message, number=15, remedy=remedy)
