"""What `policy test` says of a directory that does not compile, fails, or stands on the shipped packs."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.policy_tools.commands import Done, cerbos_compile, ostiary

CORPUS = Path(__file__).parent / "corpus"
SUITES = yaml.safe_load((CORPUS / "suites.yaml").read_text())
HEAD = "apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  resource: doc\n  version: default\n"
RULE = "  rules:\n    - actions: [read]\n      effect: EFFECT_ALLOW\n      roles: [user]\n"


def policy_test(directory: Path, *more: object) -> Done:
    return ostiary("policy", "test", directory, *more)


@pytest.mark.parametrize(
    ("files", "field", "error", "line"),
    [
        (
            {"a.yaml": HEAD + RULE + "      condition: {match: {expr: 1 ==}}\n"},
            "compileErrors",
            "invalid expression",
            9,
        ),
        ({"a.yaml": HEAD + RULE + "      foo: 1\n"}, "loadErrors", "unknown field", 9),
        ({"a.yaml": HEAD + RULE, "b.yaml": HEAD + RULE}, "lintErrors", "duplicate definition", 3),
        ({"a.yaml": HEAD + "  scope: x\n" + RULE}, "lintErrors", "missing scope", 3),
    ],
)
def test_the_json_names_stage_file_kind_and_line(
    files: dict[str, str], field: str, error: str, line: int, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = policy_test(tmp_path, "--format=json")
    assert done.returncode == 3
    found = json.loads(done.stdout)
    assert list(found) == [field]
    first = found[field]["errors"][0]
    assert (first["file"], first["error"]) == (max(files), error)
    assert first["position"]["line"] == line
    assert first["code"].startswith("OST-POL-")
    people = policy_test(tmp_path)
    assert people.returncode == 3
    assert f"{max(files)}:{line}:" in people.stderr
    assert people.stdout == ""


def test_a_second_policy_of_a_shipped_kind_is_pointed_to_policy_new(tmp_path: Path) -> None:
    (tmp_path / "file.yaml").write_text(HEAD.replace("doc", "file") + RULE)
    done = policy_test(tmp_path, "--packs")
    assert done.returncode == 3
    assert "ostiary policy new" in done.stderr


def test_a_layer_is_compiled_with_the_packs_below_it_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "file.yaml").write_text(HEAD.replace("doc", "file") + "  scope: site\n" + RULE)
    done = policy_test(tmp_path)
    assert done.returncode == 0
    assert "shipped packs" in done.stderr
    assert policy_test(tmp_path, "--no-packs").returncode == 3
    assert policy_test(tmp_path, "--format=json").stderr == ""


def test_nothing_to_test_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(HEAD + RULE)
    done = policy_test(tmp_path)
    assert done.returncode == 0
    assert "0 tests executed" in done.stdout
    assert json.loads(policy_test(tmp_path, "--format=json").stdout) == {"summary": {}}


def test_failures_end_with_four_and_compiling_alone_does_not_run_them(tmp_path: Path) -> None:
    (tmp_path / "a_test.yaml").write_text(SUITES["base"] + SUITES["cases"]["outputs"])
    policies = CORPUS / "policies"
    assert policy_test(policies, f"--tests={tmp_path}").returncode == 4
    assert policy_test(policies, f"--tests={tmp_path}", "--skip-tests").returncode == 0
    assert policy_test(policies, f"--tests={tmp_path}", "--test-filter=test=right").returncode == 0
    wrong = policy_test(policies, f"--tests={tmp_path}", "--test-filter=colour=red")
    assert wrong.returncode == 2
    assert "suite, test, principal, resource, action" in wrong.stderr


def test_a_missing_schema_is_an_error_unless_schemas_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        HEAD + "  schemas: {resourceSchema: {ref: 'cerbos:///none.json'}}\n" + RULE
    )
    assert policy_test(tmp_path).returncode == 3
    assert policy_test(tmp_path, "--ignore-schemas").returncode == 0


def test_strict_evaluation_can_be_asked_for_from_outside(tmp_path: Path) -> None:
    (tmp_path / "a_test.yaml").write_text(SUITES["base"] + SUITES["cases"]["strict"])
    policies = CORPUS / "policies"
    chosen = (f"--tests={tmp_path}", "--test-filter=test=loose")
    assert policy_test(policies, *chosen).returncode == 0
    assert policy_test(policies, *chosen, "--strict-evaluation").returncode == 4


@pytest.mark.pdp
def test_the_junit_report_counts_as_that_of_cerbos(tmp_path: Path) -> None:
    for name in ("plain", "outputs", "skip", "skip_suite", "unknown_principal"):
        (tmp_path / f"{name}_test.yaml").write_text(SUITES["base"] + SUITES["cases"][name])
    ours = ET.fromstring(policy_test(CORPUS / "policies", f"--tests={tmp_path}", "--format=junit").stdout)
    theirs = ET.fromstring(
        cerbos_compile(f"--tests={tmp_path}", "--test-output=junit", CORPUS / "policies").stdout
    )
    assert ours.attrib == theirs.attrib
    assert [suite.attrib for suite in ours] == [suite.attrib for suite in theirs]
    for own, their in zip(ours, theirs, strict=True):
        assert [case.attrib for case in own.iter("testcase")] == [
            case.attrib for case in their.iter("testcase")
        ]
        failures = [
            [(item.get("type"), item.get("message")) for item in case.iter("failure")]
            for case in own.iter("testcase")
        ]
        assert failures == [
            [(item.get("type"), item.get("message")) for item in case.iter("failure")]
            for case in their.iter("testcase")
        ]
