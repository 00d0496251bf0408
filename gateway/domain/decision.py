"""What policy said of a call, what the agent is told, and why."""

from __future__ import annotations

from msgspec import Struct

from gateway.domain.check import RulePlace
from gateway.domain.vocabulary import AnswerWord, Cause, DecisionWord


class Reason(Struct, frozen=True, kw_only=True):
    """One rule (or failure) that speaks for the decision. `text` is the rule's own output, made safe to print."""

    rule: str = ""
    """`<pack>.<rule>`; empty when the backend cannot tell."""
    decision: DecisionWord = "deny"
    kind: str = ""
    action: str = ""
    resource: str = ""
    layer: str = ""
    """The scope that was asked: "" is the shipped packs, `site`, `site.<team>`."""
    text: str = ""
    policy: str = ""
    place: RulePlace | None = None


class Decision(Struct, frozen=True, kw_only=True):
    """The combined decision. `cause` is set when it rests on the failure table instead of a policy."""

    word: DecisionWord
    reasons: tuple[Reason, ...] = ()
    context: str = ""
    cause: Cause | None = None
    detail: str = ""
    """For the operator's eyes: what failed, in words; never sent to the agent."""
    error_id: str = ""
    skip_prompt: bool = False
    notice: str = ""
    """What a policy tells the person, beside the reason of a stop."""
    untranslated: tuple[str, ...] = ()
    """What stood in the outputs of policies and cannot be put into an answer: `<rule>: <field>`."""


class Answer(Struct, frozen=True, kw_only=True):
    """What the agent gets: a word and two texts, one for the model, one for the person (never the policy)."""

    word: AnswerWord = "pass"
    model_text: str = ""
    person_text: str = ""
    context: str = ""


PASS = Answer()
