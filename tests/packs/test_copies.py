"""`policy init` and `policy export`: what they write compiles, tests itself, and serves; nothing is overwritten."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from adapters.pdp.cerbos_http import CerbosHttpPdp, CerbosSettings
from adapters.pdp.local import LocalPdp
from gateway.assurance import canary
from gateway.cli import root
from gateway.policy_sets.pack_copies import kinds_of, pdp_store, site_start
from gateway.policy_sets.packs import pack_files, shipped_packs
from tests.support.enforcement import PACKS, Pep, engine_of, person
from tests.support.payloads import pre_tool_use
from tests.support.processes import CerbosProcess, cerbos_binary


def run(*argv: str) -> tuple[int, str]:
    done = CliRunner().invoke(root, ["policy", *argv])
    code = getattr(done.exception, "exit_status", done.exit_code) if done.exception else done.exit_code
    return code, done.output


def compile_with_cerbos(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(cerbos_binary()), "compile", "--output=json", str(directory)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def uncommented(text: str) -> str:
    """A start with every rule and test in it taken: the comment marks of its body removed, its head kept."""
    lines = text.splitlines(keepends=True)
    head = next(at for at, line in enumerate(lines) if not line.startswith("#"))
    return "".join(lines[:head] + [line.removeprefix("# ") for line in lines[head:]])


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A start, as `policy init` writes it."""
    code, _ = run("init", str(tmp_path / "own"))
    assert code == 0
    return tmp_path / "own"


@pytest.fixture
def both(own: Path, tmp_path: Path) -> Path:
    """A store with the shipped packs and the start."""
    store = tmp_path / "store"
    assert run("export", "--for", "cerbos", str(store))[0] == 0
    shutil.copytree(own, store / "own")
    return store


@pytest.mark.pdp
def test_the_shipped_packs_compile_and_pass_their_tests_on_the_real_compiler():
    done = compile_with_cerbos(PACKS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"RESULT_FAILED"' not in done.stdout


def test_the_shipped_packs_pass_their_tests_on_our_own_runner():
    code, output = run("test", str(PACKS))
    assert code == 0, output


def test_a_start_has_a_policy_and_a_suite_for_every_kind_of_the_packs(own):
    kinds = kinds_of(pack_files(shipped_packs()))
    assert {file.name for file in own.iterdir()} == {
        f"{kind}{ending}" for kind in kinds for ending in (".yaml", "_test.yaml")
    }


@pytest.mark.pdp
def test_a_start_compiles_with_the_packs_on_the_real_compiler_and_its_tests_pass(both):
    done = compile_with_cerbos(both)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_start_compiles_with_the_packs_here_and_its_tests_pass(own):
    engine_of(PACKS, own)
    code, output = run("test", str(own))
    assert code == 0, output


def test_a_start_stops_nothing_and_loosens_nothing(own):
    pep = Pep(pdp=LocalPdp(engine_of(PACKS, own), lambda: 0))
    assert pep.word(pre_tool_use("Write", {"file_path": "/home/dev/project/a.py", "content": "x"})) == "pass"
    assert pep.word(pre_tool_use("Read", {"file_path": "/home/dev/project/.env"})) == "deny"
    assert (
        pep.word(pre_tool_use("Write", {"file_path": "/home/dev/project/.gitlab-ci.yml", "content": "x"}))
        == "ask"
    )
    assert pep.word(pre_tool_use("WebFetch", {"url": "http://169.254.169.254/", "prompt": "p"})) == "deny"


@pytest.mark.pdp
def test_every_rule_and_test_of_a_start_can_be_taken(both):
    for file in (both / "own").iterdir():
        file.write_text(uncommented(file.read_text()))
    done = compile_with_cerbos(both)
    assert done.returncode == 0, done.stdout + done.stderr
    rules = [rule.name for rule in engine_of(both).rules()]
    shipped = [rule.name for rule in engine_of(PACKS).rules() if rule.name != "baseline.canary"]
    assert {name.replace("baseline.", "site.") for name in shipped} <= set(rules)


def test_a_rule_of_ones_own_tightens(own):
    file = own / "host.yaml"
    file.write_text(
        uncommented(file.read_text()).replace('"metadata" in R.attr.groups', '"loopback" in R.attr.groups')
    )
    pep = Pep(pdp=LocalPdp(engine_of(PACKS, own), lambda: 0))
    answered = pep.ask(pre_tool_use("WebFetch", {"url": "http://localhost:3000/", "prompt": "p"}), person())
    assert answered.answer.word == "deny"
    assert {reason.rule for reason in answered.record.reasons} >= {"site.cloud_metadata"}


@pytest.mark.parametrize("command", [["init"], ["export", "--for", "cerbos"]])
def test_nothing_is_overwritten_and_nothing_half_written(command, tmp_path):
    mine = tmp_path / "mine" / ("file.yaml" if command == ["init"] else "baseline/file.yaml")
    mine.parent.mkdir(parents=True)
    mine.write_text("mine\n")
    code, _ = run(*command, str(tmp_path / "mine"))
    assert code == 2
    assert mine.read_text() == "mine\n"
    assert [path for path in (tmp_path / "mine").rglob("*") if path.is_file()] == [mine]


@pytest.mark.parametrize("command", [["init"], ["export", "--for", "cerbos"]])
def test_a_place_that_cannot_be_written_is_said(command, tmp_path):
    (tmp_path / "file").write_text("x")
    code, _ = run(*command, str(tmp_path / "file" / "below"))
    assert code == 2


def test_other_files_beside_are_left_alone(tmp_path):
    (tmp_path / "app.yaml").write_text("mine\n")
    assert run("export", "--for", "cerbos", str(tmp_path))[0] == 0
    assert (tmp_path / "app.yaml").read_text() == "mine\n"


def test_what_was_written_is_told_as_json(tmp_path):
    code, output = run("export", "--for", "cerbos", str(tmp_path / "store"), "--json")
    assert code == 0
    told = json.loads(output)
    assert set(told) == {"directory", "for", "kind_prefix", "files"}
    assert {"baseline/canary.yaml", "_schemas/file.json"} <= set(told["files"])
    told = json.loads(run("init", str(tmp_path / "own"), "--json")[1])
    assert set(told) == {"directory", "files"}
    assert all((tmp_path / "own" / name).is_file() for name in told["files"])


def test_an_export_without_its_target_is_a_wrong_call(tmp_path):
    assert run("export", str(tmp_path / "x"))[0] == 2


def ask_canary(url: str, prefix: str = "") -> str:
    async def ask() -> str:
        pdp = CerbosHttpPdp(CerbosSettings(url=url), lambda: 0, lambda _code, _seconds: None)
        try:
            return await canary.ask_canary(pdp, 10.0, prefix)
        finally:
            await pdp.close()

    return asyncio.run(ask())


@pytest.mark.pdp
@pytest.mark.parametrize("prefix", ["", "agent:"])
def test_a_pdp_over_an_export_lets_no_canary_live(prefix, tmp_path):
    store = tmp_path / "store"
    argv = ["--kind-prefix", prefix] if prefix else []
    assert run("export", "--for", "cerbos", str(store), *argv)[0] == 0
    done = compile_with_cerbos(store)
    assert done.returncode == 0, done.stdout + done.stderr
    with CerbosProcess(tmp_path / "pdp", store) as pdp:
        assert ask_canary(pdp.url, prefix) == ""
        assert ask_canary(pdp.url, "other:") != ""


def test_a_prefix_stands_before_every_kind():
    files = pdp_store(pack_files(shipped_packs()), "agent:")
    policies = [text for path, text in files.items() if not path.startswith("_schemas/")]
    assert policies
    assert all('  resource: "agent:' in text for text in policies)
    assert not [path for path in files if path.endswith("_test.yaml")]


def test_a_start_says_of_what_it_is_a_copy():
    for name, text in site_start(pack_files(shipped_packs())).items():
        assert text.startswith("# ")
        assert "baseline." not in text.replace("packs: {baseline.<rule>: false}", ""), name
