"""The HTTP API of a Cerbos PDP: check, its two older forms, AuthZEN, health and server info, as 0.55 serves them.

Clients post JSON under whatever content type they like; an unknown path, method or body is answered in the PDP's own shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import structlog
from aiohttp import web
from msgspec import Struct

from gateway.domain.check import CheckAnswer, CheckRequest
from gateway.domain.ports import Clock, NewId
from gateway.errors import CredentialError
from gateway.wire import authzen
from gateway.wire.cerbos_errors import (
    INTERNAL,
    INVALID_ARGUMENT,
    NOT_FOUND,
    RESOURCE_EXHAUSTED,
    UNIMPLEMENTED,
    CerbosError,
)
from gateway.wire.cerbos_server import (
    RequestLimits,
    ServedRequest,
    Token,
    encode_reply,
    read_check_batch,
    read_check_resources,
    read_check_set,
    refuse_limits,
    ulid,
    with_claims,
    write_check_batch,
    write_check_resources,
    write_check_set,
)

MAX_BODY = 4 * 1024 * 1024
_HEALTH_SERVICES = frozenset({"", "cerbos.svc.v1.CerbosService"})
_JSON = "application/json"
_LOG = structlog.stdlib.get_logger("ostiary.cerbos")

Decide = Callable[[CheckRequest, int], CheckAnswer]
"""The engine: a question and the time, nanoseconds since the epoch."""
Claims = Callable[[Token, int], Mapping[str, Any]]
"""The claims of a verified token. Raises CredentialError."""
Serve = Callable[[web.Request, bytes], bytes]


class ServerInfo(Struct, frozen=True, kw_only=True, rename="camel"):
    """What `/api/server_info` says."""

    version: str
    commit: str = ""
    build_date: str = ""


class CerbosApi:
    """The routes. `decide` always answers with the policy set in force."""

    def __init__(
        self,
        *,
        decide: Decide,
        claims: Claims,
        limits: RequestLimits,
        info: ServerInfo,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._decide = decide
        self._claims = claims
        self._limits = limits
        self._info = msgspec.json.encode(info)
        self._clock = clock
        self._new_id = new_id
        self._version = {"Grpc-Metadata-Cerbos-Version": info.version}
        self._routes: Mapping[str, tuple[str, Serve]] = {
            "/api/check/resources": ("POST", self._check_resources),
            "/api/check": ("POST", self._check_set),
            "/api/check_resource_batch": ("POST", self._check_batch),
            "/api/plan/resources": ("POST", self._plan),
            "/api/server_info": ("GET", lambda _request, _body: self._info),
            "/access/v1/evaluation": ("POST", self._evaluation),
            "/access/v1/evaluations": ("POST", self._evaluations),
            "/.well-known/authzen-configuration": ("GET", self._configuration),
            "/_cerbos/health": ("GET", self._health),
        }

    def application(self, *middlewares: Any) -> web.Application:
        """The application that serves every path."""
        application = web.Application(client_max_size=MAX_BODY, middlewares=middlewares)
        application.router.add_route("*", "/{path:.*}", self.serve)
        return application

    async def serve(self, request: web.Request) -> web.Response:
        """Answer one request."""
        route = self._routes.get(request.path)
        if route is None:
            if request.path.startswith("/api/"):
                return _refused(CerbosError(NOT_FOUND, "Not Found"))
            return web.Response(status=404, text="404 page not found\n")
        method, serve = route
        if request.method != method:
            return _refused(CerbosError(UNIMPLEMENTED, "Method Not Allowed"))
        try:
            body = await request.read() if method == "POST" else b""
            reply = serve(request, body)
        except CerbosError as error:
            return _refused(error)
        except web.HTTPRequestEntityTooLarge:
            message = f"grpc: received message larger than max ({request.content_length or 0} vs. {MAX_BODY})"
            return _refused(CerbosError(RESOURCE_EXHAUSTED, message))
        except Exception:  # noqa: BLE001 - the boundary: whatever fails inside becomes the PDP's own error
            _LOG.exception("request_failed", path=request.path)
            return _refused(CerbosError(INTERNAL, "Policy check failed"))
        return web.Response(body=reply, content_type=_JSON, headers=self._version)

    def _check_resources(self, request: web.Request, body: bytes) -> bytes:
        served = read_check_resources(body, self._limits)
        answer = self._answer(served)
        reply = write_check_resources(served, answer, ulid(self._new_id()))
        return encode_reply(reply, pretty="pretty" in request.query)

    def _check_set(self, request: web.Request, body: bytes) -> bytes:
        served = read_check_set(body, self._limits)
        return encode_reply(write_check_set(served, self._answer(served)), pretty="pretty" in request.query)

    def _check_batch(self, request: web.Request, body: bytes) -> bytes:
        served = read_check_batch(body, self._limits)
        return encode_reply(write_check_batch(served, self._answer(served)), pretty="pretty" in request.query)

    def _plan(self, _request: web.Request, _body: bytes) -> bytes:
        raise CerbosError(
            UNIMPLEMENTED,
            "Query plans are not served here: ask a Cerbos PDP over the same policies for /api/plan/resources.",
        )

    def _answer(self, served: ServedRequest) -> CheckAnswer:
        now = self._clock()
        request = served.request
        if served.token is not None or served.tokens:
            claims = self._verified(served.token, now) if served.token is not None else {}
            others = {name: self._verified(token, now) for name, token in served.tokens.items()}
            request = with_claims(request, claims, others)
        answer = self._decide(request, now)
        refuse_limits(answer)
        return answer

    def _verified(self, token: Token, now: int) -> Mapping[str, Any]:
        try:
            return self._claims(token, now)
        except CredentialError as error:
            _LOG.info("token_refused", reason=error.message)
            raise CerbosError(INVALID_ARGUMENT, "invalid auxData") from None

    def _evaluation(self, request: web.Request, body: bytes) -> bytes:
        evaluations = authzen.read_evaluation(body)
        decisions = authzen.write_evaluations(evaluations, self._answers(evaluations))
        return encode_reply(decisions[0], pretty="pretty" in request.query)

    def _evaluations(self, request: web.Request, body: bytes) -> bytes:
        evaluations = authzen.read_evaluations(body, self._limits)
        decisions = authzen.write_evaluations(evaluations, self._answers(evaluations))
        return encode_reply({"evaluations": decisions}, pretty="pretty" in request.query)

    def _answers(self, evaluations: authzen.Evaluations) -> list[CheckAnswer]:
        return [
            self._answer(ServedRequest(request=asked.request, token=asked.token))
            for asked in evaluations.asked
        ]

    def _configuration(self, request: web.Request, _body: bytes) -> bytes:
        return encode_reply(authzen.configuration(f"{request.scheme}://{request.host}"))

    def _health(self, request: web.Request, _body: bytes) -> bytes:
        if request.query.get("service", "") not in _HEALTH_SERVICES:
            raise CerbosError(NOT_FOUND, "unknown service")
        return b'{"status":"SERVING"}'


def _refused(error: CerbosError) -> web.Response:
    return web.Response(status=error.status, body=error.body(), content_type=_JSON)
