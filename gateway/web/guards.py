"""What every listener refuses before a handler runs: other hosts' names, browsers, and errors with insides.

A page in a browser can post to loopback; DNS rebinding gives it our address under its own name. Such requests carry
`Origin` or `Sec-Fetch-Site`, or a `Host` that is none of ours.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_LOG = structlog.stdlib.get_logger("ostiary.web")


def host_guard(listen: Iterable[str], hosts: Iterable[str]) -> Middleware:
    """Refuses requests for other names (421) and from browsers (403). `listen` holds our `host:port`s."""
    allowed = set(hosts)
    for address in listen:
        host, _, port = address.rpartition(":")
        allowed |= {address, host, *(f"{name}:{port}" for name in _LOOPBACK), *_LOOPBACK}

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        named = request.headers.getall("Host", [])
        if len(named) != 1 or named[0].lower() not in allowed:
            return error(
                421,
                "OST-REQ-421",
                "This is not the host that was asked for.",
                "Add its name to server.hosts.",
            )
        if "Origin" in request.headers or "Sec-Fetch-Site" in request.headers:
            return error(403, "OST-REQ-403", "Browsers are not served here.", "Use the command line.")
        return await handler(request)

    return guard


@web.middleware
async def plain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors as JSON with code, message and remedy; never a traceback, a header or a library's page."""
    try:
        return await handler(request)
    except web.HTTPException as raised:
        remedies = {404: "docs/hook-protocol.md lists the routes.", 405: "Hooks are sent with POST."}
        return error(
            raised.status,
            f"OST-REQ-{raised.status}",
            raised.reason,
            remedies.get(raised.status, "Change the request."),
        )
    except Exception:  # noqa: BLE001 - the boundary: whatever fails inside becomes a reply without insides
        _LOG.exception("request_failed", path=request.path)
        return error(500, "OST-REQ-500", "The gateway failed on this request.", "Its log says why.")


def error(status: int, code: str, message: str, remedy: str) -> web.Response:
    """An error reply."""
    return web.json_response({"code": code, "message": message, "remedy": remedy}, status=status)
