"""The real Cerbos PDP behind the HTTP backend: the contract, and that it agrees with the embedded engine."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.pdp.cerbos_http import TESTED_VERSIONS, CerbosHttpPdp, CerbosSettings
from gateway.assurance.canary import ask_canary
from gateway.assurance.probes import probe
from gateway.assurance.proven import ProvenPdp
from gateway.clock import stopwatch
from gateway.domain.vocabulary import DECIDED_EVENTS
from gateway.errors import PdpUnproven
from tests.pdp import contract
from tests.pdp.contract import SECONDS, asked, request
from tests.support.enforcement import Pep, engine_of, person
from tests.support.payloads import PROJECT, pre_tool_use, recorded
from tests.support.processes import CerbosProcess

POLICIES = Path(__file__).parent / "policies"
pytestmark = pytest.mark.pdp


def backend(process: CerbosProcess, *layers: str) -> CerbosHttpPdp:
    return CerbosHttpPdp(
        CerbosSettings(url=process.url, timeout_seconds=SECONDS, layers=layers), stopwatch, lambda *_: None
    )


@pytest.fixture(scope="module")
def process(tmp_path_factory) -> Iterator[CerbosProcess]:
    with CerbosProcess(tmp_path_factory.mktemp("pdp"), POLICIES) as running:
        yield running


@pytest_asyncio.fixture
async def pdp(process) -> AsyncIterator[CerbosHttpPdp]:
    remote = backend(process)
    yield remote
    await remote.close()


class TestCerbos(contract.Core, contract.MatchedPolicy, contract.Outputs):
    """A remote PDP tells neither its revision nor the errors it absorbed."""


async def test_its_version_is_one_that_was_tested(pdp):
    assert (await pdp.server_version()).startswith(TESTED_VERSIONS)


async def test_the_canary_of_the_shipped_packs_is_denied(pdp):
    assert await ask_canary(pdp, SECONDS) == ""


async def test_kinds_without_a_policy_and_a_strict_scope_search_are_found(pdp):
    coverage = await probe(pdp, SECONDS)
    assert coverage.nothing
    assert coverage.strict_scope_search is True
    assert "file" in coverage.missing


async def test_a_pdp_on_an_empty_directory_is_not_believed(tmp_path):
    (tmp_path / "empty").mkdir()
    with CerbosProcess(tmp_path / "pdp", tmp_path / "empty") as empty:
        remote = backend(empty)
        proven = ProvenPdp(remote, stopwatch, "", lambda _problem: None)
        with pytest.raises(PdpUnproven, match="no policy"):
            await proven.decide(request(asked()), SECONDS)
        await remote.close()


async def test_a_pdp_that_restarts_with_an_empty_store_is_found_out_with_the_next_call(tmp_path):
    (tmp_path / "empty").mkdir()
    with CerbosProcess(tmp_path / "one", POLICIES) as first:
        remote = backend(first)
        proven = ProvenPdp(remote, stopwatch, "", lambda _problem: None)
        assert (await proven.decide(request(asked()), SECONDS)).results[0].actions["read"].matched_policy
        port = first.port
        first.stop()
        with CerbosProcess(tmp_path / "two", tmp_path / "empty", port=port):
            with pytest.raises(PdpUnproven):
                await proven.decide(request(asked()), SECONDS)
            await remote.close()


async def test_the_embedded_engine_and_the_pdp_agree_on_everything_asked_at_random(pdp):
    engine = engine_of(POLICIES)
    chance = random.Random(7)
    attributes = {
        "secret": [True, False, "true", 1, None],
        "length": [0, 3, 2.5, 10**13, "3", None],
        "path": ["/etc/x", "/home", ["/etc/x"], 5],
        "draft": [True, False, None],
        "team": ["blue", "red"],
        "owner": ["ada", "max"],
    }
    checks = [
        asked(
            chance.choice(["read", "write", "find", "list", "erase"]),
            scope=chance.choice(["", "site"]),
            **{name: chance.choice(values) for name, values in attributes.items() if chance.random() < 0.5},
        )
        for _ in range(400)
    ]
    for roles in (("engineer",), ("marketing", "visitor")):
        question = request(*checks, roles=roles, team="blue")
        remote = await pdp.decide(question, SECONDS)
        local = engine.check(question, 0)
        for check, theirs, ours in zip(checks, remote.results, local.results, strict=True):
            action = check.actions[0]
            assert theirs.actions[action].effect == ours.actions[action].effect, check
            assert theirs.actions[action].matched_policy == ours.actions[action].matched_policy, check
            assert [(o.src, o.val) for o in theirs.outputs] == [(o.src, o.val) for o in ours.outputs], check


ROLES = ("engineer", "marketing", "product")
CALLS = [
    pre_tool_use("Read", {"file_path": f"{PROJECT}/.env"}),
    pre_tool_use("Write", {"file_path": f"{PROJECT}/a", "content": "x"}),
    pre_tool_use("Write", {"file_path": f"{PROJECT}/.github/workflows/ci.yml", "content": "x"}),
    pre_tool_use("Write", {"file_path": "/etc/x", "content": "x"}),
    pre_tool_use("WebFetch", {"url": "http://169.254.169.254/", "prompt": "x"}),
    pre_tool_use("WebFetch", {"url": "https://example.org/", "prompt": "x"}),
    pre_tool_use("mcp__files__read", {"path": "/etc/shadow"}),
]


async def test_the_shipped_packs_decide_every_recorded_call_alike_on_the_pdp_and_in_process(cerbos):
    remote = backend(cerbos)
    calls = [payload for payload in recorded().values() if payload["hook_event_name"] in DECIDED_EVENTS]
    assert len(calls) > 40
    for payload in (*calls, *CALLS):
        for roles in (("engineer",), ("marketing",)):
            local = await Pep().ask_waiting(payload, person("ada", *roles))
            asked_there = await Pep(pdp=remote).ask_waiting(payload, person("ada", *roles))
            assert asked_there.record.decision == local.record.decision, payload
            assert asked_there.answer == local.answer, payload
    await remote.close()


def test_the_order_of_roles_changes_no_answer_of_the_shipped_packs():
    for payload in CALLS:
        for count in (2, 3):
            for roles in itertools.combinations(ROLES, count):
                answers = {
                    Pep().word(payload, person("ada", *order)) for order in itertools.permutations(roles)
                }
                assert len(answers) == 1, (payload["tool_input"], roles)


def test_a_further_role_never_loosens_a_rule_of_the_shipped_packs_that_holds_for_marketing():
    order = ["pass", "allow", "ask", "deny"]
    for payload in CALLS:
        alone = order.index(Pep().word(payload, person("max", "marketing")))
        for more in ROLES:
            assert order.index(Pep().word(payload, person("max", "marketing", more))) >= alone
