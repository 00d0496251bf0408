"""Everything of a session that its user could notice, to compare sessions with and without our hooks."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.client import mcp_server
from tests.client.claude import Session, run_claude
from tests.client.script import Call, Script
from tests.client.workplace import Workplace, workplace

OWN_HOOK = """import json, pathlib, sys
event = json.load(sys.stdin)
log = pathlib.Path(sys.argv[1])
log.write_text((log.read_text() if log.exists() else "") + event["hook_event_name"] + " " + event["tool_name"] + chr(10))
if "never" in json.dumps(event["tool_input"]):
    print("own hook: never", file=sys.stderr)
    sys.exit(2)
"""
"""A hook of the user: notes what it sees, and refuses one thing."""


def furnished(place: Workplace, ours: Mapping[str, Any]) -> Script:
    """A project with hooks, permission rules and an MCP server of the user's own; calls that meet each of them."""
    project = place.project
    place.write("a.txt", "first\n")
    place.write("private/b.txt", "second\n")
    place.write(".env", "KEY=third\n")
    hook = {
        "type": "command",
        "command": f"{sys.executable} {place.root / 'own_hook.py'} {place.root / 'own.log'}",
    }
    (place.root / "own_hook.py").write_text(OWN_HOOK)
    own = {
        "permissions": {
            "allow": ["Write", "Edit", "Bash(echo *)", "mcp__desk__echo"],
            "deny": ["Read(./private/**)"],
            "ask": ["Bash(echo ask *)"],
        },
        "hooks": {event: [{"matcher": "*", "hooks": [hook]}] for event in ("PreToolUse", "PostToolUse")},
    }
    place.settings(own, ours)
    args = [str(Path(mcp_server.__file__)), str(place.root)]
    place.write(".mcp.json", json.dumps({"mcpServers": {"desk": {"command": sys.executable, "args": args}}}))

    def call(name: str, tool: str, **given: object) -> Call:
        return Call(name, tool, given)

    return Script(
        [
            call("read", "Read", file_path=str(project / "a.txt")),
            call("read-private", "Read", file_path=str(project / "private" / "b.txt")),
            call("read-env", "Read", file_path=str(project / ".env")),
            call("write", "Write", file_path=str(project / "c.txt"), content="x"),
            call("write-never", "Write", file_path=str(project / "d.txt"), content="never"),
            call("write-above", "Write", file_path=str(place.home / "e.txt"), content="x"),
            call("edit", "Edit", file_path=str(project / "a.txt"), old_string="first", new_string="1st"),
            call("bash", "Bash", command="echo x > f.txt", description="d"),
            call("bash-asks", "Bash", command="echo ask x", description="d"),
            call("bash-unlisted", "Bash", command="touch g.txt", description="d"),
            call(
                "edit-fails", "Edit", file_path=str(project / "a.txt"), old_string="nowhere", new_string="x"
            ),
            call("mcp", "mcp__desk__echo", text="hi"),
            call("mcp-unlisted", "mcp__desk__write_file", path=str(project / "h.txt"), text="x"),
            [
                call(f"at-once-{number}", "Write", file_path=str(project / f"{number}.txt"), content="x")
                for number in range(4)
            ],
            call("agent", "Agent", description="d", prompt="HELPER: go.", subagent_type="general-purpose"),
        ],
        HELPER=[
            [
                call("sub", "Write", file_path=str(project / "i.txt"), content="x"),
                call("sub-ls", "Bash", command="ls", description="d"),
            ]
        ],
    )


def account(place: Workplace, session: Session) -> dict[str, Any]:
    """Everything of a session that its user could notice, without what differs from run to run."""
    names = {place.root.name: "ROOT", place.root.name.replace("_", "-"): "ROOT"}

    def told(text: str) -> str:
        for name, stands in names.items():
            text = text.replace(name, stands)
        return text

    left = sorted(
        str(file.relative_to(place.project)) for file in place.project.rglob("*") if ".git/" not in str(file)
    )
    return {
        "status": session.status,
        "verdicts": session.verdicts,
        "results": {name: told(session.result(name)) for name in session.verdicts if name != "agent"},
        "denials": sorted(session.denials),
        "ended": {name: session.outcome.get(name) for name in ("subtype", "is_error", "num_turns", "result")},
        "files": left,
        "own hook": sorted((place.root / "own.log").read_text().splitlines()),
        "mcp": (place.root / "mcp-echo.log").read_text(),
    }


def account_with(ours: Mapping[str, Any]) -> dict[str, Any]:
    """What a user notices of the session with some settings of ours beside his own."""
    with workplace() as place:
        script = furnished(place, ours)
        session = run_claude(place, script, f"--mcp-config={place.project / '.mcp.json'}")
        return account(place, session)
