"""The hook routes: bytes of an agent in, the enforcement point asked, the record journalled, bytes out.

In observe every answer is 200 `{}`, whatever came. In enforce a reply is 200 with a complete body of the agent's protocol,
or a non-2xx that makes a fail-closed client block (docs/hook-protocol.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog
from aiohttp import web
from msgspec import Struct, structs

from gateway.assurance.synthetic import HEADER, Marks, identified_by
from gateway.domain.decision import Answer
from gateway.domain.events import HookEvent
from gateway.domain.ports import AgentAdapter, Analyst, Identity, Journal, Pdp, Stopwatch
from gateway.domain.record import Record, short_id
from gateway.domain.vocabulary import DECIDED_EVENTS
from gateway.enforce import Analysing, Answered, Arrival, Enforcer, bare
from gateway.enforcement.recording import UNTRANSLATED
from gateway.errors import PdpError
from gateway.telemetry import Telemetry
from gateway.web.bodies import BodyLimits, RefusedBody, read_event
from gateway.web.guards import error
from gateway.web.peer import Peers

LEGACY_ROUTE = "/ext/claude"
LEGACY_AGENT = "claude-code"
HOOKS_ROUTE = "/v1/hooks"
NOTICE_HEADER = "x-ostiary-notice"
SYNTHETIC = HEADER.lower()
_LOG = structlog.stdlib.get_logger("ostiary.hooks")
_DECIDED = frozenset(DECIDED_EVENTS)
_AGENT_CHARACTERS = 40


class HookLimits(Struct, frozen=True, kw_only=True):
    """Limits of a request."""

    body: BodyLimits = BodyLimits()
    deadline_seconds: float = 4.0


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
        analyst: Analyst,
        journal: Journal,
        telemetry: Telemetry,
        limits: HookLimits,
        stopwatch: Stopwatch,
        new_error_id: Callable[[], str],
        marks: Marks,
        observers: Sequence[RecordObserver] = (),
    ) -> None:
        self._enforcer = enforcer
        self._adapters = adapters
        self._identity = identity
        self._pdp = pdp
        self._analyst = analyst
        self._journal = journal
        self._telemetry = telemetry
        self._limits = limits
        self._stopwatch = stopwatch
        self._new_error_id = new_error_id
        self._marks = marks
        self._observers = tuple(observers)
        self._peers = Peers()

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to the data application."""
        return [web.post(f"{HOOKS_ROUTE}/{{agent}}", self.hook), web.post(LEGACY_ROUTE, self.hook)]

    async def hook(self, request: web.Request) -> web.StreamResponse:
        """One hook event. Whatever fails beyond the failure table stops nobody in observe and everybody in enforce."""
        started = self._stopwatch()
        legacy = request.path == LEGACY_ROUTE
        agent = LEGACY_AGENT if legacy else request.match_info["agent"][:_AGENT_CHARACTERS]
        headers = _headers(request)
        identified = self._identity.identify(headers, self._peers.of(request), agent)
        if not identified.proven:
            self._telemetry.unproven(identified.problem)
        arrival = Arrival(
            event=HookEvent(agent=agent, event=""),
            identified=identified,
            route=LEGACY_ROUTE if legacy else HOOKS_ROUTE,
            started=started,
            wants_notice=headers.get(NOTICE_HEADER, "") == "session",
        )
        try:
            return await self._serve(request, headers, arrival)
        except Exception as failure:  # noqa: BLE001 - not even a refusal could be made: the last reply that is left
            _LOG.error("request_failed", exc_info=failure)
            self._telemetry.failure("internal_error", "none")
            if self._enforcer.mode_of(identified, agent, "") != "enforce":
                return _nothing()
            return error(500, "OST-REQ-500", "The gateway failed on this request.", "Its log says why.")

    async def _serve(
        self, request: web.Request, headers: Mapping[str, str], arrival: Arrival
    ) -> web.StreamResponse:
        agent, legacy = arrival.event.agent, arrival.route == LEGACY_ROUTE
        adapter = self._adapters.get(agent)
        if adapter is None:
            return await self._unknown_agent(arrival)
        try:
            async with asyncio.timeout(self._limits.deadline_seconds):
                event = await read_event(request, adapter, headers, self._limits.body, legacy_route=legacy)
        except RefusedBody as refused:
            return await self._refused(refused, adapter, arrival)
        except TimeoutError:
            slow = RefusedBody(408, "The request's body did not arrive in time.")
            return await self._refused(slow, adapter, arrival)
        mark = self._marks.read(headers.get(SYNTHETIC, ""), event)
        if mark is not None:
            event = structs.replace(event, synthetic=True)
            arrival = structs.replace(arrival, identified=identified_by(mark) or arrival.identified)
        arrival = structs.replace(arrival, event=event, decode_ns=self._stopwatch() - arrival.started)
        return _reply(adapter, event, await self._answer(arrival))

    async def _answer(self, arrival: Arrival) -> Answer:
        """Decide one call; whatever breaks on the way becomes an answer of the failure table."""
        try:
            answered = await self._decide(arrival)
        except Exception as failure:  # noqa: BLE001 - the last line of defence: an unknown failure is a denial, not a 500
            answered = self._failed(arrival, failure)
        return await self._record(answered)

    async def _decide(self, arrival: Arrival) -> Answered:
        step = self._enforcer.begin(arrival)
        if isinstance(step, Analysing):
            analysis = await self._analyst.complete(step.event, step.remembered, step.first)
            step = self._enforcer.analysed(step, analysis)
        if isinstance(step, Answered):
            return step
        try:
            answer = self._pdp.decide_now(step.question.request)
            if answer is None:
                answer = await self._pdp.decide(step.question.request, self._left(arrival))
        except PdpError as failure:
            return self._enforcer.fail(step, failure)
        return self._enforcer.finish(step, answer)

    def _left(self, arrival: Arrival) -> float:
        """Seconds of the deadline that a backend still has."""
        used = (self._stopwatch() - arrival.started) / 1e9
        return max(self._limits.deadline_seconds - used, 0.001)

    def _failed(self, arrival: Arrival, failure: Exception) -> Answered:
        """The answer to a call that the gateway itself failed on; its error id stands in the reason and in the log."""
        error_id = f"E-{short_id(self._new_error_id())}"
        _LOG.error("internal_error", error_id=error_id, agent=arrival.event.agent, exc_info=failure)
        detail = type(failure).__name__
        try:
            return self._enforcer.refuse(arrival, "internal_error", detail, error_id)
        except Exception as again:  # noqa: BLE001 - what the client wrote may be what fails: then it is left out
            _LOG.error("internal_error_again", error_id=error_id, exc_info=again)
            without = structs.replace(arrival, event=bare(arrival.event))
            return self._enforcer.refuse(without, "internal_error", detail, error_id)

    async def _record(self, answered: Answered) -> Answer:
        """Journal the record, then release the answer."""
        record = answered.record
        failure = await self._journalled(record) if answered.recorded else None
        answer = answered.answer if failure is None else self._enforcer.unrecorded(answered, str(failure))
        self._telemetry.observe(record, written=answered.recorded and failure is None)
        for cause in answered.causes:
            self._telemetry.failure(cause, record.answer)
        if failure is not None:
            self._telemetry.failure("record_failed", answer.word)
            self._telemetry.dropped("write_failed", 1)
            _LOG.error("record_failed", detail=str(failure), decision_id=record.decision_id)
        if UNTRANSLATED in record.flags:
            _LOG.warning("output_not_translated", detail=record.detail, decision_id=record.decision_id)
        if record.mode == "disabled" and answered.recorded:
            _LOG.warning("calls_pass_unexamined", agent=record.agent, decision_id=record.decision_id)
        self._show(record)
        return answer

    def _show(self, record: Record) -> None:
        for observer in self._observers:
            try:
                observer(record)
            except Exception as failure:  # noqa: BLE001 - who watches must not be able to stop a call
                _LOG.error("observer_failed", exc_info=failure)

    async def _journalled(self, record: Record) -> Exception | None:
        """What kept a record from being written, None once it is as durable as configured."""
        written: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

        def done(failure: Exception | None) -> None:
            if not written.done():
                written.set_result(failure)

        self._journal.submit(record, done)
        return await written

    async def _unknown_agent(self, arrival: Arrival) -> web.StreamResponse:
        """The reply on the route of an agent nobody knows."""
        known = ", ".join(sorted(self._adapters))
        detail = "No agent has this name."
        event = structs.replace(arrival.event, problem=detail)
        answered = self._enforcer.refuse(structs.replace(arrival, event=event), "payload_invalid", detail)
        await self._record(answered)
        if answered.mode != "enforce":
            return _nothing()
        return error(404, "OST-REQ-404", detail, f"Known agents: {known}.")

    async def _refused(
        self, refused: RefusedBody, adapter: AgentAdapter, arrival: Arrival
    ) -> web.StreamResponse:
        """The reply to a body that cannot be taken; it is recorded all the same."""
        event = refused.event or structs.replace(arrival.event, problem=refused.detail)
        answered = self._enforcer.refuse(
            structs.replace(arrival, event=event), "payload_invalid", refused.detail
        )
        answer = await self._record(answered)
        if answered.mode != "enforce":
            reply = _nothing()
        elif _answerable(event):
            reply = _reply(adapter, event, answer)
        else:
            reply = error(
                refused.status, f"OST-REQ-{refused.status}", refused.detail, "Send one hook event in time."
            )
        reply.force_close()
        return reply


def _answerable(event: HookEvent) -> bool:
    """Whether enough of a refused body was read for a valid reply: its event, and the id of what it is about."""
    if event.event == "PreToolUse":
        return bool(event.call_id)
    return bool(event.event and (event.session_id or event.event not in _DECIDED))


def _headers(request: web.Request) -> dict[str, str]:
    """Header values by lower-case name; a name that stands twice is joined with a comma, so that none is overlooked."""
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _reply(adapter: AgentAdapter, event: HookEvent, answer: Answer) -> web.Response:
    return web.Response(body=adapter.encode(event, answer), content_type="application/json")


def _nothing() -> web.Response:
    """No objection, in a form every agent's protocol takes."""
    return web.Response(body=b"{}", content_type="application/json")
