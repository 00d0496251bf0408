"""The two texts of every stop: to the model what to do instead, never the policy; to the person the rule and whom to ask.

tests/golden/messages.yaml holds all of them. Model texts stay under 400 characters: they go into every later request.
"""

from __future__ import annotations

from msgspec import Struct

from gateway.domain.decision import Answer, Decision
from gateway.domain.record import short_id
from gateway.domain.vocabulary import AnswerWord, Cause

MODEL_TEXT_LIMIT = 400
_SUBJECT_LIMIT = 120
_WHY_LIMIT = 140

FAILURE_TEXTS: dict[Cause, tuple[str, str]] = {
    "pdp_unavailable": (
        "The policy service is unavailable, so nothing can be approved now.",
        "The policy service did not answer; its operator must look.",
    ),
    "pdp_invalid": (
        "The policy service gave no usable answer, so nothing can be approved now.",
        "The policy service answered something that does not fit the question; its operator must look.",
    ),
    "no_policy_loaded": (
        "No policy is in force, so nothing can be approved now.",
        "The gateway has no policy in force; `ostiary doctor` says why.",
    ),
    "record_failed": (
        "The call could not be recorded, so it cannot be approved now.",
        "The audit record cannot be written; its operator must look at the disk.",
    ),
    "payload_invalid": (
        "The call could not be understood.",
        "The call has a shape the gateway does not know; the agent's version may be newer than the gateway's.",
    ),
    "unauthenticated": (
        "This session is not authenticated.",
        "The agent's credential is missing or not valid; ask the operator for a token.",
    ),
    "analysis_limit": (
        "The call is too large or too complex to be checked. Split it into smaller steps.",
        "The call is larger than what can be checked; a person must judge it.",
    ),
    "opaque": (
        "What the command would do cannot be told from its text. Write it out plainly.",
        "The command hides what it would do; a person must judge it.",
    ),
    "evaluation_error": (
        "A policy could not be evaluated for this call.",
        "A policy failed on this call; its author must look.",
    ),
    "over_quota": ("Too many calls at once. Slow down.", "The limit of calls is reached; it frees itself."),
    "internal_error": (
        "The gateway failed on this call, so it cannot be approved.",
        "The gateway failed on this call; its log has the error id.",
    ),
}


class MessageSettings(Struct, frozen=True, kw_only=True):
    """What people are told. `contact` is where a stopped person finds help."""

    contact: str = ""


class Messages:
    """Writes the answer's texts. `would` is what the call would do, in words (`read /etc/passwd`)."""

    def __init__(self, settings: MessageSettings) -> None:
        self._help = f" · Help: {settings.contact}" if settings.contact else ""

    def answer(
        self, word: AnswerWord, decision: Decision, *, tool: str, would: str, decision_id: str
    ) -> Answer:
        """The answer with both texts; `pass` and `allow` have none."""
        if word == "pass":
            return Answer(context=decision.context)
        if word == "allow":
            return Answer(
                word="allow",
                model_text=f"Allowed by policy. [decision {short_id(decision_id)}]",
                context=decision.context,
            )
        identifier = short_id(decision_id)
        subject = f": this would {_cut(would, _SUBJECT_LIMIT)}." if would else "."
        why = _cut(self._why(decision), _WHY_LIMIT)
        if word == "ask":
            model = f"Ostiary leaves this to a person{subject} {why} [decision {identifier}]"
        else:
            model = f"Blocked by Ostiary{subject} {why} Do not try another way; tell the user. [decision {identifier}]"
        return Answer(
            word=word,
            model_text=" ".join(model.split())[:MODEL_TEXT_LIMIT],
            person_text=self._person(word, decision, tool, would, identifier),
            context=decision.context,
        )

    def _why(self, decision: Decision) -> str:
        if decision.cause is not None:
            return FAILURE_TEXTS[decision.cause][0]
        text = next((reason.text for reason in decision.reasons if reason.text), "")
        if not text:
            return "It is not permitted here." if decision.word == "deny" else "No rule covers it."
        return text if text.endswith((".", "!", "?")) else f"{text}."

    def _person(self, word: AnswerWord, decision: Decision, tool: str, would: str, identifier: str) -> str:
        verb = "asks about" if word == "ask" else "stopped"
        what = f"{tool}: it would {_cut(would, _SUBJECT_LIMIT)}" if would else tool or "this call"
        if decision.cause is not None:
            because = f". {FAILURE_TEXTS[decision.cause][1]}"
            because += f" Error {decision.error_id}." if decision.error_id else ""
        else:
            rule = next((reason.rule for reason in decision.reasons if reason.rule), "")
            because = f" ({rule})." if rule else "."
        return f"Ostiary {verb} {what}{because} Why: ostiary why {identifier}{self._help}"


def _cut(text: str, limit: int) -> str:
    """A text of at most `limit` characters; the middle goes, since both ends of a path or command tell most."""
    if len(text) <= limit:
        return text
    half = (limit - 1) // 2
    return f"{text[:half]}…{text[-half:]}"
