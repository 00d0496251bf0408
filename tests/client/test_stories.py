"""The stories Ostiary exists for, played by the real client: observed nothing changes, enforced nothing bad happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.identity.tokens import hash_token
from tests.client.claude import SKIP_PERMISSIONS, Session, run_claude
from tests.client.records import asked, records
from tests.client.script import Call, Script
from tests.client.settings import hooks
from tests.client.stories import STORIES, Story
from tests.client.web_host import WebHost
from tests.client.workplace import Workplace
from tests.support.processes import GatewayProcess

pytestmark = pytest.mark.client


TOKENS = {role: f"ost_token-of-{role:-<20}" for role in ("engineer", "marketing")}


class Gateways:
    """Gateways that know a user in each role by his token; sessions are told apart by their projects."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: dict[tuple[str, ...], GatewayProcess] = {}
        tokens = [
            {"hash": hash_token(token), "user": role, "roles": [role]} for role, token in TOKENS.items()
        ]
        self._config = directory / "ostiary.yaml"
        self._config.write_text(yaml.safe_dump({"version": 1, "identity": {"tokens": tokens}}))

    def with_settings(self, settings: Mapping[str, object]) -> GatewayProcess:
        """The gateway with these settings, started at its first use."""
        key = tuple(f"{name}={value}" for name, value in sorted(settings.items()))
        if key not in self._running:
            directory = self._directory / str(len(self._running))
            self._running[key] = GatewayProcess(directory, settings, config=self._config)
        return self._running[key]

    def stop(self) -> None:
        """End them all."""
        for gateway in self._running.values():
            gateway.stop()


@pytest.fixture(scope="module")
def gateways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateways]:
    """The gateways of all stories."""
    made = Gateways(tmp_path_factory.mktemp("gateways"))
    yield made
    made.stop()


def play(
    place: Workplace,
    gateway: GatewayProcess,
    story: Story,
    turns: Sequence[Call | Sequence[Call]],
) -> Session:
    """One session with the calls of a story. A hook that fails lets the call run, so only a reply can stop it."""
    place.settings(hooks(gateway.hooks_url, token=True), {"skipWebFetchPreflight": True})
    environment = {"OSTIARY_TOKEN": TOKENS[story.role], **story.environment}
    return run_claude(place, Script(turns), SKIP_PERMISSIONS, environment=environment)


def stopped_by(found: list[dict[str, Any]], word: str) -> set[str]:
    """The rules behind every stop, by what was decided or by what was answered."""
    return {record["reasons"][0]["rule"] for record in found if record[word] in {"deny", "ask"}}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_observed_happens_and_its_record_says_what_would_have_been(
    name: str, place: Workplace, host: WebHost, gateways: Gateways
) -> None:
    story = STORIES[name](place, host)
    gateway = gateways.with_settings({"mode": "observe"})

    session = play(place, gateway, story, story.direct)

    assert story.damage(session) != []
    assert story.missing(session) == []
    found = asked(records(gateway.data_dir, place.project))
    assert len(found) == len(session.script.calls)
    assert len({record["prompt_id"] for record in found}) == 1
    assert {record["answer"] for record in found} == {"pass"}
    assert stopped_by(found, "decision") == {story.rule}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_enforced_does_no_damage(
    name: str,
    backend: dict[str, object],
    place: Workplace,
    host: WebHost,
    gateways: Gateways,
) -> None:
    story = STORIES[name](place, host)
    gateway = gateways.with_settings({"mode": "enforce", **backend})

    session = play(place, gateway, story, story.direct)

    assert story.damage(session) == []
    assert story.missing(session) == []
    found = asked(records(gateway.data_dir, place.project))
    assert len({record["call_id"] for record in found}) == len(session.script.calls)
    assert stopped_by(found, "answer") == {story.rule}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_told_in_the_shell_and_enforced_does_no_damage(
    name: str,
    backend: dict[str, object],
    place: Workplace,
    host: WebHost,
    gateways: Gateways,
) -> None:
    story = STORIES[name](place, host)
    gateway = gateways.with_settings({"mode": "enforce", **backend})

    session = play(place, gateway, story, story.shell)

    assert story.damage(session) == []
    assert len(asked(records(gateway.data_dir, place.project))) == len(session.script.calls)
