"""What a call has to do with earlier ones of the same principal: repeats, reused ids, inputs rewritten after approval.

The answer to a call never depends on an earlier answer: what is found here flags a call, shortens its record, or denies
it because its id already stood for another call.
"""

from __future__ import annotations

from gateway.domain.ports import Redactor
from gateway.domain.vocabulary import AFTERWARDS_EVENTS
from gateway.enforcement.recording import Facts
from gateway.session import Seen, SessionMemory

_AFTERWARDS = frozenset(AFTERWARDS_EVENTS)
REUSED = "call_id_reuse"
REWRITTEN = "rewritten_after_approval"
CLAIM_CHANGED = "claim_changed"
RAN_ANYWAY = "ran_after_denial"


class Lookback:
    """Joins calls with what the session memory holds of them."""

    def __init__(self, memory: SessionMemory, redactor: Redactor) -> None:
        self._memory = memory
        self._redactor = redactor

    def of(self, facts: Facts) -> Seen | None:
        """The earlier call this one repeats or follows; sets the digest of the input and flags what is suspicious."""
        event = facts.event
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
        if approved.denied and event.event == "PostToolUse":
            facts.flags += (RAN_ANYWAY,)
        if event.problem:
            # Of a body that was only digested no input is known to compare.
            return approved
        facts.digest = self._redactor.digest(event.comparable_input)
        if (facts.digest, event.tool) != (approved.digest, approved.tool):
            facts.flags += (REWRITTEN,)
        return approved
