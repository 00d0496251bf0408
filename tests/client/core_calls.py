"""The calls of the core session: one allowed use of every tool, and what the baseline forbids beside what it leaves free."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.client.cases import Case, allowed, forbidden, holds, is_file, ran, told
from tests.client.web_host import WebHost
from tests.client.workplace import Workplace

SECRET = "the-secret-of-this-place"
PLAIN = "plain-text-of-this-place"
TOOLS = re.findall(
    r"\w+",
    """
    Agent Bash CronCreate CronDelete CronList Edit EnterWorktree ExitWorktree Glob Grep ListAgents
    ListMcpResourcesTool Monitor NotebookEdit Read ReadMcpResourceTool ReportFindings SendMessage Skill TaskCreate
    TaskGet TaskList TaskStop TaskUpdate ToolSearch WebFetch WebSearch Workflow Write
    """,
)
"""Every tool a headless session can be given."""


def every_tool(place: Workplace, host: WebHost) -> list[Case]:
    """One allowed use of every tool."""
    project = place.project
    names = ",".join(
        [*TOOLS, "mcp__desk__echo", "mcp__desk__write_file", "mcp__desk__read_file", "mcp__stranger__echo"]
    )
    worktree = project / ".claude" / "worktrees" / "aside"
    return [
        # Tools beyond the first few are deferred: they are looked for before they can be called.
        allowed("tool-search", "ToolSearch", ran("tool-search"), {"query": f"select:{names}"}),
        allowed(
            "bash",
            "Bash",
            is_file(project / "bash.txt"),
            {"command": "echo x > bash.txt", "description": "d"},
        ),
        allowed("read", "Read", told("read", PLAIN), {"file_path": str(project / "plain.txt")}),
        allowed(
            "read-relative",
            "Read",
            told("read-relative", PLAIN),
            {"file_path": "many/../plain.txt", "limit": "5"},
        ),
        allowed(
            "read-for-edit", "Read", told("read-for-edit", PLAIN), {"file_path": str(project / "edit.txt")}
        ),
        allowed(
            "edit",
            "Edit",
            holds(project / "edit.txt", "edited"),
            {"file_path": str(project / "edit.txt"), "old_string": PLAIN, "new_string": "edited"},
        ),
        allowed(
            "write",
            "Write",
            is_file(project / "src" / "new.py"),
            {"file_path": str(project / "src" / "new.py"), "content": "pass\n"},
        ),
        allowed(
            "read-notebook", "Read", told("read-notebook", "c1"), {"file_path": str(project / "book.ipynb")}
        ),
        allowed(
            "notebook",
            "NotebookEdit",
            holds(project / "book.ipynb", "changed"),
            {"notebook_path": str(project / "book.ipynb"), "cell_id": "c1", "new_source": "changed"},
        ),
        allowed("glob", "Glob", told("glob", "plain.txt"), {"pattern": "**/*.txt"}),
        allowed(
            "grep", "Grep", told("grep", PLAIN), {"pattern": PLAIN, "path": "many", "output_mode": "content"}
        ),
        allowed(
            "web-fetch",
            "WebFetch",
            lambda _session: host.got("/page"),
            {"url": f"{host.url}/page", "prompt": "What does it say?"},
        ),
        allowed(
            "web-search",
            "WebSearch",
            lambda session: "web_search" in session.model.tools,
            {"query": "doorkeepers of rome"},
        ),
        allowed("skill", "Skill", told("skill", "greet"), {"skill": "greet"}),
        allowed(
            "monitor",
            "Monitor",
            is_file(project / "monitor.txt"),
            {"description": "d", "timeout_ms": 1000, "persistent": False, "command": "echo x > monitor.txt"},
        ),
        allowed(
            "cron-create",
            "CronCreate",
            told("cron-create", "Scheduled"),
            {"cron": "0 0 1 1 *", "prompt": "later", "recurring": False},
        ),
        allowed("cron-list", "CronList", told("cron-list", "later")),
        allowed("cron-delete", "CronDelete", ran("cron-delete"), _job),
        allowed("list-agents", "ListAgents", ran("list-agents")),
        allowed(
            "send", "SendMessage", told("send", "nobody"), {"to": "nobody", "message": "m", "summary": "s"}
        ),
        allowed("list-resources", "ListMcpResourcesTool", told("list-resources", "desk://note")),
        allowed(
            "read-resource",
            "ReadMcpResourceTool",
            is_file(place.root / "mcp-resource.log"),
            {"server": "desk", "uri": "desk://note"},
        ),
        allowed("mcp", "mcp__desk__echo", holds(place.root / "mcp-echo.log", "hi"), {"text": "hi"}),
        allowed("task-create", "TaskCreate", told("task-create", "#1"), {"subject": "s", "description": "d"}),
        allowed("task-update", "TaskUpdate", ran("task-update"), {"taskId": "1", "status": "completed"}),
        allowed("task-list", "TaskList", told("task-list", "completed")),
        allowed("task-get", "TaskGet", told("task-get", "completed"), {"taskId": "1"}),
        allowed("task-stop", "TaskStop", told("task-stop", "No task"), {"task_id": "none"}),
        allowed("enter-worktree", "EnterWorktree", told("enter-worktree", str(worktree)), {"name": "aside"}),
        allowed(
            "exit-worktree",
            "ExitWorktree",
            lambda session: not worktree.exists() and not session.failed("exit-worktree"),
            {"action": "remove", "discard_changes": True},
        ),
        allowed("findings", "ReportFindings", ran("findings"), {"findings": []}),
    ]


def guarded_places(place: Workplace, scratch: Path) -> list[Case]:
    """What the baseline forbids, through every tool that names what it touches, and what lies beside it and is free."""
    project, home, above = place.project, place.home, place.project.parents[1]
    return [
        allowed("example", "Read", told("example", PLAIN), {"file_path": str(project / ".env.example")}),
        allowed("release", "Read", told("release", "NAME="), {"file_path": "/etc/os-release"}),
        allowed(
            "scratch",
            "Write",
            is_file(scratch / "x.txt"),
            {"file_path": str(scratch / "x.txt"), "content": "x"},
        ),
        forbidden("read-env", "Read", told("read-env", SECRET), {"file_path": str(project / ".env")}),
        forbidden(
            "read-dots", "Read", told("read-dots", SECRET), {"file_path": f"{project}/src/../deep//prod.env"}
        ),
        forbidden(
            "read-key", "Read", told("read-key", SECRET), {"file_path": str(home / ".ssh" / "id_ed25519")}
        ),
        forbidden("read-passwd", "Read", told("read-passwd", "root:"), {"file_path": "/etc/passwd"}),
        forbidden(
            "grep-env",
            "Grep",
            told("grep-env", SECRET),
            {"pattern": "KEY", "path": str(project / ".env"), "output_mode": "content"},
        ),
        forbidden(
            "write-env",
            "Write",
            is_file(project / ".env.local"),
            {"file_path": str(project / ".env.local"), "content": "K=1"},
        ),
        forbidden(
            "write-above",
            "Write",
            is_file(above / "x.txt"),
            {"file_path": str(above / "x.txt"), "content": "x"},
        ),
        forbidden(
            "write-dots",
            "Write",
            is_file(project.parent / "dots.txt"),
            {"file_path": f"{project}/../dots.txt", "content": "x"},
        ),
        forbidden(
            "write-hook",
            "Write",
            is_file(project / ".git" / "hooks" / "pre-commit"),
            {"file_path": str(project / ".git" / "hooks" / "pre-commit"), "content": "#!/bin/sh\n"},
        ),
        forbidden(
            "write-mcp",
            "Write",
            is_file(project / "sub" / ".mcp.json"),
            {"file_path": str(project / "sub" / ".mcp.json"), "content": "{}"},
        ),
        allowed(
            "mcp-write",
            "mcp__desk__write_file",
            is_file(project / "mcp.txt"),
            {"path": str(project / "mcp.txt"), "text": "x"},
        ),
        forbidden(
            "mcp-unknown",
            "mcp__stranger__echo",
            holds(place.root / "mcp-echo.log", "from a stranger"),
            {"text": "from a stranger"},
        ),
        forbidden(
            "mcp-write-above",
            "mcp__desk__write_file",
            is_file(home / "mcp.txt"),
            {"path": str(home / "mcp.txt"), "text": "x"},
        ),
        forbidden(
            "mcp-read-env",
            "mcp__desk__read_file",
            told("mcp-read-env", SECRET),
            {"path": str(project / ".env")},
        ),
    ]


def calls_at_once(place: Workplace) -> list[Case]:
    """Eight calls in one turn, every other one forbidden."""
    project = place.project
    cases: list[Case] = []
    for number in range(4):
        free, barred = project / "free" / f"{number}.txt", place.home / f"barred-{number}.txt"
        given = {"file_path": str(free), "content": "x"}
        cases.append(allowed(f"free-{number}", "Write", is_file(free), given))
        cases.append(
            forbidden(f"barred-{number}", "Write", is_file(barred), {**given, "file_path": str(barred)})
        )
    return cases


def helper_calls(place: Workplace) -> list[Case]:
    """What a sub-agent tries, all in one turn."""
    project, home = place.project, place.home
    return [
        allowed(
            "sub-bash",
            "Bash",
            is_file(project / "sub.txt"),
            {"command": "echo x > sub.txt", "description": "d"},
        ),
        allowed("sub-read", "Read", told("sub-read", PLAIN), {"file_path": str(project / "plain.txt")}),
        allowed(
            "sub-write",
            "Write",
            is_file(project / "sub" / "x.txt"),
            {"file_path": str(project / "sub" / "x.txt"), "content": "x"},
        ),
        forbidden("sub-read-env", "Read", told("sub-read-env", SECRET), {"file_path": str(project / ".env")}),
        forbidden(
            "sub-write-home",
            "Write",
            is_file(home / "sub.txt"),
            {"file_path": str(home / "sub.txt"), "content": "x"},
        ),
        allowed("sub-mcp", "mcp__desk__echo", holds(place.root / "mcp-echo.log", "sub"), {"text": "sub"}),
    ]


def _job(results: Mapping[str, str]) -> dict[str, str]:
    """The id of the job that `cron-create` made."""
    found = re.search(r"task (\w+)", results["cron-create"])
    return {"id": found.group(1) if found else "none"}
