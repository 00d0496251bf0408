"""What programs do with their operands and options, by their manuals: golden cases, one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.facts.shell.analysis import Surroundings, analyse
from gateway.facts.shell.catalogue import shipped_models
from gateway.facts.shell.report import facts

GOLDEN = yaml.safe_load((Path(__file__).parent / "golden" / "programs.yaml").read_text(encoding="utf-8"))
HERE = Surroundings(cwd="/home/dev/app", project_dir="/home/dev/app", home="/home/dev", user="dev")


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["command"][:60])
def test_a_program_has_the_facts_that_its_manual_says(case: dict[str, Any]) -> None:
    found = facts(case["command"], analyse(case["command"], HERE, shipped_models()))
    found["traits"] = sorted({trait for command in found["commands"] for trait in command["traits"]})
    expected = {"opaque": False, **{key: value for key, value in case.items() if key != "command"}}
    assert {key: found[key] for key in expected} == expected


def test_only_options_that_are_switched_on_make_a_program_idle() -> None:
    told = [
        facts(text, analyse(text, HERE, shipped_models()))["commands"][0]["traits"]
        for text in (
            "azcopy rm https://a.example/x --dry-run",
            "azcopy rm https://a.example/x --dry-run=false",
        )
    ]
    assert told == [[], ["remote_state", "destructive"]]
