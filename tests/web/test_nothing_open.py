"""What nobody wrote a policy for is not open: empty sets, empty backends, unknown tools, and the time before the start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.http import get, metric, post, send, wait_for_record, word
from tests.support.payloads import PROJECT, pre_tool_use
from tests.support.pdp_stub import PdpStub
from tests.support.processes import ROOT, CerbosProcess, GatewayProcess, free_port, wait_until

SYSTEM = {"file_path": "/etc/x", "content": "x"}
DISABLED = """apiVersion: api.cerbos.dev/v1
disabled: true
resourcePolicy:
  version: default
  resource: note
  rules:
    - {name: site.any, actions: ["*"], effect: EFFECT_ALLOW, roles: ["*"]}
"""


def write_system() -> dict:
    return pre_tool_use("Write", SYSTEM)


@contextmanager
def enforcing(directory: Path, **settings: object) -> Iterator[GatewayProcess]:
    named = {name.replace("__", "."): value for name, value in settings.items()}
    with GatewayProcess(directory, {"mode": "enforce", **named}) as running:
        yield running


def serve_once(directory: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    """Run `ostiary serve` that is expected to end by itself."""
    argv = [sys.executable, "-m", "gateway.cli", "serve", "--data-dir", str(directory / "data")]
    argv += ["--listen", f"127.0.0.1:{free_port()}", "--admin-listen", f"127.0.0.1:{free_port()}"]
    for setting in settings:
        argv += ["--set", setting]
    environment = {"HOME": str(directory), "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        argv, capture_output=True, text=True, timeout=60, env=environment, cwd=directory, check=False
    )


def test_an_empty_directory_of_policies_leaves_the_packs_in_force(tmp_path):
    (tmp_path / "empty").mkdir()
    with enforcing(tmp_path / "gateway", policies=f"[{tmp_path}/empty]") as gateway:
        assert word(post(gateway, write_system())) == "deny"


def test_disabled_policies_are_no_policies(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    (site / "note.yaml").write_text(DISABLED)
    with enforcing(tmp_path / "gateway", policies=f"[{site}]") as gateway:
        assert word(post(gateway, write_system())) == "deny"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory) -> Iterator[GatewayProcess]:
    with enforcing(tmp_path_factory.mktemp("gateway")) as running:
        yield running


def test_a_tool_nobody_knows_is_asked(gateway):
    assert word(post(gateway, pre_tool_use("Frobnicate", {"x": "y"}))) == "ask"
    record = wait_for_record(gateway, tool="Frobnicate")
    assert record["reasons"][0]["rule"] == "ostiary.unknown_tool"


def test_an_mcp_tool_that_would_write_to_the_system_is_denied_and_one_that_might_or_is_unknown_is_asked(
    gateway,
):
    assert word(post(gateway, pre_tool_use("mcp__filesystem__write_file", {"path": "/etc/x"}))) == "deny"
    assert word(post(gateway, pre_tool_use("mcp__x__write_file", {"path": "/etc/x"}))) == "ask"
    assert word(post(gateway, pre_tool_use("mcp__x__y", {}))) == "ask"


@pytest.mark.pdp
def test_a_real_pdp_on_an_empty_directory_denies_everything_and_is_degraded(tmp_path):
    (tmp_path / "empty").mkdir()
    with (
        CerbosProcess(tmp_path / "pdp", tmp_path / "empty") as pdp,
        enforcing(
            tmp_path / "gateway", backend="cerbos", cerbos__url=pdp.url, no_policy__operation="pass"
        ) as gateway,
    ):
        for payload in (write_system(), pre_tool_use("Read", {"file_path": f"{PROJECT}/a"})):
            assert word(post(gateway, payload)) == "deny"
        record = wait_for_record(gateway, cause="no_policy_loaded")
        assert "ostiary_canary" in record["detail"]
        assert metric(gateway, "ostiary_backend_degraded", condition="canary") == 1
        assert get(f"{gateway.admin_url}/readyz").status == 200


@pytest.mark.pdp
def test_the_real_pdp_with_the_packs_decides_as_the_embedded_engine(cerbos, tmp_path):
    with enforcing(tmp_path / "gateway", backend="cerbos", cerbos__url=cerbos.url) as gateway:
        assert word(post(gateway, write_system())) == "deny"
        assert word(post(gateway, pre_tool_use("Read", {"file_path": f"{PROJECT}/a"}))) == "pass"
        assert metric(gateway, "ostiary_kind_governed", kind="file") == 1
        assert metric(gateway, "ostiary_backend_degraded", condition="strict_scope_search") == 1
        assert "searches scopes strictly" in gateway.output


def test_a_backend_without_meta_is_taken_at_its_word(tmp_path):
    with PdpStub() as stub:
        stub.behaviour = "no_meta"
        with enforcing(tmp_path / "gateway", backend="cerbos", cerbos__url=stub.url) as gateway:
            assert word(post(gateway, write_system())) == "deny"


def test_enforcing_with_a_backend_that_governs_nothing_does_not_start(tmp_path):
    with PdpStub() as stub:
        stub.behaviour = "empty"
        remote = ("backend=cerbos", f"cerbos.url={stub.url}")
        refused = serve_once(tmp_path, "mode=enforce", *remote)
        assert refused.returncode == 2
        assert "holds no policy" in refused.stderr
        assert "no_policy.operation: pass" in refused.stderr
        by_role = serve_once(tmp_path, "modes=[{role: engineer, mode: enforce}]", *remote)
        assert by_role.returncode == 2


def test_observing_or_saying_so_lets_such_a_backend_be_used_and_names_what_is_missing(tmp_path):
    with PdpStub() as stub:
        stub.behaviour = "empty"
        remote = {"backend": "cerbos", "cerbos.url": stub.url}
        for name, settings in {
            "observe": {},
            "said": {"mode": "enforce", "no_policy.operation": "pass"},
        }.items():
            with GatewayProcess(tmp_path / name, {**remote, **settings}) as gateway:
                assert "holds no policy for: file, host" in gateway.output
                assert metric(gateway, "ostiary_backend_degraded", condition="ungoverned_kinds") == 1
                assert metric(gateway, "ostiary_kind_governed", kind="file") == 0


def test_a_backend_that_is_away_at_the_start_is_degraded_not_fatal_and_is_believed_once_it_is_proven(
    tmp_path,
):
    with PdpStub() as stub:
        stub.behaviour = "down"
        with enforcing(tmp_path / "gateway", backend="cerbos", cerbos__url=stub.url) as gateway:
            read = pre_tool_use("Read", {"file_path": f"{PROJECT}/a"})
            assert word(post(gateway, read)) == "deny"
            assert metric(gateway, "ostiary_backend_degraded", condition="away") == 1
            assert get(f"{gateway.admin_url}/readyz").status == 200
            stub.behaviour = "allow"
            assert word(post(gateway, pre_tool_use("Read", {"file_path": f"{PROJECT}/a"}))) == "pass"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://10.0.0.1:3592", "insecure"),
        ("http://pdp.example", "insecure"),
        ("ftp://127.0.0.1", "no http"),
        ("127.0.0.1:3592", "no http"),
        ("http://user:secret@127.0.0.1:3592", "more than"),
        ("http://127.0.0.1:3592/?x=y", "more than"),
    ],
)
def test_a_pdp_that_anybody_could_answer_for_is_refused(tmp_path, url, said):
    done = serve_once(tmp_path, "backend=cerbos", f"cerbos.url={url}")
    assert (done.returncode, said in done.stderr) == (2, True)
    assert "secret" not in done.stderr


def test_before_the_first_check_nothing_listens(tmp_path):
    """The listeners open only after the policies were loaded and the canary denied: there is no early answer."""
    with PdpStub(slow_seconds=1.5) as stub:
        stub.behaviour = "slow"
        settings = ["mode=enforce", "backend=cerbos", f"cerbos.url={stub.url}", "cerbos.timeout_ms=5000"]
        port, admin = free_port(), free_port()
        argv = [sys.executable, "-m", "gateway.cli", "serve", "--data-dir", str(tmp_path / "data")]
        argv += ["--listen", f"127.0.0.1:{port}", "--admin-listen", f"127.0.0.1:{admin}"]
        for setting in settings:
            argv += ["--set", setting]
        environment = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
        with subprocess.Popen(
            argv, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                wait_until(lambda: bool(stub.asked), "the first canary")
                reply = send(f"http://127.0.0.1:{port}/v1/hooks/claude-code", b"{}")
                assert reply.status == 400
                assert len(stub.asked) >= 2
            finally:
                process.terminate()
                process.wait(30)
