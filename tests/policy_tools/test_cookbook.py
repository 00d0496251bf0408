"""Every page of the cookbook compiles with the shipped packs, its test passes on both engines, and lint is content."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from gateway.policy.authoring.plan import plan_rule
from gateway.policy.authoring.texts import open_root_text
from gateway.policy_sets.packs import shipped_packs
from tests.policy_tools.commands import cerbos_compile, ostiary, with_packs
from tests.support.processes import ROOT

PAGES = sorted((ROOT / "docs" / "cookbook").glob("[0-9]*.md"))
_BLOCK = re.compile(r"^`(?P<name>[\w./]+)`\n\n```yaml\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_ONE_SCREEN = 60


def files_of(page: Path) -> dict[str, str]:
    return {match["name"]: match["text"] for match in _BLOCK.finditer(page.read_text())}


def lay_out(page: Path, directory: Path) -> None:
    """The files of a page, and an open root policy for a kind that no pack has, as `policy new` writes it."""
    shipped = {
        yaml.safe_load(file.read_text()).get("resourcePolicy", {}).get("resource")
        for file in shipped_packs().rglob("*.yaml")
        if not file.name.endswith("_test.yaml")
    }
    for name, text in files_of(page).items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        kind = (yaml.safe_load(text).get("resourcePolicy") or {}).get("resource")
        if kind and kind not in shipped:
            (directory / f"{kind}.yaml").write_text(open_root_text(kind))


def test_there_are_fifteen_pages_of_one_screen_each() -> None:
    assert [page.name[:2] for page in PAGES] == [f"{number:02d}" for number in range(1, 16)]
    for page in PAGES:
        assert len(page.read_text().splitlines()) <= _ONE_SCREEN, page.name
        assert len(files_of(page)) == 2, page.name
    index = (ROOT / "docs" / "cookbook" / "README.md").read_text()
    assert all(f"({page.name})" in index for page in PAGES)


@pytest.mark.pdp
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_holds_on_both_engines(page: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    lay_out(page, own)
    ours = ostiary("policy", "test", own)
    assert ours.returncode == 0, ours.stdout + ours.stderr
    assert " 0 tests" not in ours.stdout
    lint = ostiary("policy", "lint", own)
    assert lint.returncode == 0, lint.stdout
    assert not [line for line in lint.stdout.splitlines() if str(own / "site") in line], lint.stdout
    cerbos = cerbos_compile(with_packs(own, tmp_path / "all"))
    assert cerbos.returncode == 0, cerbos.stdout + cerbos.stderr


def test_every_sentence_of_the_cookbook_is_understood() -> None:
    sentences = [
        sentence
        for page in PAGES
        for sentence in re.findall(r"ostiary policy new '([^']+)'", page.read_text())
    ]
    assert len(sentences) >= 6
    for sentence in sentences:
        plan = plan_rule(sentence, scope="site", own=(), root="x", shipped_kinds=frozenset())
        assert plan.rule.startswith("site.")


def test_all_pages_about_different_kinds_go_together(tmp_path: Path) -> None:
    """One page a kind, as an author would collect them."""
    taken: set[str] = set()
    for page in PAGES:
        if not taken & set(files_of(page)):
            taken |= set(files_of(page))
            lay_out(page, tmp_path / "own")
    done = ostiary("policy", "test", tmp_path / "own")
    assert done.returncode == 0, done.stdout + done.stderr
