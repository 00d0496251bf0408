"""The exposition through the eyes of Prometheus' own checker."""

from __future__ import annotations

import shutil
import subprocess
import urllib.request

import pytest

from tests.support.http import post
from tests.support.payloads import pre_tool_use, recorded
from tests.support.processes import GatewayProcess

pytestmark = pytest.mark.system


@pytest.fixture
def promtool(request: pytest.FixtureRequest) -> str:
    """The checker; without it the test is not run, or fails where system parts are demanded."""
    found = shutil.which("promtool")
    if found is None:
        if request.config.getoption("--require-system"):
            pytest.fail("promtool is missing: apt-get install prometheus")
        pytest.skip("promtool is not installed")
    return found


def test_the_metrics_are_clean(promtool: str, gateway: GatewayProcess) -> None:
    for payload in [*recorded().values(), pre_tool_use("Bash", {"command": "cat .env"})]:
        post(gateway, payload)
    with urllib.request.urlopen(f"{gateway.admin_url}/metrics", timeout=10) as reply:
        text = reply.read()
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stderr == b""
