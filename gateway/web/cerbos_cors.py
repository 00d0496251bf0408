"""Cross-origin rules of the Cerbos API: off or as its configuration says, any origin where that names none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_METHODS = frozenset({"HEAD", "GET", "POST", "PUT", "PATCH", "DELETE"})
_DEFAULT_HEADERS = ("accept", "content-type", "x-requested-with")
_PREFLIGHT_VARY = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"


class CrossOrigin:
    """Who may read answers from a browser. `origins` may hold `*` for all, or once within a name."""

    def __init__(self, origins: Sequence[str], headers: Sequence[str], max_age_seconds: int) -> None:
        self._all = "*" in origins
        self._origins = [
            re.compile(".*".join(map(re.escape, origin.lower().split("*", 1))) + r"\Z") for origin in origins
        ]
        self._headers = frozenset(header.lower() for header in headers or _DEFAULT_HEADERS)
        self._max_age = max_age_seconds

    def allowed(self, origin: str) -> str:
        """What `Access-Control-Allow-Origin` says to an origin, "" for nothing."""
        if self._all:
            return "*"
        return origin if any(pattern.match(origin.lower()) for pattern in self._origins) else ""

    def preflight(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers of the answer to a preflight request."""
        found = {"Vary": _PREFLIGHT_VARY}
        allowed = self.allowed(headers.get("Origin", ""))
        method = headers.get("Access-Control-Request-Method", "").upper()
        asked = headers.get("Access-Control-Request-Headers", "")
        names = [name.strip().lower() for name in asked.split(",") if name.strip()]
        if not allowed or method not in _METHODS or not self._headers.issuperset(names):
            return found
        found["Access-Control-Allow-Origin"] = allowed
        found["Access-Control-Allow-Methods"] = method
        if names:
            found["Access-Control-Allow-Headers"] = asked
        if self._max_age:
            found["Access-Control-Max-Age"] = str(self._max_age)
        return found


def cross_origin(rules: CrossOrigin) -> Middleware:
    """Answers preflight requests and marks what other origins may read."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = request.headers
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in headers:
            return web.Response(status=204, headers=rules.preflight(headers))
        response = await handler(request)
        response.headers["Vary"] = "Origin"
        if "Origin" in headers:
            allowed = rules.allowed(headers["Origin"])
            if allowed:
                response.headers["Access-Control-Allow-Origin"] = allowed
        return response

    return guard
