"""The stories Ostiary exists for, played by the real client: observed nothing changes, enforced nothing bad happens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from gateway.identity.tokens import hash_token
from tests.client.claude import SKIP_PERMISSIONS, Session, run_claude
from tests.client.conftest import StartGateway
from tests.client.records import asked, records
from tests.client.script import Call, Script
from tests.client.settings import hooks
from tests.client.stories import STORIES, Story
from tests.client.web_host import WebHost
from tests.client.workplace import Workplace
from tests.support.processes import GatewayProcess

pytestmark = pytest.mark.client
TOKEN = "ost_token-of-the-tests-AAAAAAAAAAAAAAAA"


def start(
    start_gateway: StartGateway, tmp_path: Path, role: str, settings: dict[str, object]
) -> GatewayProcess:
    """A gateway that knows one user, in one role, by his token."""
    token = {"hash": hash_token(TOKEN), "user": "sam", "roles": [role]}
    config = tmp_path / "ostiary.yaml"
    config.write_text(yaml.safe_dump({"version": 1, "identity": {"tokens": [token]}}))
    return start_gateway(settings, config=config)


def play(
    place: Workplace,
    gateway: GatewayProcess,
    story: Story,
    turns: Sequence[Call | Sequence[Call]],
    *,
    block: bool,
) -> Session:
    """One session with the calls of a story."""
    place.settings(hooks(gateway.hooks_url, block=block, token=True), {"skipWebFetchPreflight": True})
    environment = {"OSTIARY_TOKEN": TOKEN, **story.environment}
    return run_claude(place, Script(turns), SKIP_PERMISSIONS, environment=environment)


@pytest.mark.parametrize("name", STORIES)
def test_a_story_observed_happens_and_its_record_says_what_would_have_been(
    name: str, place: Workplace, host: WebHost, tmp_path: Path, start_gateway: StartGateway
) -> None:
    story = STORIES[name](place, host)
    gateway = start(start_gateway, tmp_path, story.role, {"mode": "observe"})

    session = play(place, gateway, story, story.direct, block=False)

    assert story.damage(session) != []
    assert story.missing(session) == []
    found = asked(records(gateway.data_dir))
    assert len(found) == len(session.script.calls)
    assert len({record["prompt_id"] for record in found}) == 1
    assert {record["answer"] for record in found} == {"pass"}
    assert {record["decision"] for record in found} & {"deny", "ask"}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_enforced_does_no_damage(
    name: str,
    backend: dict[str, object],
    place: Workplace,
    host: WebHost,
    tmp_path: Path,
    start_gateway: StartGateway,
) -> None:
    story = STORIES[name](place, host)
    gateway = start(start_gateway, tmp_path, story.role, {"mode": "enforce", **backend})

    session = play(place, gateway, story, story.direct, block=True)

    assert story.damage(session) == []
    assert story.missing(session) == []
    found = asked(records(gateway.data_dir))
    assert len({record["call_id"] for record in found}) == len(session.script.calls)
    stopped = [record for record in found if record["answer"] in {"deny", "ask"}]
    assert stopped
    assert all(record["reasons"][0]["rule"].startswith("baseline.") for record in stopped)


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.xfail(reason="what a shell command would do is analysed from stage 3 on", strict=True)
def test_a_story_told_in_the_shell_and_enforced_does_no_damage(
    name: str, place: Workplace, host: WebHost, tmp_path: Path, start_gateway: StartGateway
) -> None:
    story = STORIES[name](place, host)
    gateway = start(start_gateway, tmp_path, story.role, {"mode": "enforce"})

    session = play(place, gateway, story, story.shell, block=True)

    assert story.damage(session) == []
