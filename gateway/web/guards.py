"""What every listener refuses before a handler runs: other hosts' names, browsers, oversized heads, errors with insides.

A page in a browser can post to loopback; DNS rebinding gives it our address under its own name. Such requests carry
`Origin` or `Sec-Fetch-Site`, or a `Host` that is none of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

HEAD_BYTES = 16 * 1024
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_OWN_SITES = frozenset({"none", "same-origin"})
_LOG = structlog.stdlib.get_logger("ostiary.web")
Refused = Callable[[str], None]


def guarded_application(
    listen: Iterable[str], hosts: Iterable[str], refused: Refused, routes: Iterable[web.RouteDef]
) -> web.Application:
    """An application behind `host_guard`, whose errors show nothing of its insides."""
    application = web.Application(middlewares=[plain_errors, host_guard(listen, hosts, refused)])
    application.add_routes(routes)
    return application


def host_guard(listen: Iterable[str], hosts: Iterable[str], refused: Refused) -> Middleware:
    """Refuses requests for other names (421), from browsers (403) and with large heads (431).

    `listen` holds our `host:port`s, `hosts` further names of ours, with or without a port; `refused` is told the reason.
    """
    allowed = allowed_hosts(listen, hosts)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        named = request.headers.getall("Host", [])
        if len(named) != 1 or named[0].lower() not in allowed:
            refused("host")
            return error(
                421,
                "OST-REQ-421",
                "This is not the host that was asked for.",
                "Add its name to server.hosts.",
            )
        if _is_foreign(request):
            refused("browser")
            return error(403, "OST-REQ-403", "Browsers are not served here.", "Use the command line.")
        if sum(len(name) + len(value) + 4 for name, value in request.raw_headers) > HEAD_BYTES:
            refused("head")
            return error(
                431, "OST-REQ-431", f"The head has more than {HEAD_BYTES} bytes.", "Send fewer headers."
            )
        return await handler(request)

    return guard


def allowed_hosts(listen: Iterable[str], hosts: Iterable[str]) -> frozenset[str]:
    """Every `Host` that means us, in lower case."""
    allowed: set[str] = set()
    ports: set[str] = set()
    for address in listen:
        host, _, port = address.rpartition(":")
        ports.add(port)
        allowed |= {address, host, *(f"{name}:{port}" for name in _LOOPBACK), *_LOOPBACK}
    for name in hosts:
        allowed |= {name, *(f"{name}:{port}" for port in ports)}
    return frozenset(name.lower() for name in allowed)


def _is_foreign(request: web.Request) -> bool:
    """Whether a page sent the request; a person who types our address into a browser sends `none`."""
    if "Origin" in request.headers:
        return True
    sites = request.headers.getall("Sec-Fetch-Site", [])
    return any(site.strip().lower() not in _OWN_SITES for site in sites)


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
    except Exception as failure:  # noqa: BLE001 - the boundary: whatever fails inside becomes a reply without insides
        _LOG.error("request_failed", exc_info=failure)
        return error(500, "OST-REQ-500", "The gateway failed on this request.", "Its log says why.")


def error(status: int, code: str, message: str, remedy: str) -> web.Response:
    """An error reply."""
    return web.json_response({"code": code, "message": message, "remedy": remedy}, status=status)
