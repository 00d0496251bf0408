"""Outputs of policy rules as obligations: validated and translated, never merged into a reply.

A rule's output is a plain string (its reason), or `{"decision": "ask" | "skip_prompt", "reason", "context"}`, or the hook
body a Cerbos Synapse policy writes, which is read field by field. Anything else is an error: an obligation that was meant
to hold a call back must not vanish because of a misspelling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

ObligationWord = Literal["none", "ask", "skip_prompt", "deny"]
_MAX_TEXT = 1000
_WORDS: dict[str, ObligationWord] = {"ask": "ask", "skip_prompt": "skip_prompt"}
_HOOK_WORDS: dict[str, ObligationWord] = {
    "deny": "deny",
    "ask": "ask",
    "allow": "none",
    "defer": "none",
    "block": "deny",
    "approve": "none",
}


class Obligation(Struct, frozen=True, kw_only=True):
    """What an output asks of the enforcement point."""

    word: ObligationWord = "none"
    reason: str = ""
    context: str = ""


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
    if "hookSpecificOutput" in value or value.get("decision") in {"block", "approve"}:
        return _hook_body(value)
    word = value.get("decision")
    if word is not None and word not in _WORDS:
        raise ObligationError(f"an output's decision must be ask or skip_prompt, not {str(word)[:40]!r}")
    unknown = set(value) - {"decision", "reason", "context"}
    if unknown:
        raise ObligationError(f"an output has no field {str(min(map(str, unknown)))[:40]!r}")
    return Obligation(
        word=_WORDS[word] if word else "none", reason=_text(value, "reason"), context=_text(value, "context")
    )


def _hook_body(value: Mapping[str, Any]) -> Obligation:
    """A Synapse output: the body of a Claude Code hook reply. Only decision, reason and context are taken from it."""
    inner = value.get("hookSpecificOutput") or {}
    if not isinstance(inner, Mapping):
        raise ObligationError("hookSpecificOutput must be a map")
    words: list[ObligationWord] = []
    for word in (inner.get("permissionDecision"), value.get("decision")):
        if word is None:
            continue
        if not isinstance(word, str) or word not in _HOOK_WORDS:
            raise ObligationError(f"a hook body has no decision {str(word)[:40]!r}")
        words.append(_HOOK_WORDS[word])
    if value.get("continue") is False:
        words.append("deny")
    strictest: ObligationWord = next((word for word in ("deny", "ask") if word in words), "none")
    reason = _text(inner, "permissionDecisionReason") or _text(value, "reason") or _text(value, "stopReason")
    return Obligation(word=strictest, reason=reason, context=_text(inner, "additionalContext"))


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise ObligationError(f"an output's {name} must be a text")
    return printable(text)


def printable(text: str) -> str:
    """A text safe to show: one line, no control or direction-changing characters, at most 1,000 characters."""
    shown = "".join(character if character.isprintable() else " " for character in text[:_MAX_TEXT])
    return " ".join(shown.split())
