"""The enforcement point (PEP), as a recipe and without I/O: `begin` a call, decide, `finish` it.

    begin(arrival) -> Answered | Pending      who, what it would do, what to ask
    finish(pending, answer) -> Answered       combine, apply mode and failure policy, write the record

The caller brings bytes, clocks and the backend's answer, and sends the reply only after the record is journalled; so one
path serves every lane, and nothing here can wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, structs

from gateway.checks import Question, Questions, reserved_in
from gateway.combine import Combined, combine
from gateway.domain.check import CheckAnswer
from gateway.domain.decision import PASS, Answer, Decision, Reason
from gateway.domain.events import HookEvent
from gateway.domain.modes import Modes
from gateway.domain.operations import Analysis
from gateway.domain.ports import Analyser, Clock, Identified, NewId, Pdp, Redactor, Stopwatch
from gateway.domain.record import Record
from gateway.domain.vocabulary import DECIDED_EVENTS, GUARD_EVENTS, AnswerWord, Cause, FailureAnswer, Mode
from gateway.errors import PdpInvalid, PdpUnavailable
from gateway.messages import Messages
from gateway.recording import Facts, Origin, record_of
from gateway.session import Seen, SessionMemory
from gateway.words import would_do

_DECIDED = frozenset(DECIDED_EVENTS)
_GUARDED = frozenset(GUARD_EVENTS)
_AFTERWARDS = frozenset({"PostToolUse", "PostToolUseFailure"})


class Stance(Struct, frozen=True, kw_only=True):
    """What the operator fixed about answers."""

    modes: Modes
    failure_policy: Mapping[str, FailureAnswer]
    no_policy_operation: FailureAnswer = "pass"
    no_policy_unknown_tool: FailureAnswer = "ask"
    skip_prompt: bool = False
    watched: str = ""


class Arrival(Struct, frozen=True, kw_only=True):
    """One decoded event and who sent it. `started` is the stopwatch at the first byte; timings are nanoseconds."""

    event: HookEvent
    identified: Identified
    route: str = ""
    started: int = 0
    decode_ns: int = 0


class Pending(Struct, frozen=True, kw_only=True):
    """A call that waits for the backend's answer to `question`."""

    question: Question
    facts: Facts
    seen: Seen | None
    asked_at: int
    timings: dict[str, int]
    started: int


class Answered(Struct, frozen=True, kw_only=True):
    """The answer to send once `record` is journalled, and the mode it was made in."""

    event: HookEvent
    answer: Answer
    record: Record
    mode: Mode


class Enforcer:
    """One policy enforcement point. `ready` names what keeps the backend from being used, "" when nothing does."""

    def __init__(
        self,
        *,
        stance: Stance,
        analyser: Analyser,
        pdp: Pdp,
        questions: Questions,
        redactor: Redactor,
        memory: SessionMemory,
        messages: Messages,
        origin: Origin,
        clock: Clock,
        stopwatch: Stopwatch,
        new_id: NewId,
        ready: Callable[[], str],
    ) -> None:
        self._stance = stance
        self._analyser = analyser
        self._pdp = pdp
        self._questions = questions
        self._redactor = redactor
        self._memory = memory
        self._messages = messages
        self._origin = origin
        self._clock = clock
        self._stopwatch = stopwatch
        self._new_id = new_id
        self._ready = ready

    def mode_of(self, identified: Identified, agent: str, event: str) -> Mode:
        """The mode of a call; with no event known, the strictest that any event of this caller could have."""
        return self._stance.modes.resolve(
            identified.principal, proven=identified.proven, agent=agent, event=event
        )

    def begin(self, arrival: Arrival) -> Answered | Pending:
        """Everything before the question to the backend; a call that needs none is answered at once."""
        event, identified = arrival.event, arrival.identified
        timings = {"decode": arrival.decode_ns}
        facts = Facts(
            event=event,
            principal=identified.principal,
            decision_id=self._new_id(),
            at=self._clock(),
            mode=self.mode_of(identified, event.agent, event.event),
            route=arrival.route,
            revision=self._pdp.revision,
        )
        if facts.mode == "disabled":
            return self._answered(facts, timings, arrival.started)
        seen = self._look_back(facts)
        decided = event.event in _DECIDED
        if decided or facts.digest == "" or seen is None:
            began = self._stopwatch()
            facts.analysis = self._analyser.analyse(event)
            timings["analyse"] = self._stopwatch() - began
        if not decided:
            facts.answer = self._notice(event)
            return self._answered(facts, timings, arrival.started)
        refusal = self._refuse_unasked(facts, identified)
        if refusal is not None:
            return self._conclude(facts, refusal, seen, timings, arrival.started)
        assert facts.analysis is not None
        question = self._questions.ask(event, facts.analysis, identified.principal, facts.decision_id)
        pending = Pending(
            question=question,
            facts=facts,
            seen=seen,
            asked_at=self._stopwatch(),
            timings=timings,
            started=arrival.started,
        )
        if not question.asked:
            return self.finish(pending, CheckAnswer(results=(), revision=facts.revision))
        return pending

    def finish(self, pending: Pending, answer: CheckAnswer) -> Answered:
        """The call's end: the backend's answers combined, judged and recorded."""
        facts = pending.facts
        pending.timings["decide"] = self._stopwatch() - pending.asked_at
        facts.revision = answer.revision or facts.revision
        assert facts.analysis is not None
        combined = combine(pending.question, answer)
        decision = self._with_limits(combined, facts.analysis)
        return self._conclude(facts, decision, pending.seen, pending.timings, pending.started)

    def fail(self, pending: Pending, error: PdpUnavailable | PdpInvalid) -> Answered:
        """The call's end when the backend gave no usable answer."""
        pending.timings["decide"] = self._stopwatch() - pending.asked_at
        cause: Cause = "pdp_invalid" if isinstance(error, PdpInvalid) else "pdp_unavailable"
        decision = Decision(word="error", cause=cause, detail=str(error))
        return self._conclude(pending.facts, decision, pending.seen, pending.timings, pending.started)

    def refuse(self, arrival: Arrival, cause: Cause, detail: str, error_id: str = "") -> Answered:
        """A call that cannot be looked at: unreadable, over quota, or the gateway itself failed on it."""
        identified = arrival.identified
        facts = Facts(
            event=arrival.event,
            principal=identified.principal,
            decision_id=self._new_id(),
            at=self._clock(),
            mode=self.mode_of(identified, arrival.event.agent, arrival.event.event),
            route=arrival.route,
            revision=self._pdp.revision,
        )
        decision = Decision(word="error", cause=cause, detail=detail, error_id=error_id)
        return self._conclude(facts, decision, None, {"decode": arrival.decode_ns}, arrival.started)

    def unrecorded(self, answered: Answered, detail: str) -> tuple[Answer, FailureAnswer | None]:
        """What is sent when the record could not be written, and what the failure policy said (None in observe)."""
        if answered.mode != "enforce" or answered.event.event not in _DECIDED:
            return PASS if answered.mode != "enforce" else answered.answer, None
        failure = self._stance.failure_policy["record_failed"]
        decision = Decision(word="error", cause="record_failed", detail=detail)
        word: AnswerWord = failure
        if word == "pass" or answered.answer.word == "deny":
            return answered.answer, failure
        text = self._messages.answer(
            word, decision, tool=answered.record.tool, would="", decision_id=answered.record.decision_id
        )
        return text, failure

    def _look_back(self, facts: Facts) -> Seen | None:
        """Join the call with what this principal did before: repeats, reused ids, inputs rewritten after approval."""
        event = facts.event
        if event.event in _AFTERWARDS:
            approved = self._memory.approved(facts.principal.key, event)
            if approved is not None:
                facts.digest = self._redactor.digest(_comparable(event, approved.fields))
                if facts.digest != approved.digest or _unexpected(event, approved.fields):
                    facts.flags += ("rewritten_after_approval",)
            else:
                facts.digest = self._redactor.digest(event.tool_input)
            return approved
        if not event.tool:
            return None
        facts.digest = self._redactor.digest(event.tool_input)
        if reserved_in(event.payload):
            facts.flags += ("reserved_attribute",)
        sighting, seen = self._memory.see(facts.principal.key, event, facts.digest, facts.at)
        if sighting == "reused":
            facts.flags += ("call_id_reuse",)
        return seen

    def _refuse_unasked(self, facts: Facts, identified: Identified) -> Decision | None:
        """Reasons to decide without the backend, hardest first."""
        event = facts.event
        if not identified.proven:
            return Decision(word="error", cause="unauthenticated", detail=identified.problem)
        if event.problem and event.event in _GUARDED:
            return Decision(word="error", cause="payload_invalid", detail=event.problem)
        if "call_id_reuse" in facts.flags:
            text = "The call's id was already used for another input; issue a new call"
            reason = Reason(rule="ostiary.call_id_reuse", decision="deny", text=text)
            return Decision(word="deny", reasons=(reason,))
        problem = self._ready()
        if problem:
            return Decision(word="error", cause="no_policy_loaded", detail=problem)
        return None

    def _with_limits(self, combined: Combined, analysis: Analysis) -> Decision:
        """The combined decision, tightened by what the analysis could not tell and by what no policy spoke about."""
        decision = combined.decision
        if decision.word in {"deny", "error", "ask"}:
            return decision
        if analysis.limits_hit or analysis.truncated:
            limits = ", ".join(analysis.limits_hit) or "more operations than can be asked"
            return Decision(word="error", cause="analysis_limit", detail=limits)
        if analysis.opaque and self._stance.failure_policy["opaque"] != "pass" and not combined.call_matched:
            return Decision(word="error", cause="opaque", detail="the command's text could not be resolved")
        if not analysis.known_tool and not combined.call_matched:
            return self._unmatched(decision, "ostiary.unknown_tool", self._stance.no_policy_unknown_tool)
        if combined.unmatched:
            return self._unmatched(decision, "ostiary.no_policy", self._stance.no_policy_operation)
        return decision

    @staticmethod
    def _unmatched(decision: Decision, rule: str, wanted: FailureAnswer) -> Decision:
        if wanted == "pass":
            return decision
        text = "No policy speaks about this" if rule == "ostiary.no_policy" else "This tool is not known here"
        return structs.replace(
            decision, word=wanted, reasons=(Reason(rule=rule, decision=wanted, text=text),)
        )

    def _conclude(
        self, facts: Facts, decision: Decision, seen: Seen | None, timings: dict[str, int], started: int
    ) -> Answered:
        """Mode and failure policy turn the decision into an answer; memory keeps the call."""
        facts.decision = decision
        word = facts.event.expressible(self._answer_word(facts.mode, decision, facts.event))
        would = would_do(facts.event, facts.analysis)
        facts.answer = self._messages.answer(
            word, decision, tool=facts.event.tool, would=would, decision_id=facts.decision_id
        )
        if "call_id_reuse" not in facts.flags and facts.digest:
            if seen is not None and (seen.decision, seen.revision) == (decision.word, facts.revision):
                facts.repeat_of = seen.decision_id
            self._memory.remember(
                facts.principal.key,
                facts.event,
                Seen(
                    digest=facts.digest,
                    decision_id=facts.repeat_of or facts.decision_id,
                    at=facts.at,
                    decision=decision.word,
                    revision=facts.revision,
                    fields=frozenset(facts.event.tool_input),
                ),
            )
        return self._answered(facts, timings, started)

    def _answer_word(self, mode: Mode, decision: Decision, event: HookEvent) -> AnswerWord:
        if mode != "enforce" or (event.event and event.event not in _DECIDED):
            return "pass"
        if decision.cause is not None:
            return self._stance.failure_policy[decision.cause]
        if decision.word in {"deny", "ask"}:
            return "deny" if decision.word == "deny" else "ask"
        if decision.skip_prompt and self._stance.skip_prompt:
            return "allow"
        return "pass"

    def _notice(self, event: HookEvent) -> Answer:
        """At the start of a session the person is told that it is watched."""
        if event.event == "SessionStart" and self._stance.watched:
            return Answer(person_text=self._stance.watched)
        return PASS

    def _answered(self, facts: Facts, timings: dict[str, int], started: int) -> Answered:
        timings["total"] = self._stopwatch() - started
        record = self._redactor.redact(record_of(facts, self._origin, timings))
        return Answered(event=facts.event, answer=facts.answer, record=record, mode=facts.mode)


def _comparable(event: HookEvent, fields: frozenset[str]) -> dict[str, object]:
    """The part of an executed input that was there when it was approved."""
    return {name: value for name, value in event.tool_input.items() if name in fields}


def _unexpected(event: HookEvent, fields: frozenset[str]) -> bool:
    """Whether the executed input has a field that was neither approved nor is one the client adds by itself."""
    return any(name not in fields and name not in event.added_fields for name in event.tool_input)
