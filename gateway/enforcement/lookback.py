"""What a call has to do with earlier ones of the same principal: repeats, reused ids, inputs rewritten after approval.

The answer to a call never depends on an earlier answer: what is found here flags a call, shortens its record, or denies
it because its id already stood for another call.
"""

from __future__ import annotations

from gateway.domain.ports import Redactor
from gateway.domain.remembered import Remembered
from gateway.domain.vocabulary import AFTERWARDS_EVENTS, SESSION_START_EVENTS
from gateway.enforcement.recording import Facts
from gateway.session import Seen, SessionMemory
from gateway.session_work import SessionKey

_AFTERWARDS = frozenset(AFTERWARDS_EVENTS)
REUSED = "call_id_reuse"
REWRITTEN = "rewritten_after_approval"
CLAIM_CHANGED = "claim_changed"
RAN_ANYWAY = "ran_after_denial"


_SESSION_START = frozenset(SESSION_START_EVENTS)
_ASKED = frozenset({"PreToolUse", "PostToolUse"})
"""Events that tell of a change to come, or of one that nobody asked about before."""


class Lookback:
    """Joins calls with what the session memory holds of them."""

    def __init__(self, memory: SessionMemory, redactor: Redactor) -> None:
        self._memory = memory
        self._redactor = redactor

    def of(self, facts: Facts) -> Seen | None:
        """The earlier call this one repeats or follows; sets the digest of the input and flags what is suspicious."""
        event = facts.event
        if event.session_id:
            self._memory.work.begin(_session(facts), beginning=event.event in _SESSION_START)
        if self._memory.claims_changed(facts.principal.key, event):
            facts.flags += (CLAIM_CHANGED,)
        if not event.tool:
            return None
        if event.event in _AFTERWARDS:
            return self._approval(facts)
        facts.digest = self._redactor.digest(event.comparable_input)
        sighting, seen = self._memory.see(facts.principal.key, event, facts.digest, facts.at)
        if sighting == "reused":
            facts.flags += (REUSED,)
        return seen

    def remembered(self, facts: Facts) -> Remembered:
        """What the session of a call did to files before it."""
        return self._memory.work.view(_session(facts))

    def keep_work(self, facts: Facts) -> None:
        """Remember what a call may do to files from now on, before its answer leaves.

        Calls of one turn that are asked about at the same time do not see each other's changes (docs/threat-model.md).
        """
        event, analysis = facts.event, facts.analysis
        if (
            event.session_id
            and analysis is not None
            and facts.answer.word != "deny"
            and event.event in _ASKED
        ):
            self._memory.work.keep(_session(facts), analysis.left, event.call_id)

    def keep(self, facts: Facts, seen: Seen | None) -> None:
        """Remember a decided call; says on `facts` whether it repeats an earlier one that was answered the same."""
        if not facts.digest or REUSED in facts.flags or facts.decision is None:
            return
        said = (facts.decision.word, facts.answer.word, facts.mode, facts.revision)
        if seen is not None and seen.said == said:
            facts.repeat_of = seen.decision_id
        self._memory.remember(
            facts.principal.key,
            facts.event,
            Seen(
                digest=facts.digest,
                decision_id=facts.repeat_of or facts.decision_id,
                at=facts.at,
                tool=facts.event.tool,
                said=said,
                denied=facts.answer.word == "deny",
            ),
        )

    def _approval(self, facts: Facts) -> Seen | None:
        """The PreToolUse of an event that tells what then happened."""
        event = facts.event
        approved = self._memory.approved(facts.principal.key, event)
        if approved is None:
            facts.digest = "" if event.problem else self._redactor.digest(event.comparable_input)
            return None
        if event.event == "PostToolUse":
            self._memory.work.done(_session(facts), event.call_id)
            if approved.denied:
                facts.flags += (RAN_ANYWAY,)
        if event.problem:
            # Of a body that was only digested no input is known to compare.
            return approved
        facts.digest = self._redactor.digest(event.comparable_input)
        if (facts.digest, event.tool) != (approved.digest, approved.tool):
            facts.flags += (REWRITTEN,)
        return approved


def _session(facts: Facts) -> SessionKey:
    return facts.principal.key, facts.event.agent, facts.event.session_id
