"""Hook settings for the client, in the stages of a roll-out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COMMAND_EVENTS = ("SessionStart", "Setup")
BLOCKABLE_EVENTS = (
    "UserPromptSubmit",
    "UserPromptExpansion",
    "PreToolUse",
    "PermissionRequest",
    "ConfigChange",
    "TaskCreated",
    "PreCompact",
)
TOLD_EVENTS = (
    "PostToolUse",
    "PostToolUseFailure",
    "PermissionDenied",
    "SubagentStart",
    "SubagentStop",
    "InstructionsLoaded",
    "Stop",
    "SessionEnd",
)
CLAIMS = {
    "X-Ostiary-Project-Dir": "$PWD",
    "X-Ostiary-Home": "$HOME",
    "X-Ostiary-Shell": "$SHELL",
}


def hooks(url: str, *, block: bool = False, token: bool = False) -> dict[str, Any]:
    """Hooks for every event we ask about. `block`: a failure stops the call; `token`: send `$OSTIARY_TOKEN`."""
    headers: dict[str, str] = dict(CLAIMS)
    variables = ["PWD", "HOME", "SHELL"]
    if token:
        headers["Authorization"] = "Bearer $OSTIARY_TOKEN"
        variables.append("OSTIARY_TOKEN")
    found: dict[str, Any] = {}
    for event in (*BLOCKABLE_EVENTS, *TOLD_EVENTS):
        hook: dict[str, Any] = {"type": "http", "url": url, "timeout": 5, "headers": headers}
        hook["allowedEnvVars"] = variables
        if block and event in BLOCKABLE_EVENTS:
            hook["onFailure"] = "block"
        if event == "SessionEnd":
            hook["timeout"] = 1
        found[event] = [{"hooks": [hook]}]
    command = (
        "/usr/bin/curl -q -sS -m 4 --noproxy '*' -X POST -H 'Content-Type: application/json' "
        f"-H 'X-Ostiary-Notice: session' --data-binary @- {url}"
    )
    for event in COMMAND_EVENTS:
        found[event] = [{"hooks": [{"type": "command", "command": command, "timeout": 5}]}]
    return {"hooks": found}


def mcp_server(directory: object, python: str, server: object) -> Mapping[str, Any]:
    """The tests' MCP server as `.mcp.json` names it."""
    return {
        "mcpServers": {"desk": {"type": "stdio", "command": python, "args": [str(server), str(directory)]}}
    }
