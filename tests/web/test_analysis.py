"""Analyses beyond the gate's loop: long commands in the clerk, links on the disk, and what a call gets without them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway import clock
from gateway.config import Config, FactsSection, IdentitySection, Token
from gateway.domain.events import HookEvent
from gateway.domain.operations import Analysis
from gateway.domain.remembered import NOTHING_REMEMBERED
from gateway.facts.analyser import facts_data
from gateway.facts.shell_commands import INLINE_BYTES
from gateway.processes.analyst import AWAY, BUSY, LATE, AnalysisJob, ClerkLink, GateAnalyst
from gateway.processes.disk_links import DiskLinks, links_on_the_way
from gateway.session_work import SessionWork
from gateway.web.analysis_api import AnalysisRoutes
from gateway.wiring_facts import FactsSetup, build_analyser, build_clerk_analysis, build_gate_facts

DATA = facts_data()
SETUP = FactsSetup(config=Config(), places=("/opt/gateway",), listeners=("127.0.0.1:8787",))
LONG = "cat ~/.ssh/id_rsa; " + "echo a; " * 1000
BUSY_COMMAND = "; ".join(f"cat f{number}" for number in range(60))


def bash(command: str, cwd: str = "/home/dev/app") -> HookEvent:
    return tool("Bash", {"command": command}, cwd)


def tool(name: str, given: Mapping[str, Any], cwd: str = "/home/dev/app") -> HookEvent:
    return HookEvent(
        agent="claude-code",
        event="PreToolUse",
        session_id="s",
        tool=name,
        tool_input=given,
        cwd=cwd,
        transcript_path="/home/dev/.claude/projects/-home-dev-app/t.jsonl",
        payload={"tool_name": name, "tool_input": given},
    )


@pytest.mark.parametrize("command", [LONG, BUSY_COMMAND], ids=["long", "many commands"])
def test_what_takes_long_is_put_off_and_what_is_short_is_not(command: str):
    analyser = build_analyser(SETUP, DATA)
    assert analyser.analyse_now(bash(command), NOTHING_REMEMBERED) is None
    short = bash("cat ~/.ssh/id_rsa; echo a")
    assert analyser.analyse_now(short, NOTHING_REMEMBERED) == analyser.analyse(short)


def test_a_short_command_that_runs_a_long_file_is_put_off():
    work = SessionWork()
    own = (("a",), "claude-code", "s")
    analyser = build_analyser(SETUP, DATA)
    write = tool("Write", {"file_path": "/home/dev/app/x.sh", "content": "echo a\n" * INLINE_BYTES})
    work.keep(own, analyser.analyse(write).left, "c")
    assert analyser.analyse_now(bash("bash x.sh"), work.view(own)) is None
    assert analyser.analyse_now(bash("bash y.sh"), work.view(own)) is not None


async def serve(tmp_path: Path, routes: list[web.RouteDef]) -> tuple[web.AppRunner, Path]:
    application = web.Application(client_max_size=16 * 1024 * 1024)
    application.add_routes(routes)
    runner = web.AppRunner(application)
    await runner.setup()
    socket = tmp_path / "q.sock"
    await web.UnixSite(runner, str(socket)).start()
    return runner, socket


@pytest.mark.parametrize(
    "command", [LONG, BUSY_COMMAND, "echo é; " * 1000], ids=["long", "many", "not ascii"]
)
async def test_the_clerk_says_what_the_gate_would_have_said(tmp_path: Path, command: str):
    runner, socket = await serve(tmp_path, AnalysisRoutes(build_clerk_analysis(), clock.stopwatch).routes())
    config = Config(facts=FactsSection(groups={"secrets": ("/srv/keys/**",)}))
    setup = FactsSetup(config=config, places=("/opt/gateway",), listeners=("127.0.0.1:8787",))
    gate = build_gate_facts(setup, DATA, socket)
    event = bash(f"cat /srv/keys/a; {command}")
    try:
        assert gate.analyst.wanted(gate.analyser.analyse_now(event, NOTHING_REMEMBERED))
        found = await gate.analyst.complete(event, NOTHING_REMEMBERED, None)
    finally:
        await gate.close()
        await runner.cleanup()
    assert msgspec.to_builtins(found) == msgspec.to_builtins(build_analyser(setup, DATA).analyse(event))
    assert "secrets" in found.groups


async def test_no_credential_goes_to_the_clerk(tmp_path: Path):
    asked: list[bytes] = []

    async def keep(request: web.Request) -> web.Response:
        asked.append(await request.read())
        return web.Response(status=400)

    runner, socket = await serve(tmp_path, [web.post("/v1/analysis", keep)])
    token = Token(hash="sha256:" + "c0ffee00" * 8, user="ada")
    config = Config(identity=IdentitySection(tokens=(token,)))
    gate = build_gate_facts(FactsSetup(config=config, places=(), listeners=()), DATA, socket)
    await gate.analyst.complete(bash(LONG), NOTHING_REMEMBERED, None)
    await gate.close()
    await runner.cleanup()
    assert asked
    assert b"c0ffee00" not in asked[0]


async def test_without_a_clerk_the_call_is_told_as_not_analysed_and_guarded_names_are_still_found(
    tmp_path: Path,
):
    gate = build_gate_facts(SETUP, DATA, tmp_path / "nobody.sock")
    found = await gate.analyst.complete(bash(LONG), NOTHING_REMEMBERED, None)
    await gate.close()
    assert found.limits_hit == (AWAY,)
    assert found.opaque
    assert "secrets" in {name for one in found.operations for name in one.attr["groups"]}


async def test_a_clerk_that_is_late_or_has_too_much_to_do_costs_only_the_analysis(
    tmp_path: Path, monkeypatch
):
    monkeypatch.setattr("gateway.processes.analyst.DEADLINE_SECONDS", 0.05)
    monkeypatch.setattr("gateway.processes.analyst.MAX_WAITING", 2)

    async def sleep(request: web.Request) -> web.Response:
        del request
        await asyncio.sleep(5)
        return web.Response()

    runner, socket = await serve(tmp_path, [web.post("/v1/analysis", sleep)])
    link = ClerkLink(socket, lambda: b"\x80", clock.stopwatch)
    found = await asyncio.gather(*(link.analyse(bash(LONG), NOTHING_REMEMBERED) for _ in range(3)))
    await link.close()
    await runner.cleanup()
    assert sorted(map(str, found)) == sorted([LATE, LATE, BUSY])


async def test_a_job_nobody_waits_for_is_not_computed_and_nonsense_is_refused():
    computed: list[str] = []

    def analyse(setup: bytes, event: HookEvent, remembered: object) -> Analysis:
        del setup, remembered
        computed.append(event.tool)
        return Analysis()

    application = web.Application()
    application.add_routes(AnalysisRoutes(analyse, lambda: 100).routes())
    job = AnalysisJob(setup=msgspec.Raw(b"\x80"), event=bash("ls"), remembered=NOTHING_REMEMBERED, expires=99)
    async with TestClient(TestServer(application)) as client:
        assert (await client.post("/v1/analysis", data=msgspec.msgpack.encode(job))).status == 504
        assert (await client.post("/v1/analysis", data=b"\xc1nonsense")).status == 400
    assert computed == []


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A repository with committed links to a decoy of a secret outside of it."""
    root = tmp_path.resolve()
    secret = root / "home" / ".aws"
    secret.mkdir(parents=True)
    (secret / "credentials").write_text("decoy")
    repository = root / "repo"
    (repository / "docs").mkdir(parents=True)
    (repository / "docs" / "readme").symlink_to("../../home/.aws/credentials")
    (repository / "docs" / "cloud").symlink_to(secret)
    (repository / "again").symlink_to("docs/cloud")
    (repository / "round").symlink_to("round")
    (repository / "plain.txt").write_text("a")
    return root


async def looked_up(event: HookEvent, place: Path) -> Analysis:
    del place
    setup = FactsSetup(
        config=Config(facts=FactsSection(resolve_symlinks=True)), places=(), listeners=("127.0.0.1:8787",)
    )
    gate = build_gate_facts(setup, DATA, Path("/nowhere.sock"))
    first = gate.analyser.analyse_now(event, NOTHING_REMEMBERED)
    assert gate.analyst.wanted(first)
    found = await gate.analyst.complete(event, NOTHING_REMEMBERED, first)
    await gate.close()
    return found


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("Read", {"file_path": "R/docs/readme"}),
        ("Read", {"file_path": "R/docs/cloud/credentials"}),
        ("Read", {"file_path": "R/again/credentials"}),
        ("Grep", {"pattern": "key", "path": "R/docs/readme"}),
        ("Edit", {"file_path": "R/docs/readme", "old_string": "a", "new_string": "b"}),
        ("Write", {"file_path": "R/again/credentials", "content": "b"}),
        ("Bash", {"command": "cat docs/readme"}),
        ("Bash", {"command": "cat docs/*"}),
        ("Bash", {"command": "cd docs/cloud && cat credentials"}),
        ("Bash", {"command": "sort < again/credentials"}),
    ],
)
async def test_a_committed_link_is_judged_where_it_leads_too(place: Path, name: str, given: dict[str, str]):
    repository = str(place / "repo")
    spelled = {key: value.replace("R/", f"{repository}/") for key, value in given.items()}
    found = await looked_up(tool(name, spelled, repository), place)
    certain = {
        group for one in found.operations if one.attr.get("certain") for group in one.attr.get("groups", ())
    }
    assert "secrets" in certain
    files = [one for one in found.operations if one.kind == "file"]
    assert any(one.id.startswith(repository) for one in files), "the path as it is written stays"
    assert all(one.attr["resolved"] for one in files)


async def test_a_path_without_links_is_only_marked_as_looked_up(place: Path):
    event = tool("Read", {"file_path": f"{place}/repo/plain.txt"}, str(place / "repo"))
    found = await looked_up(event, place)
    assert [(one.id, one.attr["resolved"]) for one in found.operations] == [(f"{place}/repo/plain.txt", True)]


def test_links_that_go_round_and_paths_that_are_not_there_lead_nowhere(place: Path):
    assert set(links_on_the_way([f"{place}/repo/round/x", "/no/such/place"]) or ()) == {f"{place}/repo/round"}


def test_looking_is_bounded_by_steps(place: Path):
    many = [f"{place}/repo/{number}" for number in range(5_000)]
    assert links_on_the_way(many) is None


async def test_a_disk_that_is_not_looked_at_in_time_is_a_limit():
    async def never(analysis: Analysis) -> None:
        del analysis

    async def nobody(event: HookEvent, remembered: object) -> str:
        del event, remembered
        return AWAY

    analyser = build_analyser(SETUP, DATA)
    event = tool("Read", {"file_path": "/home/dev/app/a"})
    found = await GateAnalyst(analyser, nobody, never).complete(
        event, NOTHING_REMEMBERED, analyser.analyse(event)
    )
    assert found.limits_hit == ("links",)


async def test_a_disk_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr("gateway.processes.disk_links.DEADLINE_SECONDS", 0.01)
    free = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(paths: object) -> dict[str, str]:
        del paths
        asyncio.run_coroutine_threadsafe(free.wait(), loop).result(5)
        return {}

    monkeypatch.setattr("gateway.processes.disk_links.links_on_the_way", hang)
    disk = DiskLinks(threads=1)
    assert await disk.look_up(Analysis()) is None
    free.set()
    disk.close()
