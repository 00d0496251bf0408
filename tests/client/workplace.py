"""A throw-away home with a project in it, in which the client works; everything it leaves is looked at and removed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.facts.groups import PathGroups, group_data
from tests.support.processes import ROOT

FAKE_KEY = "sk-ant-not-a-key-only-for-tests"
_PLACES = (ROOT / "var", Path.home(), Path("/srv"))


class Workplace:
    """`root` holds `home`; the project is `home/work/team/project`, so that directories above it can be written too."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.project = self.home / "work" / "team" / "project"
        self.project.mkdir(parents=True)
        self.write(".git-keep", "")
        known = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
        state = {
            "hasCompletedOnboarding": True,
            "bypassPermissionsModeAccepted": True,
            "customApiKeyResponses": {"approved": [FAKE_KEY[-20:]], "rejected": []},
            "projects": {str(self.project): known},
        }
        (self.home / ".claude.json").write_text(json.dumps(state))
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message=Begin")

    def write(self, name: str, text: str) -> Path:
        """Put a file into the project."""
        file = self.project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def settings(self, *parts: Mapping[str, Any]) -> None:
        """Write the project's settings: parts merged, the hooks of each event one after the other."""
        self.write(".claude/settings.json", json.dumps(merged(*parts), indent=1))

    def user_settings(self, *parts: Mapping[str, Any]) -> None:
        """Write the user's settings."""
        directory = self.home / ".claude"
        directory.mkdir(exist_ok=True)
        (directory / "settings.json").write_text(json.dumps(merged(*parts), indent=1))

    def environment(self, model_url: str) -> dict[str, str]:
        """All the client gets of an environment: nothing of the caller's goes with it."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PWD": str(self.project),
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "IS_SANDBOX": "1",
            "ANTHROPIC_BASE_URL": model_url,
            "ANTHROPIC_API_KEY": FAKE_KEY,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
        }

    def _git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=Dev", "-c", "user.email=dev@localhost", "-c", "commit.gpgsign=false")
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", *identity, *arguments], cwd=self.project, env=environment, check=True)


def merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of several sources as one."""
    whole: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if name == "hooks":
                hooks = whole.setdefault("hooks", {})
                for event, groups in value.items():
                    hooks[event] = [*hooks.get(event, []), *groups]
            else:
                whole[name] = value
    return whole


@contextmanager
def workplace() -> Iterator[Workplace]:
    """A fresh workplace, removed at the end.

    It is no temporary directory: those are places where agents may write, and the tests write where they may not.
    """
    groups = PathGroups(group_data())
    base = next(
        place for place in _PLACES if _writable(place) and not groups.of(f"{place}/x/y", "path").groups
    )
    root = Path(tempfile.mkdtemp(prefix="ostiary-client-", dir=base))
    try:
        yield Workplace(root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _writable(place: Path) -> bool:
    try:
        place.mkdir(exist_ok=True)
    except OSError:
        return False
    return os.access(place, os.W_OK)
