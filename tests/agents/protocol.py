"""What Claude Code 2.1.330 takes as the reply of an HTTP hook, written down apart from the adapter.

The client reads anything else as a failed hook: the tool then runs, or is blocked under `onFailure`. Source: the hooks
reference of Claude Code, measured (docs/hook-protocol.md).
"""

from __future__ import annotations

import json
from typing import Any

REASON_BYTES = 2000
CONTEXT_CHARACTERS = 9000
_PERMISSIONS = {"allow", "deny", "ask"}
_TOP = {"decision", "reason", "systemMessage", "hookSpecificOutput"}


def problems(event: str, body: bytes) -> list[str]:
    """What is wrong with a reply to an event; empty when the client takes it as it is meant."""
    reply = json.loads(body)
    if not isinstance(reply, dict):
        return ["not an object"]
    found = [f"unknown field {name}" for name in reply.keys() - _TOP]
    if "decision" in reply and (reply["decision"] != "block" or not isinstance(reply.get("reason"), str)):
        found.append("a decision that is not a block with its reason")
    for name in ("reason", "systemMessage"):
        found += _too_long(name, reply.get(name, ""))
    specific = reply.get("hookSpecificOutput")
    if specific is not None:
        found += _specific(event, specific)
    return found


def _specific(event: str, specific: Any) -> list[str]:
    found = []
    if specific.get("hookEventName") != event:
        found.append("another hookEventName")
    allowed = {"hookEventName", "additionalContext"}
    if event == "PreToolUse":
        allowed |= {"permissionDecision", "permissionDecisionReason"}
        if specific.get("permissionDecision", "deny") not in _PERMISSIONS:
            found.append("an unknown permissionDecision")
        found += _too_long("permissionDecisionReason", specific.get("permissionDecisionReason", ""))
    if event == "PermissionRequest":
        allowed = {"hookEventName", "decision"}
        decision = specific.get("decision", {})
        if set(decision) != {"behavior", "message"} or decision["behavior"] != "deny":
            found.append("a decision that is not a denial with its message")
        found += _too_long("message", decision.get("message", ""))
    if len(specific.get("additionalContext", "")) >= CONTEXT_CHARACTERS:
        found.append("additionalContext that the client cuts")
    return found + [f"unknown field {name}" for name in specific.keys() - allowed]


def _too_long(name: str, text: Any) -> list[str]:
    if not isinstance(text, str):
        return [f"{name} is no text"]
    return [f"{name} of {len(text)} characters"] if len(text.encode()) > REASON_BYTES else []
