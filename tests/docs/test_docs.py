"""Pages that must keep up with the code, and links that must lead somewhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from gateway.domain.vocabulary import CAUSES, FAILURE_DEFAULTS, HOOK_EVENTS
from tests.docs.reference import DOCS, ROOT, commands_page, error_codes, metrics

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\((?!https?://)([^)#]+)(?:#[^)]*)?\)")


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_every_command_and_option_stands_in_the_page_of_commands() -> None:
    """`OSTIARY_WRITE_GOLDEN=1` writes the page anew."""
    if os.environ.get("OSTIARY_WRITE_GOLDEN"):
        (DOCS / "commands.md").write_text(commands_page(), encoding="utf-8")
    assert page("commands.md") == commands_page()


def test_every_error_code_is_documented_and_no_other() -> None:
    codes = {code for code in error_codes() if not code.startswith("OST-LINT")}
    assert set(re.findall(r"`(OST-[A-Z]{3}-\d{3})`", page("errors.md"))) == codes


def test_every_metric_is_documented() -> None:
    text = page("metrics.md")
    assert [name for name in metrics() if name not in text] == []


def test_the_failure_table_names_every_cause_with_its_default() -> None:
    rows = dict(
        re.findall(r"^\| `(\w+)` \|.*?\| (\w+)[^|]*\| [^|]*\|$", page("failure-modes.md"), re.MULTILINE)
    )
    assert rows == {cause: FAILURE_DEFAULTS[cause] for cause in CAUSES}


@pytest.mark.parametrize("event", ["PreToolUse", "PermissionRequest", "UserPromptSubmit", "SessionStart"])
def test_the_hook_protocol_speaks_of_the_events_that_can_be_answered(event: str) -> None:
    assert event in HOOK_EVENTS
    assert event in page("hook-protocol.md")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(path: Path) -> None:
    missing = [
        target for target in LINK.findall(path.read_text("utf-8")) if not (path.parent / target).exists()
    ]
    assert missing == []


def test_every_decision_is_listed() -> None:
    records = sorted(file.name for file in (DOCS / "adr").glob("0*.md"))
    assert re.findall(r"\((0\d+-[a-z-]+\.md)\)", page("adr/README.md")) == records
