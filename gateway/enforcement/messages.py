"""The two texts of every stop: to the model what to do instead, never the policy; to the person the rule and whom to ask.

tests/golden/messages.yaml holds all of them. Model texts stay under 400 characters: they go into every later request.
"""

from __future__ import annotations

from msgspec import Struct

from gateway.domain.decision import Answer, Decision
from gateway.domain.record import short_id
from gateway.domain.vocabulary import AnswerWord, Cause, Mode
from gateway.enforcement.obligations import printable

MODEL_TEXT_LIMIT = 400
_SUBJECT_LIMIT = 120
_WHY_LIMIT = 140

FAILURE_TEXTS: dict[Cause, tuple[str, str]] = {
    "pdp_unavailable": (
        "Policy service unavailable: nothing can be approved now, and nothing was decided against you.",
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
    "over_quota": (
        "Too many calls in a minute: slow down, and go on in a minute.",
        "The limit of calls a minute is reached; it frees itself.",
    ),
    "internal_error": (
        "The gateway failed on this call, so it cannot be approved.",
        "The gateway failed on this call; its log has the error id.",
    ),
}


_SHOWN_REVISION = 4


class MessageSettings(Struct, frozen=True, kw_only=True):
    """What people are told. `contact` is where a stopped person finds help, `recorded` what is kept of a session."""

    contact: str = ""
    recorded: str = ""


class Messages:
    """Writes the answer's texts. `would` is what the call would do, in words (`read /etc/passwd`)."""

    def __init__(self, settings: MessageSettings) -> None:
        self._recorded = settings.recorded
        self._help = f" · Help: {settings.contact}" if settings.contact else ""

    def answer(
        self, word: AnswerWord, decision: Decision, *, tool: str, would: str, decision_id: str
    ) -> Answer:
        """The answer with both texts; `pass` and `allow` have none."""
        identifier = short_id(decision_id)
        if word == "pass":
            return Answer(context=decision.context, person_text=decision.notice)
        if word == "allow":
            return Answer(
                word="allow",
                model_text=f"Allowed by policy. [decision {identifier}]",
                person_text=decision.notice,
                context=decision.context,
            )
        subject = f": this would {_cut(would, _SUBJECT_LIMIT)}." if would else "."
        why = _cut(self._why(decision), _WHY_LIMIT)
        error = f", error {decision.error_id}" if decision.error_id else ""
        if word == "ask":
            model = f"Ostiary leaves this to a person{subject} {why} [decision {identifier}{error}]"
        else:
            model = (
                f"Blocked by Ostiary{subject} {why} Do not try another way; tell the user."
                f" [decision {identifier}{error}]"
            )
        return Answer(
            word=word,
            model_text=" ".join(model.split())[:MODEL_TEXT_LIMIT],
            person_text=" ".join(
                part
                for part in (self._person(word, decision, tool, would, identifier), decision.notice)
                if part
            ),
            context=decision.context,
        )

    def notice(self, mode: Mode, revision: str) -> Answer:
        """What the person is told at the start of a session: that it is watched, how, and what is kept of it."""
        does = "governs" if mode == "enforce" else "is watching"
        name = revision if ":" in revision else f"{revision[:_SHOWN_REVISION]}…"
        policy = f"; policy {name}" if revision else ""
        recorded = f"; what is recorded: {self._recorded}" if self._recorded else ""
        return Answer(person_text=f"Ostiary {does} this session ({mode}{policy}{recorded}).")

    def _why(self, decision: Decision) -> str:
        if decision.cause is not None:
            return FAILURE_TEXTS[decision.cause][0]
        text = next((reason.text for reason in decision.reasons if reason.text), "")
        if not text:
            return "It is not permitted here." if decision.word == "deny" else "No rule covers it."
        return text if text.endswith((".", "!", "?")) else f"{text}."

    def _person(self, word: AnswerWord, decision: Decision, tool: str, would: str, identifier: str) -> str:
        verb = "asks about" if word == "ask" else "stopped"
        name = _cut(printable(tool), _SUBJECT_LIMIT)
        what = f"{name}: it would {_cut(would, _SUBJECT_LIMIT)}" if would else name or "this call"
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
