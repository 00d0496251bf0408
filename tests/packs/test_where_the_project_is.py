"""The adversary says where the project is: still nothing outside the true one is written freely, and no secret read."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.support.enforcement import Pep, person

HOME = "/home/dev"
PROJECT = f"{HOME}/work/app"
OUTSIDE = [
    f"{HOME}/notes.txt",
    f"{HOME}/work/other/x.py",
    "/srv/data/x",
    "/home/eve/x",
    "/x",
    f"{HOME}/work/app2/x",
]
SECRETS = [
    f"{HOME}/.ssh/id_rsa",
    f"{HOME}/.aws/credentials",
    "/etc/shadow",
    f"{PROJECT}/.env",
    "/home/eve/.netrc",
]


def slug(directory: str) -> str:
    return "".join(character if character.isalnum() else "-" for character in directory)


def place(cwd: str, started: str, home: str = HOME, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Where a session stands and where it was started, as the client tells."""
    transcript = f"{home}/.claude/projects/{slug(started)}/t.jsonl" if home else ""
    return {"fields": {"cwd": cwd, "transcript_path": transcript}, "headers": headers or {}}


SITUATIONS = {
    "root": place("/", "/"),
    "the directory of homes": place("/home", "/home"),
    "a home": place(HOME, HOME),
    "moved to the root": place("/", PROJECT),
    "moved above the project": place(f"{HOME}/work", PROJECT),
    "moved to a home": place(HOME, PROJECT),
    "a worktree elsewhere": place(f"{HOME}/trees/app-fix", PROJECT),
    "a symlinked project": place(
        "/srv/real/app", "/srv/real/app", headers={"x-ostiary-project-dir": f"{HOME}/link"}
    ),
    "no home known": place(PROJECT, PROJECT, home=""),
    "no home known, at the root": place("/", "/", home=""),
    "a false home": place(PROJECT, PROJECT, headers={"x-ostiary-home": "/nowhere"}),
    "the root claimed as project": place("/", "/", headers={"x-ostiary-project-dir": "/"}),
    "a home claimed as project": place(HOME, HOME, headers={"x-ostiary-project-dir": HOME}),
    "another project claimed": place(PROJECT, PROJECT, headers={"x-ostiary-project-dir": f"{HOME}/work"}),
    "a claim with a foreign transcript": place(
        PROJECT, PROJECT, headers={"x-ostiary-project-dir": "/srv/data"}
    ),
}


class Session:
    """One session in a situation; its first event may have been another."""

    def __init__(self, pep: Pep, situation: dict[str, Any], user: str = "ada") -> None:
        self._pep = pep
        self._situation = situation
        self._who = person(user)
        self._numbers = itertools.count(1)

    def word(self, tool: str, **given: Any) -> str:
        payload = {
            "session_id": "s1",
            "hook_event_name": "PreToolUse",
            "permission_mode": "bypassPermissions",
            "tool_name": tool,
            "tool_input": given,
            "tool_use_id": f"toolu_{next(self._numbers)}",
            **self._situation["fields"],
        }
        return self._pep.word(payload, self._who, headers=self._situation["headers"])

    def holes(self) -> list[str]:
        """What passed and must not."""
        found = []
        for path in OUTSIDE:
            calls = {
                f"Write {path}": self.word("Write", file_path=path, content="x"),
                f"Edit {path}": self.word("Edit", file_path=path, old_string="a", new_string="b"),
                f"> {path}": self.word("Bash", command=f"echo x > {path}"),
                f"rm {path}": self.word("Bash", command=f"rm -f {path}"),
            }
            found += [name for name, word in calls.items() if word == "pass"]
        for path in SECRETS:
            relative = path.rpartition("/")
            calls = {
                f"Read {path}": self.word("Read", file_path=path),
                f"Grep {path}": self.word("Grep", pattern="a", path=path, output_mode="content"),
                f"cat {path}": self.word("Bash", command=f"cat {path}"),
                f"cd and cat {path}": self.word("Bash", command=f"cd {relative[0]} && cat {relative[2]}"),
            }
            found += [name for name, word in calls.items() if word == "pass"]
        if self.word("Bash", command="cat ~/.ssh/id_rsa") == "pass":
            found.append("~")
        return found


@pytest.mark.parametrize("situation", SITUATIONS)
def test_nothing_outside_the_true_project_is_written_and_no_secret_is_read(situation: str):
    assert Session(Pep(), SITUATIONS[situation]).holes() == []


@pytest.mark.parametrize("first", SITUATIONS)
def test_a_first_event_elsewhere_opens_nothing_later(first: str):
    pep = Pep()
    Session(pep, SITUATIONS[first]).word("Bash", command="ls")
    later = Session(pep, place(PROJECT, PROJECT))
    assert later.word("Write", file_path=f"{PROJECT}/second.py", content="x") in {"pass", "deny"}
    assert later.word("Write", file_path=f"{HOME}/notes.txt", content="x") != "pass"
    assert later.word("Read", file_path=f"{HOME}/.ssh/id_rsa") == "deny"


def test_two_sessions_of_one_id_under_two_principals_do_not_lend_each_other_a_project():
    pep = Pep()
    other = Session(pep, place("/srv/data", "/srv/data"), user="bob")
    assert other.word("Write", file_path="/srv/data/x", content="x") == "pass"
    assert Session(pep, place(PROJECT, PROJECT)).holes() == []


def test_the_project_itself_is_worked_in_freely():
    session = Session(Pep(), place(f"{PROJECT}/src", PROJECT))
    assert session.word("Write", file_path=f"{PROJECT}/src/a.py", content="x") == "pass"
    assert session.word("Bash", command="echo x > ../b.txt") == "pass"
    linked = Session(Pep(), SITUATIONS["a symlinked project"])
    assert linked.word("Write", file_path="/srv/real/app/a.py", content="x") == "pass"
