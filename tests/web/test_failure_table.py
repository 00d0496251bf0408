"""The failure table, each cause in enforce and in observe, through a real gateway over HTTP.

Every cause has its key, its metric, a wording of its own (the golden file's) and a record that names it.
"""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from msgspec import Struct
from structlog.testing import capture_logs

from adapters.agents.claude_code import ClaudeCodeAdapter, protocol_data
from gateway.assurance.synthetic import Marks
from gateway.domain.ports import Identified
from gateway.domain.vocabulary import CAUSES, FAILURE_DEFAULTS
from gateway.errors import StoreError
from gateway.identity.tokens import hash_token
from gateway.processes.analyst import GateAnalyst
from gateway.telemetry import Telemetry
from gateway.web.hooks import HookLimits, Hooks
from tests.support.enforcement import Pep, person
from tests.support.http import get, metric, post, records, wait_for_record, word
from tests.support.payloads import PROJECT, pre_tool_use
from tests.support.pdp_stub import PdpStub
from tests.support.processes import GatewayProcess

GOLDEN = yaml.safe_load((Path(__file__).parents[1] / "enforce" / "golden" / "messages.yaml").read_text())
POLICIES = Path(__file__).parent / "policies"
TOKEN = "ost_" + "t" * 32
MODES = ["enforce", "observe"]
READ = {"file_path": f"{PROJECT}/src/app.py"}


def why(cause: str) -> str:
    """The golden file's sentence for a cause."""
    text: str = GOLDEN[f"deny because of {cause}"]["model"]
    return text.partition("secrets. ")[2].partition(" Do not try")[0]


class Table:
    """Gateways of one mode in the situations of the table, each started when it is first needed."""

    def __init__(self, mode: str, directory: Path) -> None:
        self.mode = mode
        self._directory = directory
        self._stack = ExitStack()
        self._running: dict[str, GatewayProcess] = {}

    def local(self) -> GatewayProcess:
        # Without the rule that asks about undescribed MCP tools, a call with very many arguments only meets the limit.
        settings = {"failure_policy.opaque": "ask", "packs": "{baseline.unknown_mcp_tool: false}"}
        return self._start("local", settings)

    def odd_policies(self) -> GatewayProcess:
        return self._start("odd_policies", {"policies": f"[{POLICIES}]"})

    def tokens(self) -> GatewayProcess:
        token = json.dumps([{"hash": hash_token(TOKEN), "user": "ada", "roles": ["engineer"]}])
        return self._start("tokens", {"identity.tokens": token, "quota.requests": 3})

    def remote(self) -> tuple[GatewayProcess, PdpStub]:
        if "remote" not in self._running:
            self.stub = self._stack.enter_context(PdpStub())
        settings = {"backend": "cerbos", "cerbos.url": self.stub.url, "cerbos.timeout_ms": 400}
        return self._start("remote", settings), self.stub

    def close(self) -> None:
        self._stack.close()

    def _start(self, name: str, settings: dict[str, object]) -> GatewayProcess:
        if name not in self._running:
            process = GatewayProcess(self._directory / name, {"mode": self.mode, **settings})
            self._running[name] = self._stack.enter_context(process)
        return self._running[name]


@pytest.fixture(scope="module", params=MODES)
def table(request, tmp_path_factory) -> Iterator[Table]:
    made = Table(request.param, tmp_path_factory.mktemp(request.param))
    yield made
    made.close()


def check(gateway: GatewayProcess, mode: str, cause: str, ask: Callable[[], Any], expected: str = "") -> None:
    """One cause: the reply, its wording, the metric and the record."""
    wanted = (expected or FAILURE_DEFAULTS[cause]) if mode == "enforce" else "pass"
    before = metric(gateway, "ostiary_failures_total", cause=cause, answer=wanted)
    reply = ask()
    assert word(reply) == wanted
    if mode == "observe":
        assert reply.body == b"{}"
    elif wanted in {"deny", "ask"}:
        assert why(cause) in reply.json["hookSpecificOutput"]["permissionDecisionReason"]
    assert metric(gateway, "ostiary_failures_total", cause=cause, answer=wanted) == before + 1
    record = wait_for_record(gateway, cause=cause)
    assert (record["decision"], record["answer"], record["mode"]) == ("error", wanted, mode)


def test_the_golden_file_has_a_wording_of_its_own_for_each_cause():
    assert len({why(cause) for cause in CAUSES}) == len(CAUSES) == len(FAILURE_DEFAULTS)


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        ("down", "pdp_unavailable"),
        ("slow", "pdp_unavailable"),
        ("nonsense", "pdp_invalid"),
    ],
)
def test_a_pdp_that_is_down_slow_or_talks_nonsense(table, behaviour, cause):
    gateway, stub = table.remote()
    stub.behaviour = behaviour
    try:
        check(gateway, table.mode, cause, lambda: post(gateway, pre_tool_use("Read", READ)))
    finally:
        stub.behaviour = "allow"


@pytest.mark.parametrize("behaviour", ["canary_lives", "empty"])
def test_a_pdp_whose_canary_is_not_denied(table, behaviour):
    gateway, stub = table.remote()
    stub.behaviour = "down"
    post(gateway, pre_tool_use("Read", READ))
    stub.behaviour = behaviour
    try:
        check(gateway, table.mode, "no_policy_loaded", lambda: post(gateway, pre_tool_use("Read", READ)))
    finally:
        stub.behaviour = "allow"


def test_a_payload_that_is_not_understood(table):
    gateway = table.local()
    for payload in (
        pre_tool_use("Bash", {"description": "no command"}),
        pre_tool_use("Read", {"file_path": ["/etc/passwd"]}),
        {**pre_tool_use("Read", READ), "tool_input": "x"},
    ):
        check(gateway, table.mode, "payload_invalid", lambda payload=payload: post(gateway, payload))


def test_a_bad_credential(table):
    gateway = table.tokens()
    for token in ("", "ost_" + "x" * 32):
        ask = lambda token=token: post(gateway, pre_tool_use("Read", READ), token)  # noqa: E731
        check(gateway, table.mode, "unauthenticated", ask)
    assert {record["principal"]["id"] for record in records(gateway, cause="unauthenticated")} == {
        "anonymous"
    }


def test_an_analysis_limit(table):
    gateway = table.local()
    many = {f"p{number}": f"/home/dev/project/{number}" for number in range(5000)}
    check(
        gateway, table.mode, "analysis_limit", lambda: post(gateway, pre_tool_use("mcp__files__read", many))
    )


def test_an_opaque_command(table):
    gateway = table.local()
    opaque = pre_tool_use("Bash", {"command": 'eval "$(printf %s "$X" | base64 -d)"'})
    check(gateway, table.mode, "opaque", lambda: post(gateway, opaque), "ask")


def test_a_policy_that_cannot_be_evaluated(table):
    gateway = table.odd_policies()
    for payload in (
        pre_tool_use("Skill", {"skill": "x", "args": ["a list where a text is expected"]}),
        pre_tool_use("SendMessage", {"to": "x", "message": "y"}),
    ):
        check(gateway, table.mode, "evaluation_error", lambda payload=payload: post(gateway, payload))


def test_a_principal_over_his_quota(table):
    gateway = table.tokens()
    for _ in range(3):
        post(gateway, pre_tool_use("Read", READ), TOKEN)
    check(gateway, table.mode, "over_quota", lambda: post(gateway, pre_tool_use("Read", READ), TOKEN))


def test_a_record_that_cannot_be_written(table):
    """The kernel refuses to let the gateway's files grow; they may again afterwards."""
    gateway = table.local()
    pid = gateway.process.pid
    answer = "deny" if table.mode == "enforce" else "pass"
    limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    before = metric(gateway, "ostiary_failures_total", cause="record_failed", answer=answer)
    dropped = metric(gateway, "ostiary_audit_dropped_total", reason="write_failed")
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1024, limits[1]))
    try:
        reply = post(gateway, pre_tool_use("Read", READ))
        refused = post(gateway, pre_tool_use("Read", READ))
        probe = get(f"{gateway.admin_url}/readyz").status
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    assert (word(reply), word(refused), probe) == (answer, answer, 503)
    if table.mode == "enforce":
        assert why("record_failed") in reply.json["hookSpecificOutput"]["permissionDecisionReason"]
    else:
        assert reply.body == b"{}"
    assert metric(gateway, "ostiary_failures_total", cause="record_failed", answer=answer) == before + 2
    assert metric(gateway, "ostiary_audit_dropped_total", reason="write_failed") == dropped + 2
    assert word(post(gateway, pre_tool_use("Read", READ))) == "pass"
    assert get(f"{gateway.admin_url}/readyz").status == 200


# An unknown exception cannot be provoked from outside, so the same routes are served here with a part that breaks.


class Nowhere(Struct):
    """A journal that keeps what it is given, or fails."""

    kept: list
    broken: bool = False
    healthy: bool = True

    def submit(self, record, done) -> None:
        self.kept.append(record)
        done(StoreError("full", number=1) if self.broken else None)


class Ada:
    """Knows everybody as ada."""

    def identify(self, headers, peer, agent) -> Identified:
        return person("ada")


class BrokenAnalyser:
    """Fails on every call, with a message that holds what the client wrote."""

    def analyse_now(self, event, remembered):
        raise RuntimeError(f"cannot analyse {event.tool_input}")


class BrokenRedactor:
    """Fails on every record with an input, or on every record."""

    def __init__(self, inner, *, always: bool) -> None:
        self._inner = inner
        self._always = always

    def redact(self, record):
        if self._always or record.input:
            raise RuntimeError("cannot redact")
        return self._inner.redact(record)

    def digest(self, value):
        return self._inner.digest(value)


async def nobody(event, remembered) -> str:
    return "clerk_away"


def application(pep: Pep, journal: Nowhere, *observers) -> tuple[web.Application, Telemetry]:
    telemetry = Telemetry(agents=("claude-code",), tools=("Read",), rules=(), version="1")
    hooks = Hooks(
        enforcer=pep.enforcer,
        adapters={"claude-code": ClaudeCodeAdapter(protocol_data())},
        identity=Ada(),
        pdp=pep.pdp,
        analyst=GateAnalyst(pep.analyser, nobody),
        journal=journal,
        telemetry=telemetry,
        limits=HookLimits(),
        stopwatch=lambda: 0,
        new_error_id=lambda: "0190f3c8-7b5e-7c3a-9d52-4be1d6ad61e5",
        marks=Marks(b"k" * 32, lambda: 0),
        observers=observers,
    )
    made = web.Application()
    made.add_routes(hooks.routes())
    return made, telemetry


async def answer_of(app: web.Application) -> tuple[int, Any]:
    async with TestClient(TestServer(app)) as client:
        reply = await client.post(
            "/v1/hooks/claude-code", json=pre_tool_use("Read", {"file_path": "/s3cret"})
        )
        return reply.status, await reply.json()


@pytest.mark.parametrize("mode", MODES)
async def test_an_unknown_exception(mode):
    journal = Nowhere([])
    app, telemetry = application(Pep(mode=mode, analyser=BrokenAnalyser()), journal)
    with capture_logs() as logs:
        status, body = await answer_of(app)
    assert status == 200
    answer = "deny" if mode == "enforce" else "pass"
    if mode == "observe":
        assert body == {}
    else:
        assert why("internal_error") in body["hookSpecificOutput"]["permissionDecisionReason"]
        assert "error E-W7BA-TRF5" in body["hookSpecificOutput"]["permissionDecisionReason"]
    (record,) = journal.kept
    assert (record.cause, record.detail, record.error_id) == ("internal_error", "RuntimeError", "E-W7BA-TRF5")
    failures = telemetry.failures.labels("internal_error", answer)
    assert failures._value.get() == 1
    assert [line["error_id"] for line in logs] == ["E-W7BA-TRF5"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("always", [False, True])
async def test_an_exception_while_the_refusal_is_made(mode, always):
    """The part that fails on the call fails on its record too; then the record holds no input, or there is none."""
    pep = Pep(mode=mode)
    pep.redactor = BrokenRedactor(pep.redactor, always=always)
    journal = Nowhere([])
    with capture_logs():
        status, body = await answer_of(application(pep, journal)[0])
    assert len(journal.kept) == (0 if always else 1)
    if mode == "observe":
        assert (status, body) == (200, {})
    elif always:
        assert status == 500
        assert "redact" not in str(body)
    else:
        assert body["hookSpecificOutput"]["permissionDecision"] == "deny"


async def test_whoever_watches_cannot_stop_a_call():
    def watch(record) -> None:
        raise OSError("the terminal is gone")

    seen: list = []
    with capture_logs() as logs:
        status, body = await answer_of(application(Pep(), Nowhere([]), watch, seen.append)[0])
    assert (status, body) == (200, {})
    assert len(seen) == 1
    assert [line["event"] for line in logs] == ["observer_failed"]
