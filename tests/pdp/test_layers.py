"""Layers are asked separately and never inherited: a site tightens the packs and loosens nothing, on any backend."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.pdp.cerbos_http import CerbosHttpPdp, CerbosSettings
from adapters.pdp.local import LocalPdp
from gateway.clock import stopwatch
from gateway.domain.ports import Pdp
from tests.support.enforcement import Pep, engine_of, person
from tests.support.payloads import PROJECT, pre_tool_use
from tests.support.processes import CerbosProcess, free_port

POLICIES = Path(__file__).parent / "layers"


@pytest.fixture(scope="module", params=["local", "strict", "lenient"])
def backend(request, tmp_path_factory) -> Iterator[tuple[str, CerbosProcess | None]]:
    if request.param == "local":
        yield "local", None
        return
    port = free_port()
    config = (
        f"server:\n  httpListenAddr: 127.0.0.1:{port}\n  grpcListenAddr: 127.0.0.1:{free_port()}\n"
        f"engine:\n  lenientScopeSearch: {str(request.param == 'lenient').lower()}\n"
        f"storage:\n  driver: disk\n  disk:\n    directory: {POLICIES}\n    watchForChanges: false\n"
        "telemetry:\n  disabled: true\n"
    )
    with CerbosProcess(tmp_path_factory.mktemp("pdp"), POLICIES, config=config, port=port) as running:
        yield request.param, running


@pytest_asyncio.fixture
async def pdp(backend) -> AsyncIterator[Pdp]:
    process = backend[1]
    if process is None:
        yield LocalPdp(engine_of(POLICIES), lambda: 0)
        return
    settings = CerbosSettings(url=process.url, timeout_seconds=20.0, layers=("site",))
    remote = CerbosHttpPdp(settings, stopwatch, lambda *_: None)
    yield remote
    await remote.close()


@pytest.mark.pdp
@pytest.mark.parametrize(
    ("tool", "path", "word", "rule"),
    [
        ("Read", ".env", "deny", "root.no_secrets"),
        ("Write", ".env", "deny", "root.no_secrets"),
        ("Write", ".github/workflows/ci.yml", "ask", "root.ci"),
        ("Read", "data/.env", "deny", "root.no_secrets"),
        ("Read", "data/table.csv", "ask", "site.data"),
        ("Write", "frozen/a", "deny", "site.frozen"),
        ("Read", "frozen/a", "pass", None),
        ("Write", "src/app.py", "pass", None),
    ],
)
async def test_the_strictest_layer_wins(pdp, tool, path, word, rule):
    content = {"content": "x"} if tool == "Write" else {}
    payload = pre_tool_use(tool, {"file_path": f"{PROJECT}/{path}", **content})
    answered = await Pep(pdp=pdp).ask_waiting(payload)
    assert answered.answer.word == word
    if rule is not None:
        assert answered.record.reasons[0].rule == rule


@pytest.mark.pdp
async def test_a_role_the_site_gives_nothing_is_decided_by_the_root(pdp):
    payload = pre_tool_use("Read", {"file_path": f"{PROJECT}/src/app.py"})
    answered = await Pep(pdp=pdp).ask_waiting(payload, person("max", "marketing"))
    assert answered.answer.word == "pass"


@pytest.mark.pdp
async def test_a_kind_the_site_says_nothing_about_is_decided_by_the_root(pdp):
    """In a lenient search the root answers for the site too; either way the site's silence decides nothing."""
    payload = pre_tool_use("WebFetch", {"url": "https://example.org/", "prompt": "x"})
    answered = await Pep(pdp=pdp).ask_waiting(payload)
    assert (answered.answer.word, answered.record.decision) == ("pass", "no_policy")
