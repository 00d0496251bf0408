"""The enforcement point (PEP), as a recipe and without I/O: `begin` a call, decide, `finish` it.

    begin(arrival) -> Answered | Pending      who, what it would do, what to ask
                   -> Analysing               where that takes more than a moment: then
    analysed(analysing, analysis) -> Answered | Pending
    finish(pending, answer) -> Answered       combine, apply mode and failure policy, write the record

The caller brings bytes, clocks and the backend's answer, and sends the reply only after the record is journalled; so one
path serves every lane, and nothing here can wait.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from gateway.domain.check import CheckAnswer
from gateway.domain.decision import Answer, Decision, Reason
from gateway.domain.events import HookEvent
from gateway.domain.operations import Analysis
from gateway.domain.ports import Analyser, Clock, Identified, NewId, Pdp, Redactor, Stopwatch
from gateway.domain.record import Record
from gateway.domain.remembered import Remembered
from gateway.domain.vocabulary import DECIDED_EVENTS, GUARD_EVENTS, SESSION_START_EVENTS, Cause, Mode
from gateway.enforcement.checks import Question, Questions, reserved_in
from gateway.enforcement.combine import Combined, combine
from gateway.enforcement.lookback import REUSED, Lookback
from gateway.enforcement.messages import Messages
from gateway.enforcement.quota import Admission, Meters
from gateway.enforcement.recording import Facts, Origin, record_of
from gateway.enforcement.verdict import Doubt, Stance, Verdict, answer_word, failed, judge
from gateway.enforcement.words import would_do
from gateway.errors import PdpError, PdpInvalid, PdpUnproven
from gateway.session import Seen

_DECIDED = frozenset(DECIDED_EVENTS)
_GUARDED = frozenset(GUARD_EVENTS)
_SESSION_START = frozenset(SESSION_START_EVENTS)


class Arrival(Struct, frozen=True, kw_only=True):
    """One decoded event and who sent it. `started` is the stopwatch at the first byte; timings are nanoseconds."""

    event: HookEvent
    identified: Identified
    route: str = ""
    started: int = 0
    decode_ns: int = 0
    wants_notice: bool = False
    """Whether the client shows the person what the reply to the start of a session says."""


class Call(Struct, kw_only=True):
    """A call on its way: what is known of it, the earlier call it repeats, what is doubtful about who asks."""

    facts: Facts
    started: int
    timings: dict[str, int]
    recorded: bool = True
    seen: Seen | None = None
    doubts: tuple[Doubt, ...] = ()


class Analysing(Struct, frozen=True, kw_only=True):
    """A call whose analysis is to be completed elsewhere; `first` is what is known of it already, None for nothing."""

    event: HookEvent
    remembered: Remembered
    first: Analysis | None
    call: Call
    arrival: Arrival
    asked_at: int


class Pending(Struct, frozen=True, kw_only=True):
    """A call that waits for the backend's answer to `question`."""

    question: Question
    call: Call
    asked_at: int


class Answered(Struct, frozen=True, kw_only=True):
    """The answer to send once `record` is journalled, and the mode it was made in.

    `recorded` is false where only a count is kept (`Meters`); `causes` are the failures to count.
    """

    event: HookEvent
    answer: Answer
    record: Record
    mode: Mode
    recorded: bool = True
    causes: tuple[Cause, ...] = ()


class Enforcer:
    """One policy enforcement point. `ready` names what keeps the backend from being used, "" when nothing does.

    `incomplete` says whether an analysis is to be completed elsewhere (`Analyst.wanted`).
    """

    def __init__(
        self,
        *,
        stance: Stance,
        analyser: Analyser,
        pdp: Pdp,
        questions: Questions,
        redactor: Redactor,
        lookback: Lookback,
        meters: Meters,
        messages: Messages,
        origin: Origin,
        clock: Clock,
        stopwatch: Stopwatch,
        new_id: NewId,
        ready: Callable[[], str],
        incomplete: Callable[[Analysis], bool] = lambda _analysis: False,
    ) -> None:
        self._stance = stance
        self._analyser = analyser
        self._pdp = pdp
        self._questions = questions
        self._redactor = redactor
        self._lookback = lookback
        self._meters = meters
        self._messages = messages
        self._origin = origin
        self._clock = clock
        self._stopwatch = stopwatch
        self._new_id = new_id
        self._ready = ready
        self._incomplete = incomplete

    def mode_of(self, identified: Identified, agent: str, event: str) -> Mode:
        """The mode of a call; with no event known, the strictest that any event of this caller could have."""
        return self._stance.modes.resolve(
            identified.principal,
            proven=identified.proven,
            agent=agent,
            event=event,
            agent_bound=identified.agent_bound,
        )

    def begin(self, arrival: Arrival) -> Answered | Analysing | Pending:
        """Everything before the question to the backend; a call that needs none is answered at once."""
        event = arrival.event
        call = self._call(arrival)
        facts = call.facts
        if facts.mode == "disabled":
            call.recorded = self._meters.records_disabled((*facts.principal.key, event.agent), facts.at)
            return self._answered(call)
        refusal = self._admit(call, arrival.identified)
        if refusal is not None:
            return self._conclude(call, refusal)
        if reserved_in(event.payload):
            facts.flags += ("reserved_attribute",)
        call.seen = self._lookback.of(facts)
        if event.event not in _DECIDED and call.seen is not None:
            return self._notice(call, arrival)
        began = self._stopwatch()
        remembered = self._lookback.remembered(facts)
        first = self._analyser.analyse_now(event, remembered)
        step = Analysing(
            event=event, remembered=remembered, first=first, call=call, arrival=arrival, asked_at=began
        )
        return step if first is None or self._incomplete(first) else self.analysed(step, first)

    def analysed(self, step: Analysing, analysis: Analysis) -> Answered | Pending:
        """What follows once it is known what the call would do."""
        call, event = step.call, step.event
        call.facts.analysis = analysis
        call.timings["analyse"] = self._stopwatch() - step.asked_at
        if event.event not in _DECIDED:
            return self._notice(call, step.arrival)
        refusal = self._refuse_unasked(call)
        if refusal is not None:
            return self._conclude(call, refusal)
        facts = call.facts
        question = self._questions.ask(event, analysis, facts.principal, facts.decision_id)
        pending = Pending(question=question, call=call, asked_at=self._stopwatch())
        if not question.asked:
            return self.finish(pending, CheckAnswer(results=(), revision=facts.revision))
        return pending

    def finish(self, pending: Pending, answer: CheckAnswer) -> Answered:
        """The call's end: the backend's answers combined, judged and recorded."""
        call = pending.call
        call.timings["decide"] = self._stopwatch() - pending.asked_at
        call.facts.revision = answer.revision or call.facts.revision
        analysis = call.facts.analysis or Analysis()
        return self._conclude(
            call, judge(combine(pending.question, answer), analysis, call.doubts, self._stance)
        )

    def fail(self, pending: Pending, error: PdpError) -> Answered:
        """The call's end when the backend gave no usable answer."""
        pending.call.timings["decide"] = self._stopwatch() - pending.asked_at
        cause: Cause = "pdp_unavailable"
        if isinstance(error, PdpUnproven):
            cause = "no_policy_loaded"
        elif isinstance(error, PdpInvalid):
            cause = "pdp_invalid"
        return self._conclude(pending.call, self._failure(pending.call, cause, str(error)))

    def refuse(self, arrival: Arrival, cause: Cause, detail: str, error_id: str = "") -> Answered:
        """A call that cannot be looked at: unreadable, or the gateway itself failed on it."""
        call = self._call(arrival)
        self._count(call, arrival.identified)
        return self._conclude(call, _only(failed(cause, detail, error_id)))

    def unrecorded(self, answered: Answered, detail: str) -> Answer:
        """What is sent when the record could not be written."""
        decision = failed("record_failed", detail)
        word = answer_word(answered.mode, decision, answered.event, self._stance)
        if word == "pass" or answered.answer.word == "deny":
            return answered.answer
        record = answered.record
        return self._messages.answer(
            word, decision, tool=record.tool, would="", decision_id=record.decision_id
        )

    def _call(self, arrival: Arrival) -> Call:
        event, identified = arrival.event, arrival.identified
        facts = Facts(
            event=event,
            principal=identified.principal,
            decision_id=self._new_id(),
            at=self._clock(),
            mode=self.mode_of(identified, event.agent, event.event),
            route=arrival.route,
            revision=self._pdp.revision,
        )
        return Call(facts=facts, started=arrival.started, timings={"decode": arrival.decode_ns})

    def _admit(self, call: Call, identified: Identified) -> Verdict | None:
        """Who asks, and how much he asked already. Where the operator lets it pass, policy still decides."""
        facts = call.facts
        admission = self._count(call, identified)
        problems: list[tuple[Cause, str]] = []
        if not identified.proven:
            problems.append(("unauthenticated", identified.problem))
        if admission.over:
            problems.append(("over_quota", admission.over))
        if facts.event.event not in _DECIDED:
            return None
        for cause, detail in problems:
            wanted = self._stance.failure_policy[cause]
            if wanted == "deny":
                return _only(failed(cause, detail))
            call.doubts += (Doubt(cause, wanted, detail),)
        return None

    def _count(self, call: Call, identified: Identified) -> Admission:
        admission = self._meters.admit(
            identified.principal, proven=identified.proven, size=call.facts.event.size, now=call.facts.at
        )
        call.recorded = admission.recorded
        return admission

    def _refuse_unasked(self, call: Call) -> Verdict | None:
        """Reasons to decide without the backend, hardest first."""
        event = call.facts.event
        if event.problem and event.event in _GUARDED:
            return self._failure(call, "payload_invalid", event.problem)
        if REUSED in call.facts.flags:
            text = "The call's id was already used for another input; issue a new call"
            reason = Reason(rule=f"ostiary.{REUSED}", decision="deny", text=text)
            return Verdict(Decision(word="deny", reasons=(reason,)))
        problem = self._ready()
        return self._failure(call, "no_policy_loaded", problem) if problem else None

    def _failure(self, call: Call, cause: Cause, detail: str) -> Verdict:
        """A failure in the place of the policies: what else is doubtful may still be stricter than it."""
        failure = failed(cause, detail)
        combined = Combined(decision=failure, failure=failure)
        return judge(combined, call.facts.analysis or Analysis(), call.doubts, self._stance)

    def _conclude(self, call: Call, verdict: Verdict) -> Answered:
        """Mode and failure policy turn the decision into an answer; memory keeps the call."""
        facts, decision = call.facts, verdict.decision
        facts.decision = decision
        if not facts.event.event or facts.event.event in _DECIDED:
            # What comes after the fact cannot be stopped: letting it pass is no failure to count.
            facts.causes = verdict.causes
        word = answer_word(facts.mode, decision, facts.event, self._stance)
        if facts.mode == "enforce":
            facts.answer = self._messages.answer(
                word,
                decision,
                tool=facts.event.tool,
                would=would_do(facts.event, facts.analysis),
                decision_id=facts.decision_id,
            )
        self._lookback.keep(facts, call.seen)
        self._lookback.keep_work(facts)
        return self._answered(call)

    def _notice(self, call: Call, arrival: Arrival) -> Answered:
        """At the start of a session the person is told that it is watched, where the client can show it."""
        facts = call.facts
        if arrival.wants_notice and facts.event.event in _SESSION_START:
            facts.answer = self._messages.notice(facts.mode, facts.revision)
        self._lookback.keep_work(facts)
        return self._answered(call)

    def _answered(self, call: Call) -> Answered:
        facts = call.facts
        call.timings["total"] = self._stopwatch() - call.started
        record = self._redactor.redact(record_of(facts, self._origin, call.timings))
        return Answered(
            event=facts.event,
            answer=facts.answer,
            record=record,
            mode=facts.mode,
            recorded=call.recorded,
            causes=facts.causes,
        )


def _only(decision: Decision) -> Verdict:
    """A failure that decided alone."""
    return Verdict(decision, (decision.cause,) if decision.cause else ())


def bare(event: HookEvent) -> HookEvent:
    """An event without anything the client wrote beside its ids, for when the rest is what fails."""
    return HookEvent(
        agent=event.agent,
        event=event.event,
        session_id=event.session_id,
        call_id=event.call_id,
        tool=event.tool,
        size=event.size,
        synthetic=event.synthetic,
        ask_as=event.ask_as,
        allow_as=event.allow_as,
    )
