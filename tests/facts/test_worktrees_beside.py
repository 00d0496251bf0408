"""A work tree that git makes beside the project belongs to it for the rest of the call; other places beside it do not."""

from __future__ import annotations

import json

import pytest

from tests.support.enforcement import ADAPTER, shipped_analyser
from tests.support.payloads import pre_tool_use

INSIDE = [
    ("git worktree add ../next -b x", "/home/dev/next/**"),
    ("git worktree add ../next && cd ../next && touch a", "/home/dev/next/a"),
    ("git worktree remove ../next", "/home/dev/next"),
]
OUTSIDE = [
    "git worktree remove --force ../next",
    "git worktree add ../../next",
    "git worktree add ../.ssh",
    "git worktree add /etc/next",
    "git worktree list; touch ../next/a",
]


def changed(command: str) -> dict[str, bool]:
    payload = json.dumps(pre_tool_use("Bash", {"command": command})).encode()
    headers = {"X-Ostiary-Project-Dir": "/home/dev/project", "X-Ostiary-Home": "/home/dev"}
    analysis = shipped_analyser().analyse(ADAPTER.decode(payload, headers))
    return {
        operation.id: operation.attr["in_project"]
        for operation in analysis.operations
        if operation.kind == "file" and operation.action in ("write", "delete")
    }


@pytest.mark.parametrize(("command", "path"), INSIDE)
def test_a_work_tree_beside_the_project_belongs_to_it(command: str, path: str) -> None:
    assert changed(command)[path]


@pytest.mark.parametrize("command", OUTSIDE)
def test_no_other_place_becomes_part_of_the_project(command: str) -> None:
    found = changed(command)
    assert found
    assert not any(found.values())
