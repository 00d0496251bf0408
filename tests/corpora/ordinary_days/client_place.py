"""The home and the project that the recorded client works in, made inside the sandbox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from tests.client.workplace import FAKE_KEY
from tests.corpora.ordinary_days import mcp_server
from tests.corpora.ordinary_days.days import HOME, Day

_IDENTITY = "[user]\n\tname = Dev\n\temail = dev@example.com\n[commit]\n\tgpgsign = false\n[init]\n\tdefaultBranch = main\n"
_PAST = (
    "Set up the project",
    "Describe how to run it",
    "Move the settings into one place",
)
PERSON = "person"
"""The MCP server that stands for the one who is asked for permission, and agrees."""
MODEL = "claude-sonnet-4-5"
TOOLS = (
    "Bash,Read,Write,Edit,NotebookEdit,Glob,Grep,WebFetch,WebSearch,Agent,Skill,ToolSearch,Monitor,EnterWorktree,"
    "ExitWorktree,EnterPlanMode,ExitPlanMode,AskUserQuestion,TaskStop,TaskCreate,TaskUpdate,TaskList,TodoWrite,"
    "ListMcpResourcesTool,ReadMcpResourceTool,ListAgents,SendMessage,ReportFindings"
)


def furnish(day: Day) -> None:
    """A fresh home with the day's project, its history, and a bare repository where its origin would be."""
    home, project = Path(HOME), Path(day.project)
    for old in home.iterdir():
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink()
    origin = home / ".origin.git"
    (home / ".gitconfig").write_text(f'{_IDENTITY}[url "{origin}"]\n\tinsteadOf = {day.remote}\n')
    _user_state(home, project)
    project.mkdir(parents=True)
    for name, text in day.files.items():
        file = project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (project / ".gitignore").write_text(day.ignored)
    _git(home, "init", "--quiet", "--bare", str(origin))
    _git(project, "init", "--quiet")
    _git(project, "remote", "add", "origin", day.remote)
    for at, message in enumerate(_PAST):
        _git(project, "add", *sorted(day.files)[at :: len(_PAST)])
        _git(project, "commit", "--quiet", "--allow-empty", f"--message={message}")
    _git(project, "add", "--all")
    _git(project, "commit", "--quiet", "--allow-empty", "--message=Ignore what is built")
    _git(project, "push", "--quiet", "--set-upstream", "origin", "main")


def environment(day: Day, model_url: str, *, todos: bool) -> dict[str, str]:
    """All the client gets of an environment. `todos`: the older list of to-dos instead of tasks."""
    return {
        "PATH": "/mnt/shims:/usr/local/bin:/usr/bin:/bin",
        "HOME": HOME,
        "PWD": day.project,
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "IS_SANDBOX": "1",
        "ANTHROPIC_BASE_URL": model_url,
        "ANTHROPIC_API_KEY": FAKE_KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        **({"CLAUDE_CODE_ENABLE_TASKS": "0"} if todos else {}),
    }


def offer_servers(names: Collection[str]) -> None:
    """The MCP servers that the person has in his own settings from now on."""
    file = Path(HOME) / ".claude.json"
    servers = {
        name: {"type": "stdio", "command": sys.executable, "args": [mcp_server.__file__, name]}
        for name in names
    }
    file.write_text(json.dumps({**json.loads(file.read_text()), "mcpServers": servers}))


def _user_state(home: Path, project: Path) -> None:
    state = {
        "hasCompletedOnboarding": True,
        "bypassPermissionsModeAccepted": True,
        "customApiKeyResponses": {"approved": [FAKE_KEY[-20:]], "rejected": []},
        "projects": {str(project): {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}},
    }
    (home / ".claude.json").write_text(json.dumps(state))


def _git(directory: Path, *arguments: str) -> None:
    env: Mapping[str, str] = {"PATH": os.environ["PATH"], "HOME": HOME, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *arguments], cwd=directory, env=env, check=True, capture_output=True)
