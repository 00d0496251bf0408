"""Managed settings: hooks that neither the project nor the user can take away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.client.cases import wrong
from tests.client.claude import SKIP_PERMISSIONS, run_claude
from tests.client.conftest import StartGateway
from tests.client.core import core, furnish, misrecorded
from tests.client.core_calls import TOOLS
from tests.client.managed import ManagedSettings
from tests.client.records import of_call, records
from tests.client.script import Call, Script
from tests.client.settings import hooks
from tests.client.web_host import WebHost
from tests.client.workplace import Workplace

pytestmark = [pytest.mark.client, pytest.mark.usefixtures("private_etc")]


def test_every_tool_does_what_policy_says_under_managed_settings(
    place: Workplace, host: WebHost, scratch: Path, tmp_path: Path, start_gateway: StartGateway
) -> None:
    gateway = start_gateway({"mode": "enforce"})
    furnish(place)
    played = core(place, host, scratch)
    managed = ManagedSettings(
        tmp_path / "managed",
        {
            **hooks(gateway.hooks_url, block=True),
            "allowManagedHooksOnly": True,
            "skipWebFetchPreflight": True,
        },
    )

    session = run_claude(
        place,
        played.script,
        SKIP_PERMISSIONS,
        f"--mcp-config={place.project / '.mcp.json'}",
        f"--tools={','.join(TOOLS)}",
        environment={"NODE_EXTRA_CA_CERTS": str(host.ca_file)},
        wrapper=managed.wrapper,
    )

    assert wrong(played.cases, session, enforced=True) == []
    assert misrecorded(records(gateway.data_dir), played, session, enforced=True) == []


def test_a_call_that_the_client_asks_about_twice_leaves_one_record_and_a_repeat(
    place: Workplace, tmp_path: Path, start_gateway: StartGateway
) -> None:
    gateway = start_gateway({"mode": "enforce"})
    managed = ManagedSettings(tmp_path / "managed", hooks(gateway.hooks_url, block=True))
    monitor = {"description": "d", "timeout_ms": 1000, "persistent": False, "command": "echo x > monitor.txt"}
    script = Script(
        [Call("search", "ToolSearch", {"query": "select:Monitor"}), Call("monitor", "Monitor", monitor)]
    )

    run_claude(place, script, SKIP_PERMISSIONS, wrapper=managed.wrapper)

    found = of_call(records(gateway.data_dir), script.id_of("monitor"))
    assert [record["type"] for record in found] == ["call", "repeat"]
    assert found[1]["first"] == found[0]["decision_id"]
    assert "operations" not in found[1]
    assert not any(record.get("flags") for record in found)
    assert (place.project / "monitor.txt").exists()


def test_nothing_is_written_under_etc(place: Workplace, tmp_path: Path, start_gateway: StartGateway) -> None:
    gateway = start_gateway({"mode": "enforce"})
    managed = ManagedSettings(tmp_path / "managed", hooks(gateway.hooks_url, block=True))
    targets = ["/etc/ostiary-was-here", "/etc/cron.d/x", "/etc/claude-code/managed-settings.json"]
    script = Script([Call(target, "Write", {"file_path": target, "content": "{}"}) for target in targets])

    session = run_claude(place, script, SKIP_PERMISSIONS, wrapper=managed.wrapper)

    assert set(session.verdicts.values()) == {"denied"}
    left = {str(file.relative_to(managed.written)) for file in managed.written.rglob("*") if file.is_file()}
    assert left == {"claude-code/managed-settings.json"}
    assert json.loads((managed.written / "claude-code" / "managed-settings.json").read_text())["hooks"]
