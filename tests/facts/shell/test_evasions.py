"""One place reached in hundreds of ways of writing: it is in the facts however the command is written."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gateway.facts.shell.analysis import Surroundings, analyse
from gateway.facts.shell.catalogue import shipped_models
from gateway.facts.shell.report import facts
from tests.facts.shell.comparison import covered

GROUPS = yaml.safe_load((Path(__file__).parent / "golden" / "evasions.yaml").read_text())
HERE = Surroundings(cwd="/home/dev/app", project_dir="/home/dev/app", home="/home/dev", user="dev")
CASES = [
    (group["action"], group["path"], command, kind)
    for group in GROUPS
    for kind in ("told", "opaque")
    for command in group.get(kind, ())
]


@pytest.mark.parametrize(("action", "path", "command", "kind"), CASES, ids=lambda value: str(value)[:60])
def test_a_place_is_found_however_it_is_written(action: str, path: str, command: str, kind: str) -> None:
    found = facts(command, analyse(command, HERE, shipped_models()))
    assert covered(path, found[action]) or (kind == "opaque" and found["opaque"])
