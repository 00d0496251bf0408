"""Searches on the admin listener: a credential is asked for, and the clerk answers over its socket.

The listener is on TCP, within reach of every agent on the machine: without a viewer's, auditor's or operator's credential
nothing of the record is told, not even whether an id exists.
"""

from __future__ import annotations

from pathlib import Path

import aiohttp
import msgspec
from aiohttp import web
from yarl import URL

from gateway.domain.principal import CredentialClass
from gateway.domain.reader import Reader
from gateway.identity.resolver import Identities
from gateway.web.guards import error
from gateway.web.query_api import READER_HEADER

_READERS: tuple[CredentialClass, ...] = ("viewer", "auditor", "operator")
_SECONDS = 30.0
_HOST = "http://clerk"


class QueryForward:
    """Serves `/v1/records` for people with a credential."""

    def __init__(self, *, identities: Identities, socket: Path) -> None:
        self._identities = identities
        self._socket = socket

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to the admin application."""
        return [web.get("/v1/records", self.forward), web.get("/v1/records/{id}", self.forward)]

    async def forward(self, request: web.Request) -> web.Response:
        """The clerk's answer to a reader whose credential was proven."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        identified = self._identities.classify(headers, _READERS)
        if not identified.proven:
            return error(
                401, "OST-IDN-401", "The record needs a viewer's credential.", "Send a bearer token."
            )
        principal = identified.principal
        reader = Reader(id=principal.id, reader_class=principal.credential_class)  # type: ignore[arg-type]  # classified above
        told = {READER_HEADER: msgspec.json.encode(reader).decode()}
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        connector = aiohttp.UnixConnector(path=str(self._socket))
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.get(
                    URL(f"{_HOST}{request.rel_url}", encoded=True), headers=told, allow_redirects=False
                ) as reply,
            ):
                body = await reply.read()
                return web.Response(body=body, status=reply.status, content_type="application/json")
        except (TimeoutError, aiohttp.ClientError, OSError):
            return error(
                503, "OST-STO-014", "The index is not there now.", "It comes back by itself; ask again."
            )
