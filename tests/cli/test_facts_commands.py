"""`ostiary facts shell` answers line by line; `ostiary what` shows facts as text and runs nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from gateway.cli.what import command as what

RUN = [sys.executable, "-m", "gateway.cli", "facts", "shell"]


def test_every_line_is_answered_by_a_line() -> None:
    lines = [
        {"command": "cat a", "cwd": "/p", "home": "/h"},
        {"command": "cat ~/b", "cwd": "/p", "home": "/h"},
        {"command": "eval $x", "cwd": "/p", "home": "/h"},
    ]
    sent = "\n".join(map(json.dumps, lines)) + "\n\nno json\n"
    done = subprocess.run(RUN, input=sent, capture_output=True, text=True, check=True, timeout=60)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer.get("reads") for answer in answers] == [["/p/a"], ["/h/b"], [], None]
    assert [answer["opaque"] for answer in answers] == [False, False, True, True]
    assert "no request" in answers[3]["error"]


def test_a_command_is_shown_and_not_run(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("still here")
    shown = CliRunner().invoke(what, [f"rm {victim}; echo '\x1b[31m' > x", "--cwd", str(tmp_path)]).output
    assert str(victim) in shown
    assert "\x1b[31m" not in shown
    assert victim.read_text() == "still here"


def test_the_facts_are_told_as_json(tmp_path: Path) -> None:
    output = CliRunner().invoke(what, ["cat a", "--cwd", str(tmp_path), "--json"]).output
    assert json.loads(output)["reads"] == [f"{tmp_path}/a"]


def test_the_rule_that_would_stop_it_stands_under_what_it_is_about(tmp_path: Path) -> None:
    run = ["--cwd", str(tmp_path), "--home", "/home/dev"]
    shown = CliRunner().invoke(what, ["cat a && rm -rf ~/.ssh", *run]).output
    lines = [line.strip(" │├└─") for line in shown.splitlines()]
    deleted = lines.index("/home/dev/.ssh/**  secrets")
    assert lines[deleted + 1].startswith("deny secrets.files: ")
    assert lines[-1] == "would be stopped"
    assert "no rule objects" in CliRunner().invoke(what, ["ls", *run]).output
    asked = CliRunner().invoke(what, ["npm publish", *run]).output
    assert "would be asked about" in asked
    assert "ask supply_chain.publication" in asked


def test_what_cannot_be_told_is_asked_about_by_name(tmp_path: Path) -> None:
    shown = CliRunner().invoke(what, ["eval $X", "--cwd", str(tmp_path)]).output
    assert "dynamic_code" in shown
    assert "ask failure_policy.opaque" in shown


def test_the_configuration_counts(tmp_path: Path) -> None:
    config = tmp_path / "ostiary.yaml"
    config.write_text(
        "packs: {secrets: false}\nfacts: {commands: {shipit: {operands: host, effects: [{trait: deploys}]}}}\n"
    )
    run = ["--cwd", str(tmp_path), "--home", "/home/dev", "--config", str(config)]
    shown = CliRunner().invoke(what, ["shipit web.example.com", *run]).output
    assert "ask infrastructure.deployment" in shown
    assert "not known to the command model" not in shown
    assert "would be stopped" not in CliRunner().invoke(what, ["cat ~/.ssh/id_rsa", *run]).output


def test_the_decision_is_told_as_json_too(tmp_path: Path) -> None:
    run = ["--cwd", str(tmp_path), "--home", "/home/dev", "--json"]
    told = json.loads(CliRunner().invoke(what, ["cat ~/.ssh/id_rsa", *run]).output)
    assert told["decision"] == "deny"
    assert [reason["rule"] for reason in told["reasons"]] == ["secrets.files"]
