"""The hook routes: bytes of an agent in, the enforcement point asked, the record journalled, bytes out.

In observe every answer is 200 `{}`, whatever came. In enforce a reply is 200 with a complete body of the agent's protocol,
or a non-2xx that makes a fail-closed client block (engineering.md 17).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog
from aiohttp import web
from msgspec import Struct, structs

from gateway.domain.check import CheckAnswer
from gateway.domain.decision import Answer
from gateway.domain.events import HookEvent
from gateway.domain.ports import AgentAdapter, Identified, Identity, Journal, Pdp, Peer, Stopwatch
from gateway.domain.record import Record
from gateway.domain.vocabulary import DECIDED_EVENTS, Cause
from gateway.enforce import Answered, Arrival, Enforcer, Pending
from gateway.errors import PayloadError, PdpInvalid, PdpUnavailable
from gateway.telemetry import Telemetry
from gateway.web.peer import Peers

PREFIX_BYTES = 64 * 1024
_CHUNK = 256 * 1024
_LOG = structlog.stdlib.get_logger("ostiary.hooks")


class HookLimits(Struct, frozen=True, kw_only=True):
    """Limits of a request. Bodies of events that come after the fact may be larger: they are digested, not held."""

    body_bytes: int = 2 * 1024 * 1024
    streamed_bytes: int = 64 * 1024 * 1024
    deadline_seconds: float = 4.0


class RefusedBody(Exception):
    """A body that cannot be taken: the HTTP status a fail-closed client gets, the cause, and what is known of it."""

    def __init__(self, status: int, detail: str, event: HookEvent | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.event = event


class RecordObserver(Protocol):
    """Shown every journalled record: the live view."""

    def __call__(self, record: Record) -> None:
        """Take note of a record."""
        ...


class Hooks:
    """Serves `POST /v1/hooks/{agent}` and its alias `POST /ext/claude`."""

    def __init__(
        self,
        *,
        enforcer: Enforcer,
        adapters: Mapping[str, AgentAdapter],
        identity: Identity,
        pdp: Pdp,
        journal: Journal,
        telemetry: Telemetry,
        limits: HookLimits,
        stopwatch: Stopwatch,
        new_error_id: Callable[[], str],
        observers: Sequence[RecordObserver] = (),
    ) -> None:
        self._enforcer = enforcer
        self._adapters = adapters
        self._identity = identity
        self._pdp = pdp
        self._journal = journal
        self._telemetry = telemetry
        self._limits = limits
        self._stopwatch = stopwatch
        self._new_error_id = new_error_id
        self._observers = tuple(observers)
        self._peers = Peers()

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to the data application."""
        return [web.post("/v1/hooks/{agent}", self.hook), web.post("/ext/claude", self.hook)]

    async def hook(self, request: web.Request) -> web.StreamResponse:
        """One hook event."""
        started = self._stopwatch()
        legacy = request.path == "/ext/claude"
        agent = "claude-code" if legacy else request.match_info["agent"]
        adapter = self._adapters.get(agent)
        if adapter is None:
            known = ", ".join(sorted(self._adapters))
            body = {
                "code": "OST-REQ-404",
                "message": f"No agent {agent[:40]!r}.",
                "remedy": f"Known agents: {known}.",
            }
            return web.json_response(body, status=404)
        headers = _headers(request)
        peer = self._peers.of(request)
        identified = self._identity.identify(headers, peer, agent)
        try:
            async with asyncio.timeout(self._limits.deadline_seconds):
                event = await self._event(request, adapter, headers, legacy)
        except RefusedBody as refused:
            return await self._refused(request, refused, adapter, identified, started)
        except TimeoutError:
            slow = RefusedBody(408, "The request's body did not arrive in time.")
            return await self._refused(request, slow, adapter, identified, started)
        arrival = Arrival(
            event=event,
            identified=identified,
            route=request.path if legacy else "/v1/hooks",
            started=started,
            decode_ns=self._stopwatch() - started,
        )
        return _reply(adapter, event, await self._answer(arrival, peer))

    async def _answer(self, arrival: Arrival, peer: Peer) -> Answer:
        """Decide one call; whatever breaks on the way becomes an answer of the failure table."""
        try:
            answered = await self._decide(arrival)
        except Exception as error:  # noqa: BLE001 - the last line of defence: an unknown failure is a denial, not a 500
            error_id = self._new_error_id()
            _LOG.exception("internal_error", error_id=error_id, agent=arrival.event.agent, peer=peer.address)
            answered = self._enforcer.refuse(arrival, "internal_error", type(error).__name__, error_id)
        return await self._record(answered)

    async def _decide(self, arrival: Arrival) -> Answered:
        step = self._enforcer.begin(arrival)
        if isinstance(step, Answered):
            return step
        answer = self._pdp.decide_now(step.question.request)
        if answer is None:
            return await self._ask(step, arrival.started)
        return self._enforcer.finish(step, answer)

    async def _ask(self, pending: Pending, started: int) -> Answered:
        """Ask a backend that has to be waited for, within what is left of the deadline."""
        left = self._limits.deadline_seconds - (self._stopwatch() - started) / 1e9
        try:
            answer: CheckAnswer = await self._pdp.decide(pending.question.request, max(left, 0.001))
        except (PdpUnavailable, PdpInvalid) as error:
            return self._enforcer.fail(pending, error)
        return self._enforcer.finish(pending, answer)

    async def _record(self, answered: Answered) -> Answer:
        """Journal the record, then release the answer."""
        written: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._journal.submit(
            answered.record, lambda error: None if written.done() else written.set_result(error)
        )
        error = await written
        record = answered.record
        self._telemetry.observe(record)
        if record.cause:
            self._telemetry.failure(record.cause, record.answer)
        for observer in self._observers:
            observer(record)
        if error is None:
            return answered.answer
        _LOG.error("record_failed", detail=str(error), decision_id=record.decision_id)
        answer, _ = self._enforcer.unrecorded(answered, str(error))
        self._telemetry.failure("record_failed", answer.word)
        return answer

    async def _event(
        self, request: web.Request, adapter: AgentAdapter, headers: Mapping[str, str], legacy: bool
    ) -> HookEvent:
        """Read and decode a body. Raises RefusedBody."""
        if headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
            raise RefusedBody(415, "Compressed bodies are not taken.")
        body = bytearray()
        async for chunk in request.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > self._limits.body_bytes:
                return await self._oversized(request, bytes(body), adapter, headers)
        try:
            return adapter.decode(bytes(body), headers, legacy_route=legacy)
        except PayloadError as error:
            raise RefusedBody(400, str(error)) from None

    async def _oversized(
        self, request: web.Request, head: bytes, adapter: AgentAdapter, headers: Mapping[str, str]
    ) -> HookEvent:
        """A body over the limit: denied when it could have been stopped, digested when it only tells what happened."""
        event = adapter.decode_prefix(head[:PREFIX_BYTES], headers)
        limit = self._limits.body_bytes
        if event is None or event.event in DECIDED_EVENTS:
            raise RefusedBody(413, f"The body has more than {limit} bytes.", event)
        digest = hashlib.sha256(head)
        size = len(head)
        async for chunk in request.content.iter_chunked(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if size > self._limits.streamed_bytes:
                raise RefusedBody(413, f"The body has more than {self._limits.streamed_bytes} bytes.", event)
        payload = {"oversized_body": {"bytes": size, "sha256": digest.hexdigest()}}
        return structs.replace(event, payload=payload, size=size)

    async def _refused(
        self,
        request: web.Request,
        refused: RefusedBody,
        adapter: AgentAdapter,
        identified: Identified,
        started: int,
    ) -> web.StreamResponse:
        """The reply to a body that cannot be taken; it is recorded all the same."""
        event = refused.event or HookEvent(agent=adapter.agent, event="", problem=refused.detail)
        arrival = Arrival(event=event, identified=identified, route=request.path, started=started)
        cause: Cause = "payload_invalid"
        answered = self._enforcer.refuse(arrival, cause, refused.detail)
        answer = await self._record(answered)
        readable = bool(event.event and event.call_id)
        if answered.mode != "enforce" or readable:
            reply = _reply(adapter, event, answer)
        else:
            body = {
                "code": f"OST-REQ-{refused.status}",
                "message": refused.detail,
                "remedy": "Send one hook event.",
            }
            reply = web.json_response(body, status=refused.status)
        reply.force_close()
        return reply


def _headers(request: web.Request) -> dict[str, str]:
    """Header values by lower-case name; a name that stands twice is joined with a comma, so that none is overlooked."""
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _reply(adapter: AgentAdapter, event: HookEvent, answer: Answer) -> web.Response:
    return web.Response(body=adapter.encode(event, answer), content_type="application/json")
