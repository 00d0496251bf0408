"""Status and version: what governs here, what was stopped last, and which contracts this version keeps."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import msgspec

from gateway.cli.status import body_of
from gateway.domain.query import Row
from gateway.domain.record import Record, RecordedOperation, RecordedPrincipal, RecordedReason
from gateway.versions import JSON_OUTPUTS
from tests.cli.test_doctor import STATUS
from tests.support.cli import GOLDEN, golden, ostiary
from tests.support.payloads import pre_tool_use
from tests.support.processes import GatewayProcess


def post(gateway: GatewayProcess, tool: str, tool_input: dict[str, Any], token: str = "") -> None:
    headers = {"Content-Type": "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    body = json.dumps(pre_tool_use(tool, tool_input)).encode()
    urllib.request.urlopen(
        urllib.request.Request(gateway.hooks_url, data=body, headers=headers), timeout=10
    ).close()


def test_it_tells_mode_policy_posture_and_the_last_stops(gateway, tmp_path):
    post(gateway, "Read", {"file_path": "/home/dev/project/.env"})
    post(gateway, "Read", {"file_path": "/home/dev/project/a.py"})
    ended = ostiary("status", "--data-dir", gateway.data_dir, home=tmp_path)
    assert ended.returncode == 0, ended.stderr
    for part in (
        "observe:",
        "revision",
        "advisory",
        "ready",
        "would deny",
        ".env",
        "secrets.files",
        "why ID",
    ):
        assert part in ended.stdout
    assert "a.py" not in ended.stdout


def test_nothing_stopped_is_told(gateway, tmp_path):
    ended = ostiary("status", "--data-dir", gateway.data_dir, home=tmp_path)
    assert "Nothing was stopped" in ended.stdout
    quiet = ostiary("status", "--stops", "0", "--json", "--data-dir", gateway.data_dir, home=tmp_path)
    assert json.loads(quiet.stdout)["stops"] == []


def test_without_a_gateway_it_says_how_to_start_one(tmp_path):
    ended = ostiary("status", "--data-dir", tmp_path / "none", home=tmp_path)
    assert ended.returncode == 2
    assert "ostiary serve" in ended.stderr


def test_with_a_credential_it_needs_no_right_to_the_data_directory(tmp_path):
    entries = {}
    for user, kind in (("alice", "viewer"), ("alice", "agent"), ("bob", "agent")):
        made = ostiary(
            "token", "new", "--user", user, "--class", kind, "--role", "engineer", "--json", home=tmp_path
        )
        entries[user, kind] = json.loads(made.stdout)
    config = tmp_path / "ostiary.yaml"
    tokens = [made["entry"] for made in entries.values()]
    config.write_text(json.dumps({"identity": {"tokens": tokens}}))
    with GatewayProcess(tmp_path / "gateway", config=config) as gateway:
        post(gateway, "Read", {"file_path": "/home/dev/project/.env"}, entries["alice", "agent"]["token"])
        post(gateway, "Read", {"file_path": "/home/dev/project/.env"}, entries["bob", "agent"]["token"])
        viewer = {"OSTIARY_TOKEN": entries["alice", "viewer"]["token"]}
        ended = ostiary("status", "--url", gateway.admin_url, home=tmp_path, environment=viewer)
        assert ended.returncode == 0, ended.stderr
        assert "would deny" in ended.stdout
        assert "alice" in ended.stdout
        assert "bob" not in ended.stdout
        refused = ostiary("status", "--url", gateway.admin_url, home=tmp_path)
        assert refused.returncode == 2
        assert "OSTIARY_TOKEN" in refused.stderr


def test_the_json_output_is_a_public_surface():
    record = Record(
        schema="ostiary.record/1",
        type="call",
        decision_id="01890a5d-ac96-774b-bcce-b302099a8057",
        ts=1_700_000_000_000_000_000,
        tool="Read",
        event="PreToolUse",
        principal=RecordedPrincipal(id="alice", roles=("engineer",)),
        operations=(
            RecordedOperation(kind="file", action="read", id="/p/.env", attr={"groups": ["secrets"]}),
        ),
        mode="observe",
        decision="deny",
        answer="pass",
        reasons=(RecordedReason(rule="secrets.files"),),
    )
    status = {**STATUS, "instance": "host-000000", "started": 1, "admin": ""}
    golden("status", json.loads(msgspec.json.encode(body_of(status, [Row(record=record)]))))


def test_version_names_every_contract(tmp_path):
    ended = ostiary("version", "--json", home=tmp_path)
    document = json.loads(ended.stdout)
    assert document["schema"] == "ostiary.version/1"
    document |= {"python": "3.x", "ostiary": "x"}
    golden("version", document)
    told = ostiary("version", home=tmp_path).stdout
    for name in document:
        assert name == "schema" or name in told


def test_every_output_of_ours_has_a_golden_file():
    files = {
        "ostiary.config/1": "config-show",
        "ostiary.config-key/1": "config-explain",
        "ostiary.doctor/1": "doctor-green",
        "ostiary.status/1": "status",
        "ostiary.token/1": "token-new",
        "ostiary.version/1": "version",
    }
    assert set(files) == set(JSON_OUTPUTS)
    assert all((GOLDEN / f"{name}.json").exists() for name in files.values())
