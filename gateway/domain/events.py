"""A hook event in agent-neutral form. Event and tool names are Claude Code's, which most agents have adopted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from gateway.domain.vocabulary import AnswerWord


class Claims(Struct, frozen=True, kw_only=True):
    """What the client says of its own surroundings. Claims may add protected places, never remove one."""

    project_dir: str = ""
    home: str = ""
    shell: str = ""
    os: str = ""


class Subagent(Struct, frozen=True):
    """The sub-agent that makes the call; both fields are chosen by the client."""

    id: str
    type: str = ""


class McpServer(Struct, frozen=True, kw_only=True):
    """The MCP server behind a tool, as the client names it. `source`: managed, user, project, dynamic or unknown."""

    name: str
    source: str = "unknown"
    url: str = ""
    command: str = ""


class HookEvent(Struct, frozen=True, kw_only=True):
    """One request of an agent's hook. Strings that the payload lacks are empty; `payload` is the whole decoded body."""

    agent: str
    """Adapter id: `claude-code`, …"""
    event: str
    session_id: str = ""
    call_id: str = ""
    """The agent's id of the tool call; empty when the event has none (PermissionRequest)."""
    tool: str = ""
    tool_input: Mapping[str, Any] = field(default_factory=dict)
    cwd: str = ""
    transcript_path: str = ""
    prompt_id: str = ""
    permission_mode: str = ""
    subagent: Subagent | None = None
    mcp_server: McpServer | None = None
    claims: Claims = Claims()
    canonical: Mapping[str, Any] | None = None
    """The tool's input in a form that all of the client's spellings of one call share; None: the input itself."""
    payload: Mapping[str, Any] = field(default_factory=dict)
    native: Mapping[str, str] = field(default_factory=dict)
    """The agent's own names where the adapter translated them."""
    problem: str = ""
    """Set when the shape is not understood: a known tool whose operation-bearing field is missing or mistyped."""
    synthetic: bool = False
    """Made by demo, doctor or a canary: stays out of searches and reports."""
    legacy_route: bool = False
    """Arrived on `/ext/claude`."""
    size: int = 0
    """Bytes of the request body."""
    ask_as: AnswerWord = "ask"
    """What this event of this agent can say when a person should decide: where a prompt is already shown it is `pass`,
    where none can be shown it is `deny`."""
    allow_as: AnswerWord = "pass"
    """What it can say to skip the agent's own prompt; `pass` where that cannot be said."""

    @property
    def comparable_input(self) -> Mapping[str, Any]:
        """What is compared with other events of the same call."""
        return self.tool_input if self.canonical is None else self.canonical

    def expressible(self, word: AnswerWord) -> AnswerWord:
        """The answer that this event's protocol can carry, never a looser one than was meant."""
        if word == "ask":
            return self.ask_as
        return self.allow_as if word == "allow" else word
