"""The admin listener: metrics and probes, open and without detail; details only with a credential or on the Unix socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from gateway.assurance.readiness import Readiness
from gateway.domain.principal import CredentialClass
from gateway.identity.resolver import Identities
from gateway.telemetry import Telemetry
from gateway.web.guards import error

READERS: tuple[CredentialClass, ...] = ("viewer", "auditor", "operator")


class AdminRoutes:
    """Serves the admin listener and, with more detail, the Unix socket of the command line."""

    def __init__(
        self,
        *,
        telemetry: Telemetry,
        readiness: Readiness,
        identities: Identities,
        status: Callable[[], dict[str, Any]],
    ) -> None:
        self._telemetry = telemetry
        self._readiness = readiness
        self._identities = identities
        self._status = status

    def routes(self) -> list[web.RouteDef]:
        """Routes of the admin listener."""
        return [
            web.get("/metrics", self.metrics),
            web.get("/livez", self.livez),
            web.get("/readyz", self.readyz),
            web.get("/v1/status", self.status),
        ]

    def local_routes(self) -> list[web.RouteDef]:
        """Routes of the Unix socket: whoever can open it owns the data directory."""
        return [web.get("/v1/status", self.local_status)]

    async def metrics(self, request: web.Request) -> web.Response:
        """The Prometheus exposition."""
        body, content_type = self._telemetry.render(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def livez(self, _request: web.Request) -> web.Response:
        """Whether the event loop turns: an answer is the proof."""
        return web.Response(text="ok\n")

    async def readyz(self, request: web.Request) -> web.Response:
        """Whether calls may be sent; the reasons only for credentials that may read them."""
        status = 200 if self._readiness.ready else 503
        if "verbose" in request.query:
            if not self._may_read(request):
                return error(
                    401, "OST-IDN-401", "Details need a viewer's credential.", "Send a bearer token."
                )
            return web.json_response(self._readiness.detail(), status=status)
        return web.Response(text="ok\n" if status == 200 else "not ready\n", status=status)

    async def status(self, request: web.Request) -> web.Response:
        """What runs here, for people with a credential."""
        if not self._may_read(request):
            return error(
                401, "OST-IDN-401", "The status needs a viewer's credential.", "Send a bearer token."
            )
        return web.json_response(self._status())

    async def local_status(self, _request: web.Request) -> web.Response:
        """What runs here, on the Unix socket."""
        return web.json_response(self._status())

    def _may_read(self, request: web.Request) -> bool:
        headers = {name.lower(): value for name, value in request.headers.items()}
        return self._identities.classify(headers, READERS).proven
