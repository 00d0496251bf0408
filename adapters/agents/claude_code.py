"""Claude Code's hook protocol, without I/O: bytes to event, answer to bytes. Speaks client 2.1.330.

Source: the hooks reference of Claude Code, measured on the real client (docs/hook-protocol.md). Unknown events and fields
are taken as they come; an unknown *shape* of a known tool is reported, so that the enforcement point can deny it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from typing import Any, Literal

import msgspec
import yaml
from msgspec import Struct

from adapters.agents.json_prefix import top_level_texts
from adapters.agents.respelling import Respelling, canonical_input
from gateway.domain.decision import Answer
from gateway.domain.events import Claims, HookEvent, McpServer, Subagent
from gateway.domain.vocabulary import AnswerWord
from gateway.errors import PayloadError
from gateway.wire.json_names import repeats_a_name

AGENT = "claude-code"
REASON_BYTES = 2000
CONTEXT_CHARACTERS = 8000
MAX_DEPTH = 64
_TYPES: dict[str, type | tuple[type, ...]] = {"text": str, "list": list, "map": dict}
_SHORT_ID = 512
_LAST_CALL_ID = re.compile(
    rb'[,{]\s*"tool_use_id"\s*:\s*"([!#-\[\]-~]{1,256})"(?:\s*,\s*"[a-z_]{1,64}"\s*:\s*\d{1,20})*\s*\}\s*\Z'
)
_TRANSCRIPT = re.compile(r"(?P<home>/.*)/\.claude/projects/[^/]+/[^/]+\Z")


class EventForm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the reply to one event can say."""

    stop: Literal["permission", "behavior", "block"]
    ask: AnswerWord
    allow: AnswerWord
    context: bool


class ProtocolData(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The adapter's data file."""

    tools: dict[str, dict[str, str]]
    optional: dict[str, dict[str, str]]
    either: dict[str, tuple[str, ...]]
    respelling: Respelling
    events: dict[str, EventForm]
    notices: frozenset[str]


def protocol_data() -> ProtocolData:
    """The shipped data file."""
    text = resources.files("adapters.agents").joinpath("claude_code.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), ProtocolData)


class ClaudeCodeAdapter:
    """Decodes and encodes Claude Code's hook events."""

    agent = AGENT

    def __init__(self, data: ProtocolData) -> None:
        self._data = data

    def decode(self, body: bytes, headers: Mapping[str, str], *, legacy_route: bool = False) -> HookEvent:
        """The event of a request body. Raises PayloadError when it is no JSON object that names an event."""
        try:
            payload = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise PayloadError(
                f"The body is no JSON object: {error}.", number=1, remedy="Send one hook event."
            ) from None
        name = payload.get("hook_event_name")
        if not isinstance(name, str) or not name:
            raise PayloadError(
                "The body names no hook_event_name.", number=2, remedy="Send a Claude Code hook event."
            )
        if _deeper(payload, MAX_DEPTH):
            raise PayloadError(
                f"The body is nested deeper than {MAX_DEPTH} levels.", number=3, remedy="Flatten it."
            )
        if repeats_a_name(body, payload):
            raise PayloadError("The body names a field twice.", number=4, remedy="Name every field once.")
        tool = _text(payload, "tool_name")
        tool_input = payload.get("tool_input")
        form = self._data.events.get(name)
        claims = self.claims(headers)
        return HookEvent(
            agent=AGENT,
            event=name,
            session_id=_text(payload, "session_id"),
            call_id=_text(payload, "tool_use_id"),
            tool=tool,
            tool_input=tool_input if isinstance(tool_input, dict) else {},
            cwd=_text(payload, "cwd"),
            transcript_path=_text(payload, "transcript_path"),
            prompt_id=_text(payload, "prompt_id"),
            permission_mode=_text(payload, "permission_mode"),
            subagent=_subagent(payload),
            mcp_server=_mcp_server(payload, tool),
            claims=claims,
            canonical=self._canonical(payload, tool, tool_input, claims),
            payload=payload,
            problem=self._problem(name, payload, tool, tool_input),
            legacy_route=legacy_route,
            size=len(body),
            ask_as=form.ask if form else "pass",
            allow_as=form.allow if form else "pass",
        )

    def decode_prefix(self, head: bytes, headers: Mapping[str, str], tail: bytes = b"") -> HookEvent | None:
        """The event of a body of which only the ends are there, without its input; None when the head does not name it."""
        found = top_level_texts(
            head, frozenset({"hook_event_name", "session_id", "tool_use_id", "tool_name", "cwd"})
        )
        name = found.get("hook_event_name", "")
        if not name:
            return None
        form = self._data.events.get(name)
        return HookEvent(
            agent=AGENT,
            event=name,
            session_id=found.get("session_id", ""),
            call_id=found.get("tool_use_id", "") or _last_call_id(tail),
            tool=found.get("tool_name", ""),
            cwd=found.get("cwd", ""),
            claims=self.claims(headers),
            problem="The body is larger than what is read.",
            ask_as=form.ask if form else "pass",
            allow_as="pass",
        )

    def encode(self, event: HookEvent, answer: Answer) -> bytes:
        """A complete reply body for the event; what an event cannot carry becomes the stricter form it can."""
        form = self._data.events.get(event.event)
        body: dict[str, Any] = {}
        word = event.expressible(answer.word) if form else "pass"
        if form is not None and word != "pass":
            reason = _cut(answer.model_text, REASON_BYTES)
            if form.stop == "permission":
                body["hookSpecificOutput"] = {
                    "hookEventName": event.event,
                    "permissionDecision": word,
                    "permissionDecisionReason": reason,
                }
            elif form.stop == "behavior":
                body["hookSpecificOutput"] = {
                    "hookEventName": event.event,
                    "decision": {"behavior": "deny", "message": reason},
                }
            else:
                body["decision"] = "block"
                body["reason"] = reason
        if answer.context and form is not None and form.context:
            output = body.setdefault("hookSpecificOutput", {"hookEventName": event.event})
            output["additionalContext"] = _plain(answer.context)[:CONTEXT_CHARACTERS]
        shown = event.event in self._data.notices or (
            form is not None and (word != "pass" or answer.word == "pass")
        )
        if answer.person_text and shown:
            body["systemMessage"] = _cut(answer.person_text, REASON_BYTES)
        return msgspec.json.encode(body)

    def claims(self, headers: Mapping[str, str]) -> Claims:
        """What the client claims of its surroundings. A header whose variable was unset is empty or kept literally."""
        return Claims(
            project_dir=_claim(headers, "x-ostiary-project-dir"),
            home=_claim(headers, "x-ostiary-home"),
            shell=_claim(headers, "x-ostiary-shell"),
            os=_claim(headers, "x-ostiary-os"),
        )

    def _canonical(
        self, payload: Mapping[str, Any], tool: str, tool_input: object, claims: Claims
    ) -> dict[str, Any] | None:
        """The input in the one form that all of the client's spellings of a call share."""
        if not isinstance(tool_input, dict):
            return None
        transcript = _TRANSCRIPT.match(_text(payload, "transcript_path"))
        home = claims.home or (transcript.group("home") if transcript else "")
        return canonical_input(self._data.respelling, tool, tool_input, cwd=_text(payload, "cwd"), home=home)

    def _problem(self, event: str, payload: Mapping[str, Any], tool: str, tool_input: object) -> str:
        """Why a tool event's shape is not understood, "" when it is."""
        if not event.endswith(("ToolUse", "ToolUseFailure", "PermissionRequest")):
            return ""
        for name in ("session_id", "tool_use_id", "cwd", "transcript_path"):
            if name in payload and not isinstance(payload[name], str):
                return f"{name} is no text"
        if not tool:
            return "the event names no tool"
        if not isinstance(tool_input, dict):
            return "tool_input is no object"
        required = self._data.tools.get(tool, {})
        for name, kind in required.items():
            if not isinstance(tool_input.get(name), _TYPES[kind]):
                return f"{tool} without a {kind} in {name}"
        for name, kind in self._data.optional.get(tool, {}).items():
            value = tool_input.get(name)
            if value is not None and not isinstance(value, _TYPES[kind]):
                return f"{tool} with {name} that is no {kind}"
        either = self._data.either.get(tool, ())
        if either and all(tool_input.get(name) is None for name in either):
            return f"{tool} without any of {', '.join(either)}"
        return ""


def _last_call_id(tail: bytes) -> str:
    """The call's id where it stands among the last fields of a body, as the client writes it.

    Only numbers may follow it before the brace that ends the body, so that no text inside the result is taken for it.
    """
    found = _LAST_CALL_ID.search(tail)
    return found.group(1).decode("ascii") if found else ""


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""


def _claim(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "").strip()
    return "" if value.startswith("$") else value[:4096]


def _subagent(payload: Mapping[str, Any]) -> Subagent | None:
    identifier = _text(payload, "agent_id")
    return Subagent(identifier[:_SHORT_ID], _text(payload, "agent_type")[:_SHORT_ID]) if identifier else None


def _mcp_server(payload: Mapping[str, Any], tool: str) -> McpServer | None:
    """The server behind `mcp__<server>__<tool>`, with what the client says of its origin."""
    if not tool.startswith("mcp__"):
        return None
    said = payload.get("mcp_server")
    said = said if isinstance(said, dict) else {}
    name = _text(said, "name") or tool.removeprefix("mcp__").partition("__")[0]
    return McpServer(
        name=name,
        source=_text(said, "source") or "unknown",
        url=_text(said, "url"),
        command=_text(said, "command"),
    )


def _plain(text: str) -> str:
    """The text without lone surrogates, which no UTF-8 body can carry."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _cut(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, never half a character."""
    data = text.encode("utf-8", "replace")
    return data[:limit].decode("utf-8", "ignore")


def _deeper(value: object, limit: int) -> bool:
    """Whether a JSON value is nested deeper than a limit; walks level by level, so that it cannot recurse itself."""
    level: list[object] = [value]
    for _ in range(limit):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return False
        level = below
    return True
