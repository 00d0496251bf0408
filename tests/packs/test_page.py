"""docs/packs.md lists every pack and every rule that stops something, with the very words the agent is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.policy_sets.switches import known_packs, pack_of
from tests.packs.test_conventions import FILES, RULES, text_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "packs.md").read_text(encoding="utf-8")
STOPPING = [
    (path, rule) for path, rule in RULES if text_of(rule) and not rule["name"].startswith("baseline.complete")
]


def section(pack: str) -> str:
    """What the page says of a pack."""
    return PAGE.partition(f"## `{pack}`\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("pack", known_packs(), ids=lambda pack: pack.name)
def test_a_pack_has_a_section_with_its_line(pack):
    assert pack.about in section(pack.name)


@pytest.mark.parametrize(("path", "rule"), STOPPING, ids=[rule["name"] for _, rule in STOPPING])
def test_a_rule_stands_in_its_packs_table_with_kind_answer_and_text(path, rule):
    answer = "deny" if rule["effect"] == "EFFECT_DENY" else "ask"
    begins = f"| `{rule['name']}` | {FILES[path]['resource']} | {answer} | "
    line = next(line for line in section(pack_of(rule["name"])).splitlines() if line.startswith(begins))
    assert line.endswith(f" | {text_of(rule)} |")
    assert len(line.removeprefix(begins).partition(" | ")[0]) >= 20


def test_the_page_names_no_rule_that_is_not_there():
    assert set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)`", PAGE, re.MULTILINE)) == {
        rule["name"] for _, rule in STOPPING
    }
