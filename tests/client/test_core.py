"""The same session of the real client under both backends and both modes: what is forbidden, and only that, is stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.client.cases import wrong
from tests.client.claude import SKIP_PERMISSIONS, run_claude
from tests.client.conftest import StartGateway
from tests.client.core import core, furnish, misrecorded
from tests.client.core_calls import TOOLS
from tests.client.records import records
from tests.client.settings import hooks
from tests.client.web_host import WebHost
from tests.client.workplace import Workplace

pytestmark = pytest.mark.client
TOOLS_THAT_RAN = 20


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_every_tool_does_what_policy_says_and_is_recorded(
    mode: str,
    backend: dict[str, object],
    place: Workplace,
    host: WebHost,
    scratch: Path,
    start_gateway: StartGateway,
) -> None:
    enforced = mode == "enforce"
    gateway = start_gateway({"mode": mode, **backend})
    furnish(place)
    place.settings(hooks(gateway.hooks_url, block=enforced), {"skipWebFetchPreflight": True})
    played = core(place, host, scratch)

    session = run_claude(
        place,
        played.script,
        SKIP_PERMISSIONS,
        f"--mcp-config={place.project / '.mcp.json'}",
        "--tools",
        ",".join(TOOLS),
        environment={"NODE_EXTRA_CA_CERTS": str(host.ca_file)},
    )

    assert wrong(played.cases, session, enforced=enforced) == []
    ran = {call.tool for call in played.script.calls if session.verdict(call.name) == "ran"}
    assert len(ran) >= TOOLS_THAT_RAN, sorted(ran)
    assert misrecorded(records(gateway.data_dir), played, session, enforced=enforced) == []
