"""What compiles and is still a mistake: each finding with its place, and nothing where nothing is wrong."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.cli.policy_lint import words
from gateway.policy.directory import SourceFile, read_roots
from gateway.policy.lint.findings import Finding, Rule
from gateway.policy.lint.run import lint
from gateway.policy.load import load_documents
from gateway.policy.problems import Complaints
from gateway.policy_sets.packs import shipped_packs
from tests.policy_tools.commands import ostiary
from tests.support.processes import ROOT

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "corpus" / "lint.yaml").read_text())
_COVERAGE = {Rule.EVENT_UNCOVERED, Rule.KIND_UNCOVERED}


def policy_of(case: dict[str, Any]) -> tuple[str, int]:
    """The policy of a case, and the number of the line above its first rule."""
    head = [
        "apiVersion: api.cerbos.dev/v1",
        "resourcePolicy:",
        "  version: default",
        f"  resource: {case['kind']}",
    ]
    head += [f"  scope: {case['scope']}"] if "scope" in case else []
    head += [f"  scopePermissions: {case['permissions']}"] if "permissions" in case else []
    if "variables" in case:
        head += ["  variables:", "    local:", f"      {case['variables']}"]
    head += ["  # the rules begin below", "  rules:"]
    return "\n".join(head) + "\n" + textwrap.indent(case["rules"], "    "), len(head)


def found_in(text: str, *, shipped: bool = False) -> tuple[Finding, ...]:
    file = SourceFile("p.yaml", text.encode())
    complaints = Complaints()
    documents = load_documents([file], complaints)
    complaints.raise_if_any()
    findings = lint(documents, words(), frozenset({"p.yaml"}) if shipped else frozenset())
    return tuple(finding for finding in findings if finding.rule not in _COVERAGE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_rule_is_found_at_its_place(case: dict[str, Any]) -> None:
    text, above = policy_of(case)
    found = sorted(f"{finding.rule.code}:{finding.place.line - above}" for finding in found_in(text))
    lines = _relative(case, text, above)
    assert found == sorted(lines), "\n".join(map(str, found_in(text)))


def _relative(case: dict[str, Any], text: str, above: int) -> list[str]:
    """Expected codes with lines; `-3` stands for the kind's line, or for that of a variable's definition."""
    wanted = []
    for item in case["found"]:
        code, _, line = item.rpartition(":")
        if line == "-3":
            mark = case.get("variables", f"resource: {case['kind']}")
            line = str(1 + next(n for n, row in enumerate(text.splitlines()) if mark in row) - above)
        wanted.append(f"{code}:{line}")
    return wanted


def test_every_rule_of_the_lint_has_a_case() -> None:
    covered = {item.rpartition(":")[0] for case in CASES for item in case["found"]}
    missing = (
        {rule.code for rule in Rule} - covered - {rule.code for rule in _COVERAGE} - {Rule.NO_RULES_OFF.code}
    )
    assert not missing


def test_every_code_is_its_own_and_every_finding_says_what_to_do() -> None:
    assert len({rule.code for rule in Rule}) == len(Rule)
    for case in CASES:
        for finding in found_in(policy_of(case)[0]):
            assert finding.message.endswith((".", ":")) or "`" in finding.message
            assert finding.remedy


def test_every_code_is_in_the_docs_with_its_severity() -> None:
    page = (ROOT / "docs" / "policy-tools.md").read_text()
    rows = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| OST-LINT-")}
    assert set(rows) == {rule.code for rule in Rule}
    for rule in Rule:
        if rule.severity(shipped=False) == "error":
            assert "(error)" in rows[rule.code]


def test_shipped_packs_are_held_to_more(tmp_path: Path) -> None:
    case = {"kind": "file", "rules": CASES[0]["rules"]}
    found = found_in(policy_of(case)[0], shipped=True)
    assert [(finding.rule, finding.severity) for finding in found] == [(Rule.NO_RULES_OFF, "error")]
    role = next(case for case in CASES if case["name"] == "a denial of one role")
    assert {finding.severity for finding in found_in(policy_of(role)[0])} == {"warning"}
    assert "error" in {finding.severity for finding in found_in(policy_of(role)[0], shipped=True)}


def test_the_shipped_packs_are_clean() -> None:
    files = read_roots([shipped_packs()])
    documents = load_documents(files, Complaints())
    found = lint(documents, words(), frozenset(file.name for file in files))
    assert [str(finding) for finding in found if finding.rule not in _COVERAGE] == []


def test_kinds_and_events_without_a_policy_are_named_unless_the_packs_have_one() -> None:
    findings = lint((), words(), covered=frozenset({"file"}))
    kinds = [finding.message for finding in findings if finding.rule is Rule.KIND_UNCOVERED]
    assert any("kind host" in message for message in kinds)
    assert not any("kind file" in message for message in kinds)
    assert any(finding.rule is Rule.EVENT_UNCOVERED for finding in findings)


def test_the_command_prints_places_and_ends_with_one_on_errors(tmp_path: Path) -> None:
    bad = next(case for case in CASES if case["name"] == "a question on a denial")
    (tmp_path / "p.yaml").write_text(policy_of(bad)[0])
    done = ostiary("policy", "lint", tmp_path)
    assert done.returncode == 1
    assert f"{tmp_path}/p.yaml:11:" in done.stdout
    assert "error OST-LINT-023" in done.stdout
    as_json = ostiary("policy", "lint", tmp_path, "--format=json")
    errors = json.loads(as_json.stdout)["lintErrors"]["errors"]
    placed = [error for error in errors if error["file"]]
    assert [(error["file"], error["code"], error["position"]["line"]) for error in placed] == [
        ("p.yaml", "OST-LINT-023", 11)
    ]


def test_warnings_alone_end_with_nought_and_a_set_that_does_not_compile_with_three(tmp_path: Path) -> None:
    case = next(case for case in CASES if case["name"] == "a denial of one role")
    (tmp_path / "p.yaml").write_text(policy_of(case)[0])
    assert ostiary("policy", "lint", tmp_path).returncode == 0
    (tmp_path / "q.yaml").write_text(
        "apiVersion: api.cerbos.dev/v1\nresourcePolicy: {resource: x, version: default, rulez: []}\n"
    )
    done = ostiary("policy", "lint", tmp_path, "--format=json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["loadErrors"]["errors"][0]["position"] == {"line": 2, "column": 49}
