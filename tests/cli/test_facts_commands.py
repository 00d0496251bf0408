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
