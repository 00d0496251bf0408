"""Outputs of policy rules as obligations: validated and translated, never merged into a reply.

A rule's output is a plain string (its reason), or `{"decision": "ask" | "skip_prompt", "reason", "context"}`, or the hook
body a Cerbos Synapse policy writes, which is translated field by field. Anything else is an error: an obligation that was
meant to hold a call back must not vanish because of a misspelling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

ObligationWord = Literal["none", "ask", "skip_prompt", "deny"]
_MAX_TEXT = 1000
_OWN_FIELDS = frozenset({"decision", "reason", "context"})
_WORDS: dict[str, ObligationWord] = {"ask": "ask", "skip_prompt": "skip_prompt"}
_HOOK_WORDS: dict[str, ObligationWord] = {
    "deny": "deny",
    "block": "deny",
    # `defer` ends the session without running the tool; nothing looser than a denial says so much.
    "defer": "deny",
    "ask": "ask",
    "allow": "skip_prompt",
    "approve": "skip_prompt",
}
_BODY_FIELDS = frozenset(
    {"hookSpecificOutput", "decision", "reason", "continue", "stopReason", "systemMessage"}
)
_BODY_ONLY_FIELDS = _BODY_FIELDS - _OWN_FIELDS
_INNER_FIELDS = frozenset(
    {"hookEventName", "permissionDecision", "permissionDecisionReason", "additionalContext", "decision"}
)
_BEHAVIOUR_FIELDS = frozenset({"behavior", "message"})
_REWRITES = ("updatedInput", "updatedPermissions")
"""Fields that change what was decided about: a call that is allowed only as rewritten is not allowed as it stands."""


class Obligation(Struct, frozen=True, kw_only=True):
    """What an output asks of the enforcement point. `notice` is for the person; `untranslated` names lost fields."""

    word: ObligationWord = "none"
    reason: str = ""
    context: str = ""
    notice: str = ""
    untranslated: tuple[str, ...] = ()


class ObligationError(ValueError):
    """An output that cannot be understood; the sentence says why."""


def parse_obligation(value: Any) -> Obligation:
    """The obligation of an output value. Raises ObligationError."""
    if value is None:
        return Obligation()
    if isinstance(value, str):
        return Obligation(reason=printable(value))
    if not isinstance(value, Mapping):
        raise ObligationError("an output must be a text or a map")
    if _is_hook_body(value):
        return _hook_body(value)
    word = value.get("decision")
    if word is not None and (not isinstance(word, str) or word not in _WORDS):
        raise ObligationError(f"an output's decision must be ask or skip_prompt, not {_shown(word)}")
    unknown = set(value) - _OWN_FIELDS
    if unknown:
        raise ObligationError(f"an output has no field {_shown(min(map(str, unknown)))}")
    return Obligation(
        word=_WORDS[word] if word else "none", reason=_text(value, "reason"), context=_text(value, "context")
    )


def _is_hook_body(value: Mapping[str, Any]) -> bool:
    word = value.get("decision")
    if isinstance(word, str) and word in {"block", "approve"}:
        return True
    return not set(value).isdisjoint(_BODY_ONLY_FIELDS)


def _hook_body(value: Mapping[str, Any]) -> Obligation:
    """A Synapse output: the body of a Claude Code hook reply, its fields taken one by one.

    Source: the hook protocol (docs/hook-protocol.md). The strictest of several decisions counts; a rewritten input is
    refused, since the gateway approves what was asked and nothing else.
    """
    inner = _map(value, "hookSpecificOutput")
    behaviour = _map(inner, "decision")
    rewrites = [
        name for part in (inner, behaviour) for name in _REWRITES if part.get(name) not in (None, {}, [])
    ]
    words = [
        _hook_word(word)
        for word in (inner.get("permissionDecision"), behaviour.get("behavior"), value.get("decision"))
        if word is not None
    ]
    if value.get("continue") is False:
        words.append("deny")
    strictest: ObligationWord = next(
        (word for word in ("deny", "ask", "skip_prompt") if word in words), "none"
    )
    if rewrites and strictest != "deny":
        raise ObligationError(
            f"{rewrites[0]} is refused: a policy decides about a call, it does not change it"
        )
    reasons = (
        _text(inner, "permissionDecisionReason"),
        _text(behaviour, "message"),
        _text(value, "reason"),
        _text(value, "stopReason"),
    )
    return Obligation(
        word=strictest,
        reason=next((reason for reason in reasons if reason), ""),
        context=_text(inner, "additionalContext"),
        notice=_text(value, "systemMessage"),
        untranslated=(
            *_beyond(value, _BODY_FIELDS),
            *_beyond(inner, _INNER_FIELDS, "hookSpecificOutput."),
            *_beyond(behaviour, _BEHAVIOUR_FIELDS, "hookSpecificOutput.decision."),
        ),
    )


def _hook_word(word: object) -> ObligationWord:
    if not isinstance(word, str) or word not in _HOOK_WORDS:
        raise ObligationError(f"a hook body has no decision {_shown(word)}")
    return _HOOK_WORDS[word]


def _map(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise ObligationError(f"{name} must be a map")
    return found


def _beyond(value: Mapping[str, Any], known: frozenset[str], prefix: str = "") -> tuple[str, ...]:
    """Names of the fields that have no place in our answers."""
    return tuple(f"{prefix}{printable(str(name))[:40]}" for name in value if name not in known)


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise ObligationError(f"an output's {name} must be a text")
    return printable(text)


def _shown(value: object) -> str:
    return repr(printable(str(value))[:40])


def printable(text: str) -> str:
    """A text safe to show: one line, no control or direction-changing characters, at most 1,000 characters."""
    shown = "".join(character if character.isprintable() else " " for character in text[:_MAX_TEXT])
    return " ".join(shown.split())
