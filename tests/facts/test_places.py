"""Places people keep secrets in, or that run by themselves, are in their group; what only looks like one is in none."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gateway.domain.vocabulary import GUARDED_GROUPS
from gateway.facts.groups import PathGroups, group_data
from gateway.facts.paths import readings

PLACES: dict[str, list[str]] = yaml.safe_load(
    (Path(__file__).parent / "corpus" / "places.yaml").read_text("utf-8")
)
GROUPS = PathGroups(group_data())
HOMES = ("/home/dev", "/Users/dev", "/root", "/C:/Users/dev")


def groups(path: str) -> set[str]:
    """The guarded groups of every place that a path may stand for."""
    found: set[str] = set()
    for reading in readings(path, "/repo", ("/home/dev",)):
        found.update(GROUPS.of(reading.path, "path").groups)
    return found & set(GUARDED_GROUPS)


ROWS = [(group, path) for group, paths in PLACES.items() if group != "nothing" for path in paths]


@pytest.mark.parametrize(("group", "path"), ROWS, ids=[f"{group} {path}" for group, path in ROWS])
def test_a_place_is_in_its_group_under_every_home_and_in_every_case(group, path):
    for home in HOMES if path.startswith("H/") else ("",):
        place = home + path[1:] if home else path
        assert group in groups(place), place
        assert group in groups(place.upper()) or path.startswith("~"), place.upper()


@pytest.mark.parametrize("path", PLACES["nothing"])
def test_what_only_looks_like_one_is_in_no_guarded_group(path):
    assert groups(path.replace("H/", "/home/dev/")) == set()
