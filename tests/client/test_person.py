"""Calls that a person is asked about. A tool of the MCP server stands for the person and consents to everything."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.client import mcp_server
from tests.client.cases import allowed, forbidden, is_file, ran, told, wrong
from tests.client.claude import run_claude
from tests.client.conftest import StartGateway
from tests.client.records import asked, records
from tests.client.script import Script
from tests.client.settings import hooks
from tests.client.workplace import Workplace

pytestmark = pytest.mark.client
PERSON = "--permission-prompt-tool=mcp__desk__approve"
QUESTION = {
    "question": "Which one?",
    "header": "Pick",
    "multiSelect": False,
    "options": [{"label": "a", "description": "first"}, {"label": "b", "description": "second"}],
}


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_a_person_decides_what_is_asked_and_never_what_is_denied(
    mode: str, backend: dict[str, object], place: Workplace, start_gateway: StartGateway
) -> None:
    gateway = start_gateway({"mode": mode, **backend})
    project = place.project
    args = [str(Path(mcp_server.__file__)), str(place.root)]
    place.write(".mcp.json", json.dumps({"mcpServers": {"desk": {"command": sys.executable, "args": args}}}))
    own = {"permissions": {"allow": ["Write", "Bash(echo *)", "Bash"]}}
    place.settings(hooks(gateway.hooks_url, block=mode == "enforce"), own)
    todo = {"content": "a", "status": "pending", "activeForm": "doing a"}
    bash = {"command": "echo x > bash.txt", "description": "d"}
    workflow, home_file = project / ".github" / "workflows" / "ci.yml", place.home / "x.txt"
    cases = [
        allowed(
            "search",
            "ToolSearch",
            ran("search"),
            {"query": "select:AskUserQuestion,EnterPlanMode,ExitPlanMode,TodoWrite"},
        ),
        allowed("todo", "TodoWrite", ran("todo"), {"todos": [todo]}),
        allowed(
            "question",
            "AskUserQuestion",
            ran("question"),
            {"questions": [QUESTION]},
        ),
        allowed(
            "write",
            "Write",
            is_file(project / "x.txt"),
            {"file_path": str(project / "x.txt"), "content": "x"},
        ),
        allowed("bash", "Bash", is_file(project / "bash.txt"), bash),
        allowed("ci", "Write", is_file(workflow), {"file_path": str(workflow), "content": "on: push\n"}),
        forbidden(
            "env", "Write", is_file(project / ".env"), {"file_path": str(project / ".env"), "content": "K=1"}
        ),
        forbidden("above", "Write", is_file(home_file), {"file_path": str(home_file), "content": "x"}),
        allowed("plan", "EnterPlanMode", told("plan", "plan mode")),
        allowed("plan-done", "ExitPlanMode", told("plan-done", "approved")),
    ]

    session = run_claude(
        place,
        Script([case.call for case in cases]),
        PERSON,
        f"--mcp-config={project / '.mcp.json'}",
        "--tools=AskUserQuestion,Bash,EnterPlanMode,ExitPlanMode,TodoWrite,ToolSearch,Write",
        environment={"CLAUDE_CODE_ENABLE_TASKS": "0"},
    )

    assert wrong(cases, session, enforced=mode == "enforce") == []
    consents = [
        json.loads(line)["tool_use_id"] for line in (place.root / "approved.log").read_text().splitlines()
    ]
    names = {call.name for call in session.script.calls if session.script.id_of(call.name) in consents}
    # The user's own rules let every write pass without a question; ours puts the question back, about the pipeline only.
    assert names == {"question", "plan-done"} | ({"ci"} if mode == "enforce" else set())
    answers = {record["call_id"]: record["answer"] for record in asked(records(gateway.data_dir))}
    assert answers[session.script.id_of("ci")] == ("ask" if mode == "enforce" else "pass")
