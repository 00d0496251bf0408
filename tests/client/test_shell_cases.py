"""Shell commands in the real client under enforcing: what the packs forbid leaves no trace, however it is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.client.cases import Case, Happened, allowed, forbidden, holds, is_file, told, wrong
from tests.client.claude import SKIP_PERMISSIONS, run_claude
from tests.client.conftest import StartGateway
from tests.client.core import furnish
from tests.client.core_calls import SECRET
from tests.client.script import Script
from tests.client.settings import hooks
from tests.client.workplace import Workplace

pytestmark = pytest.mark.client
DATA = yaml.safe_load((Path(__file__).parent / "shell_cases.yaml").read_text())
AT_LEAST = 30


def happened(described: Mapping[str, Any], place: Workplace) -> Happened:
    """The look at the world that tells whether a command did what it is for."""

    def file(name: str) -> Path:
        return place.home / name.removeprefix("~/") if name.startswith("~/") else place.project / name

    if "shows" in described:
        return told(described["name"], described["shows"].replace("SECRET", SECRET))
    if "removes" in described:
        gone = file(described["removes"])
        return lambda _session: not gone.exists()
    if "holds" in described:
        name, text = described["holds"]
        return holds(file(name), text)
    return is_file(file(described["leaves"]))


def cases(place: Workplace) -> list[Case]:
    """Every command of the data file."""
    made = []
    for kind, make in (("forbidden", forbidden), ("ordinary", allowed)):
        for described in DATA[kind]:
            given = {"command": described["command"], "description": "d"}
            made.append(make(described["name"], "Bash", happened(described, place), given))
    return made


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_what_a_command_does_is_stopped_however_it_is_written(
    mode: str, place: Workplace, start_gateway: StartGateway
) -> None:
    """Observed, every command does what it is for, so that the enforced round shows that the stop was ours."""
    gateway = start_gateway({"mode": mode})
    furnish(place)
    place.settings(hooks(gateway.hooks_url, block=mode == "enforce"))
    played = cases(place)
    session = run_claude(place, Script([case.call for case in played]), SKIP_PERMISSIONS, "--tools", "Bash")
    assert len(played) >= AT_LEAST
    assert wrong(played, session, enforced=mode == "enforce") == []
