"""A person at a terminal: what is asked is asked, and no policy answers in his place what another one left to him."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.client.conftest import StartGateway
from tests.client.fake_model import DONE, FakeModel
from tests.client.records import records
from tests.client.script import MAIN, Call, Script
from tests.client.settings import hooks
from tests.client.terminal import Terminal
from tests.client.workplace import Workplace
from tests.support.processes import claude_binary

pytestmark = [pytest.mark.client, pytest.mark.system, pytest.mark.usefixtures("tmux")]

TRUSTING = """apiVersion: api.cerbos.dev/v1
resourcePolicy:
  version: default
  resource: {event}
  rules:
    - name: site.trusted
      actions: ["*"]
      effect: EFFECT_ALLOW
      roles: ["*"]
      output:
        when:
          ruleActivated: '{{"decision": "skip_prompt", "reason": "We trust this"}}'
"""
"""A site's policy that would answer every permission prompt by itself."""


@contextmanager
def terminal(place: Workplace, directory: Path, *calls: Call) -> Iterator[Terminal]:
    """The client in default mode on a terminal, asked to do the calls."""
    argv = [str(claude_binary()), "--permission-mode=default"]
    with FakeModel(Script(calls)) as model:
        environment = place.environment(model.url)
        with Terminal(directory, argv, cwd=place.project, environment=environment) as screen:
            screen.wait_for("Ostiary governs this session")
            screen.say(f"{MAIN}: do the work")
            yield screen


def write(place: Workplace, name: str) -> Call:
    """A call that writes a file of the project."""
    return Call(name, "Write", {"file_path": str(place.project / name), "content": "x\n"})


@pytest.mark.parametrize(("key", "then", "written"), [("Enter", DONE, True), ("Escape", "Rejected", False)])
def test_an_ask_is_a_prompt_even_where_the_users_own_rules_allow(
    key: str, then: str, written: bool, place: Workplace, tmp_path: Path, start_gateway: StartGateway
) -> None:
    gateway = start_gateway({"mode": "enforce"})
    place.settings(hooks(gateway.hooks_url, block=True), {"permissions": {"allow": ["Write"]}})

    with terminal(place, tmp_path, write(place, "free.txt"), write(place, ".gitlab-ci.yml")) as screen:
        screen.wait_for("Do you want to create .gitlab-ci.yml?")
        assert (place.project / "free.txt").exists()
        screen.press(key)
        screen.wait_for(then)

    assert (place.project / ".gitlab-ci.yml").exists() == written


def trusting(directory: Path, *events: str) -> dict[str, object]:
    """Settings of a gateway whose site lets policies skip prompts, with a policy that does so for these events."""
    directory.mkdir()
    for event in events:
        (directory / f"{event}.yaml").write_text(TRUSTING.format(event=event))
    return {"mode": "enforce", "skip_prompt.enabled": "true", "policies": f"[{directory}]"}


def test_no_policy_answers_the_prompt_that_another_one_asked_for(
    place: Workplace, tmp_path: Path, start_gateway: StartGateway
) -> None:
    gateway = start_gateway(trusting(tmp_path / "site", "PreToolUse", "PermissionRequest"))
    place.settings(hooks(gateway.hooks_url, block=True))

    with terminal(place, tmp_path, write(place, ".gitlab-ci.yml")) as screen:
        screen.wait_for("Do you want to create .gitlab-ci.yml?")

    assert not (place.project / ".gitlab-ci.yml").exists()
    answers = {
        record["event"]: record["answer"] for record in records(gateway.data_dir) if record.get("tool")
    }
    assert answers == {"PreToolUse": "ask", "PermissionRequest": "pass"}


def test_no_policy_answers_the_prompt_about_a_command_whose_text_tells_too_little(
    place: Workplace, tmp_path: Path, start_gateway: StartGateway
) -> None:
    gateway = start_gateway(trusting(tmp_path / "site", "PreToolUse", "PermissionRequest"))
    place.settings(hooks(gateway.hooks_url, block=True))
    (place.project / "steps.txt").write_text("touch opaque.txt\n")
    hidden = 'eval "$(cat steps.txt)"'

    with terminal(
        place, tmp_path, Call("opaque", "Bash", {"command": hidden, "description": "Run it"})
    ) as screen:
        screen.wait_for("Do you want to proceed?")

    assert not (place.project / "opaque.txt").exists()
    answers = {
        record["event"]: record["answer"] for record in records(gateway.data_dir) if record.get("tool")
    }
    assert answers == {"PreToolUse": "pass", "PermissionRequest": "pass"}
