"""Posture: who could change what governs him, found on real directories with real owners and modes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.assurance.posture import judge
from tests.support.processes import ROOT, GatewayProcess, free_port, wait_until

OTHER_UID = 54321
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def judged(*places: Path) -> tuple[str, str]:
    found = judge(places, own_uid=os.geteuid(), uses_default_principal=False)
    return found.posture, " ".join(found.reasons)


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    directory = tmp_path / "etc" / "policies"
    directory.mkdir(parents=True)
    (directory / "site.yaml").write_text("apiVersion: api.cerbos.dev/v1\n")
    return directory


def test_what_only_its_owner_can_write_is_held(policies):
    assert judged(policies) == ("held", "")


@pytest.mark.parametrize("mode", [0o775, 0o777, 0o1777, 0o757])
def test_a_directory_others_can_write_is_named_with_owner_and_mode(policies, mode):
    policies.chmod(mode)
    posture, reasons = judged(policies)
    assert posture == "advisory"
    assert str(policies) in reasons
    assert f"{mode:04o}" in reasons


def test_a_file_in_it_that_others_can_write_is_named(policies):
    (policies / "site.yaml").chmod(0o664)
    assert "site.yaml" in judged(policies)[1]


def test_a_parent_that_others_can_write_is_named(policies):
    policies.parent.chmod(0o770)
    posture, reasons = judged(policies)
    assert posture == "advisory"
    assert f"{policies.parent} (" in reasons


def test_a_sticky_directory_on_the_way_keeps_what_is_ours(policies):
    policies.parent.chmod(0o1777)
    assert judged(policies)[0] == "held"


def test_a_link_is_judged_by_where_it_lies_and_by_where_it_points(tmp_path, policies):
    open_folder = tmp_path / "open"
    open_folder.mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(policies)
    assert judged(link)[0] == "held"
    policies.chmod(0o777)
    assert str(policies) in judged(link)[1]
    policies.chmod(0o755)
    other = open_folder / "link"
    other.symlink_to(policies)
    open_folder.chmod(0o777)
    assert str(open_folder) in judged(other)[1]


def test_a_link_inside_that_leads_out_is_followed(tmp_path, policies):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(0o777)
    (policies / "more").symlink_to(elsewhere)
    assert str(elsewhere) in judged(policies)[1]


def test_a_circle_of_links_is_not_held(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert "circle" in judged(tmp_path / "a")[1]


def test_a_place_that_will_be_made_is_judged_by_what_is_there(tmp_path):
    assert judged(tmp_path / "new" / "data")[0] == "held"
    tmp_path.chmod(0o770)
    assert str(tmp_path) in judged(tmp_path / "new")[1]


@NEEDS_ROOT
def test_what_belongs_to_another_user_is_named(policies):
    os.chown(policies / "site.yaml", OTHER_UID, OTHER_UID)
    posture, reasons = judged(policies)
    assert posture == "advisory"
    assert f"owner {OTHER_UID}" in reasons


@NEEDS_ROOT
def test_what_belongs_to_root_is_held_for_any_user(policies):
    found = judge([policies], own_uid=OTHER_UID, uses_default_principal=False)
    assert found.posture == "held"


def config(tmp_path: Path, policies: Path) -> Path:
    file = tmp_path / "etc" / "ostiary.yaml"
    file.write_text(
        f"posture: held\npolicies: [{policies}]\n"
        f"identity:\n  tokens: [{{hash: 'sha256:{'0' * 64}', user: alice, roles: [engineer]}}]\n"
    )
    (policies / "site.yaml").unlink()
    return file


def serve(tmp_path: Path, file: Path) -> subprocess.CompletedProcess[str]:
    argv = [
        sys.executable,
        "-m",
        "gateway.cli",
        "serve",
        f"--config={file}",
        "--data-dir",
        str(tmp_path / "data"),
    ]
    argv += ["--listen", f"127.0.0.1:{free_port()}", "--admin-listen", f"127.0.0.1:{free_port()}"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        argv, check=False, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )


def held_is_possible(tmp_path: Path) -> bool:
    found = judge([Path(ROOT, "gateway"), tmp_path], own_uid=os.geteuid(), uses_default_principal=False)
    return found.posture == "held"


def test_held_refuses_to_start_where_policies_can_be_changed(tmp_path, policies):
    file = config(tmp_path, policies)
    policies.chmod(0o775)
    ended = serve(tmp_path, file)
    assert ended.returncode == 2
    for part in ("posture: held", str(policies), "owner", "0775", "chmod"):
        assert part in ended.stderr


def test_held_refuses_a_data_directory_that_others_could_write_instead_of_mending_it(tmp_path, policies):
    file = config(tmp_path, policies)
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o777)
    ended = serve(tmp_path, file)
    assert ended.returncode == 2
    assert f"{tmp_path / 'data'} (" in ended.stderr


def test_held_refuses_to_reload_what_became_writable_and_keeps_the_last_good_set(tmp_path, policies):
    if not held_is_possible(tmp_path):
        pytest.skip("the source tree itself can be written by others here")
    file = config(tmp_path, policies)
    with GatewayProcess(tmp_path / "gateway", config=file) as gateway:
        policies.chmod(0o775)
        gateway.process.send_signal(1)
        wait_until(lambda: str(policies) in gateway.output, "the refusal to reload")
        assert gateway.process.poll() is None


def test_a_held_gateway_cannot_be_inspected_by_its_own_user(tmp_path, policies):
    if not held_is_possible(tmp_path) or not sys.platform.startswith("linux"):
        pytest.skip("held is not possible here")
    with GatewayProcess(tmp_path / "gateway", config=config(tmp_path, policies)) as gateway:
        limits = Path(f"/proc/{gateway.process.pid}/limits").read_text()
        core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        assert core.split()[4:6] == ["0", "0"]


def test_a_process_can_make_itself_undumpable():
    code = "from gateway.processes.hardening import forbid_inspection; print(forbid_inspection())"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout.strip() == str(sys.platform.startswith("linux"))


def test_held_without_any_credential_is_refused(tmp_path):
    file = tmp_path / "ostiary.yaml"
    file.write_text("posture: held\n")
    ended = serve(tmp_path, file)
    assert ended.returncode == 2
    assert "default principal" in ended.stderr
