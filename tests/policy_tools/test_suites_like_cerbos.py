"""`ostiary policy test` and the real `cerbos compile` run the same suites and print the same JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.policy_tools.commands import cerbos_compile, ostiary

CORPUS = Path(__file__).resolve().parent / "corpus"
_DATA = yaml.safe_load((CORPUS / "suites.yaml").read_text())
CASES = {
    **{name: _DATA["base"] + text for name, text in _DATA["cases"].items()},
    **_DATA["alone"],
}
LOADED = "failed to load test suite:"


def run_ours(*arguments: object) -> tuple[int, str]:
    done = ostiary("policy", "test", *arguments)
    return done.returncode, done.stdout


def run_cerbos(*arguments: object) -> tuple[int, str]:
    done = cerbos_compile(*arguments)
    return done.returncode, done.stdout


def suites(text: str) -> dict[str, Any]:
    """The suites of a JSON report by file; what Cerbos lists in an order of chance is put in one."""
    found = {suite["file"]: suite for suite in json.loads(text)["suites"]}
    for suite in found.values():
        if "error" in suite:
            first, *lines = suite["error"].split("\n")
            first = re.sub(
                r"\[([\w,]+)\]\Z", lambda match: f"[{','.join(sorted(match[1].split(',')))}]", first
            )
            suite["error"] = "\n".join([first, *sorted(lines)])
        for case in suite.get("testCases", []):
            for principal in case["principals"]:
                for resource in principal["resources"]:
                    for action in resource["actions"]:
                        failure = action["details"].get("failure", {})
                        if "outputs" in failure:
                            failure["outputs"].sort(key=lambda output: output.get("src", ""))
    return found


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """What both say of every case, run once."""
    root = tmp_path_factory.mktemp("suites")
    tests = root / "tests"
    tests.mkdir()
    for name, text in CASES.items():
        (tests / f"{name}_test.yaml").write_text(text)
    ours, cerbos = (
        run_ours("--format=json", f"--tests={tests}", CORPUS / "policies"),
        run_cerbos("--output=json", f"--tests={tests}", CORPUS / "policies"),
    )
    assert ours[0] == cerbos[0] == 4
    return suites(ours[1]), suites(cerbos[1])


@pytest.mark.pdp
@pytest.mark.parametrize("name", CASES)
def test_a_suite_ends_as_with_cerbos(name: str, reports: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, cerbos = reports
    assert ours[f"{name}_test.yaml"] == cerbos[f"{name}_test.yaml"]


@pytest.mark.pdp
def test_fixtures_beside_a_suite_are_found_and_their_faults_named_as_cerbos_does(tmp_path: Path) -> None:
    suite = _DATA["cases"]["plain"]
    base = yaml.safe_load(_DATA["base"])
    faults = {
        "good": {},
        "unknown_member": {"principals": {"principalGroups": {"g": {"principals": ["nobody"]}}}},
        "unknown_field": {"principals": {"rolls": {}}},
        "no_kind": {"resources": {"resources": {"some_thing": {"id": "x"}}}},
        "empty_resource_group": {"resources": {"resourceGroups": {"g": {"resources": []}}}},
        "odd_claims": {"auxData": {"auxData": {"a": {"jot": {}}}}},
    }
    for name, changed in faults.items():
        data = tmp_path / name / "testdata"
        data.mkdir(parents=True)
        (tmp_path / name / "a_test.yaml").write_text(suite)
        for kind in ("principals", "resources", "auxData"):
            content = {kind: {**base[kind]}}
            for field, value in changed.get(kind, {}).items():
                content[field] = {**content.get(field, {}), **value}
            text = json.dumps(content) if kind == "resources" else yaml.safe_dump(content)
            ending = "json" if kind == "resources" else "yaml"
            (data / f"{'aux_data' if kind == 'auxData' else kind}.{ending}").write_text(text)
    ours = run_ours("--format=json", f"--tests={tmp_path}", CORPUS / "policies")
    cerbos = run_cerbos("--output=json", f"--tests={tmp_path}", CORPUS / "policies")
    assert suites(ours[1]) == suites(cerbos[1])
    assert ours[0] == cerbos[0] == 4


@pytest.mark.pdp
@pytest.mark.parametrize(
    "chosen",
    [
        "suite=g*",
        "test=t",
        "principal=v*",
        "resource=open;action=view",
        "action=nothing",
        "suite=plain;test=x",
    ],
)
def test_a_filter_leaves_the_same_tests(chosen: str, tmp_path: Path) -> None:
    for name in ("plain", "groups", "skip", "skip_suite"):
        (tmp_path / f"{name}_test.yaml").write_text(CASES[name])
    arguments = (f"--test-filter={chosen}", f"--tests={tmp_path}", CORPUS / "policies")
    ours, cerbos = run_ours("--format=json", *arguments), run_cerbos("--output=json", *arguments)
    assert json.loads(ours[1]) == json.loads(cerbos[1])
    assert ours[0] == cerbos[0]


@pytest.mark.pdp
@pytest.mark.parametrize("form", ["tree", "list"])
@pytest.mark.parametrize("name", ["plain", "outputs", "skip", "no_clock", "unknown_principal"])
def test_the_report_for_people_reads_as_that_of_cerbos(form: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "a_test.yaml").write_text(CASES[name])
    ours = run_ours(f"--format={form}", f"--tests={tmp_path}", CORPUS / "policies")
    cerbos = run_cerbos(f"--output={form}", "--color=never", f"--tests={tmp_path}", CORPUS / "policies")
    assert _compact(ours[1]) == _compact(cerbos[1])


def _compact(text: str) -> str:
    """Without the spaces that Cerbos puts into JSON values by chance."""
    return "".join(text.split())
