"""`ostiary demo`: seven stories against a running gateway or a private one, and nothing of them in a search."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.cli.demo_stories import requests, stories
from tests.cli.recorded_gateway import run
from tests.support.processes import GatewayProcess, wait_until

STOPPED = {
    "baseline.shell_startup",
    "baseline.outside_project",
    "self_protection.agent_settings",
    "infrastructure.ci_changes",
    "secrets.files",
    "baseline.reads_only",
}


@pytest.mark.parametrize(
    ("mode", "deny", "ask"), [("observe", "would deny", "would ask"), ("enforce", "deny", "ask")]
)
def test_every_story_is_told_with_what_was_decided_and_why(
    tmp_path: Path, mode: str, deny: str, ask: str
) -> None:
    with GatewayProcess(tmp_path / "gateway", {"mode": mode}) as gateway:
        text = run("demo", "--data-dir", str(gateway.data_dir)).stdout
        wait_until((gateway.data_dir / "query.sock").exists, "the clerk")
        found = run("audit", "search", "--data-dir", str(gateway.data_dir), "--json").stdout
        made = run(
            "audit", "search", "--data-dir", str(gateway.data_dir), "--json", "--synthetic", "--limit", "1000"
        ).stdout
        metrics = gateway.admin_url
        assert metrics
    for number, story in enumerate(stories().stories, 1):
        assert f"{number}  {story.title}" in text
    for rule in STOPPED:
        assert rule in text
    lines = [line.strip() for line in text.splitlines()]
    assert any(line.startswith(f"{deny}  baseline.shell_startup  “") for line in lines)
    assert any(line.startswith(f"{ask}  infrastructure.ci_changes  “") for line in lines)
    assert "Read ×198" in text
    assert json.loads(found)["rows"] == []
    rows = json.loads(made)["rows"]
    assert len(rows) == sum(step.times for story in stories().stories for step in story.steps)
    assert all(row["record"]["synthetic"] for row in rows)
    assert {row["record"]["principal"]["id"] for row in rows} == {"dana", "milo"}


def test_without_a_gateway_a_private_one_plays_and_leaves_nothing(tmp_path: Path) -> None:
    before = {path for path in Path("/tmp").iterdir() if path.name.startswith("ostiary-demo-")}
    done = run("demo", "--data-dir", str(tmp_path / "none"), environment={"TMPDIR": str(tmp_path)})
    after = {path for path in Path("/tmp").iterdir() if path.name.startswith("ostiary-demo-")}
    assert not after - before
    assert "A private one" in done.stdout
    assert "baseline.shell_startup" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_stories_are_seven_and_the_last_fans_out_into_200_calls() -> None:
    told = stories()
    assert len(told.stories) == 7
    asked = list(requests(told, 7, "run"))
    assert len(asked) == 200
    assert len({request.call_id for request in asked}) == 200
    assert all(told.project.encode() in request.body for request in asked)
    assert not any(b"{n}" in request.body or b"{project}" in request.body for request in asked)
