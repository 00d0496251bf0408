"""The packs in process beside a remote PDP that knows nothing of agents: the stricter answer of the two counts."""

from __future__ import annotations

import itertools

import pytest

from adapters.pdp.beside import PacksBesidePdp
from adapters.pdp.local import LocalPdp
from gateway.config import Config
from gateway.configuration.rules import pack_switches, packs_in_process
from gateway.domain.check import (
    ALLOW,
    DENY,
    NO_MATCH,
    ActionDecision,
    CheckAnswer,
    Output,
    ResourceDecision,
    RulePlace,
)
from gateway.errors import ConfigError, PdpUnavailable
from tests.pdp.contract import SECONDS, asked, request
from tests.support.enforcement import Pep, ScriptedPdp, shipped_engine
from tests.support.http import get, post, word
from tests.support.payloads import PROJECT, pre_tool_use
from tests.support.pdp_stub import PdpStub
from tests.support.processes import GatewayProcess

WORDS = {
    "nothing": (DENY, NO_MATCH, ()),
    "deny": (DENY, "p", ({"reason": "no"},)),
    "ask": (ALLOW, "p", ({"decision": "ask", "reason": "who"},)),
    "skip": (ALLOW, "p", ({"decision": "skip_prompt"},)),
    "allow": (ALLOW, "p", ()),
}
ORDER = ["deny", "ask", "allow", "skip", "nothing"]
"""The strictest first."""


class Side(ScriptedPdp):
    """A backend that says one of `WORDS` about everything, under its own name."""

    connections_made = 1

    def __init__(self, named, word, layers=()):
        super().__init__(self._say, named)
        self.named, self.word, self.layers = named, word, layers

    def _say(self, asked_of):
        effect, policy, values = WORDS[self.word]
        results = []
        for check in asked_of.checks:
            (action,) = check.actions
            place = RulePlace(policy=self.named, rule=f"{self.named}.rule")
            decided = ActionDecision(effect, policy if policy == NO_MATCH else self.named, place=place)
            outputs = tuple(Output(f"{self.named}#{self.named}.rule", value, action) for value in values)
            results.append(
                ResourceDecision(
                    kind=check.resource.kind, id=check.resource.id, actions={action: decided}, outputs=outputs
                )
            )
        return CheckAnswer(results=tuple(results))

    async def server_version(self):
        return "0.55.0"


async def answered(packs, remote):
    """What the enforcement point makes of both."""
    pdp = PacksBesidePdp(Side("packs", packs), Side("remote", remote), "")
    return await Pep(pdp=pdp).ask_waiting(pre_tool_use("Read", {"file_path": f"{PROJECT}/a.py"}))


@pytest.mark.parametrize(("packs", "remote"), list(itertools.product(WORDS, WORDS)))
async def test_the_stricter_of_both_counts_with_its_own_words(packs, remote):
    found = (await answered(packs, remote)).record
    strictest = min((packs, remote), key=ORDER.index)
    assert found.decision == {"skip": "allow", "nothing": "no_policy"}.get(strictest, strictest)
    if strictest in {"deny", "ask"}:
        first = "packs" if packs == strictest else "remote"
        assert {reason.rule for reason in found.reasons} == {f"{first}.rule"}


@pytest.mark.parametrize(
    ("packs", "remote", "skips"),
    [("skip", "skip", True), ("skip", "allow", False), ("allow", "skip", False), ("skip", "nothing", True)],
)
async def test_a_prompt_is_skipped_where_nobody_is_silent(packs, remote, skips):
    pdp = PacksBesidePdp(Side("packs", packs), Side("remote", remote), "")
    (result,) = (await pdp.decide(request(asked()), SECONDS)).results
    assert all(output.val is not None for output in result.outputs) is skips


async def test_what_the_remote_side_cannot_answer_is_not_answered():
    class Away(Side):
        async def decide(self, request, deadline):
            raise PdpUnavailable("away", number=1, remedy="")

    with pytest.raises(PdpUnavailable):
        await PacksBesidePdp(Side("packs", "deny"), Away("remote", "allow"), "").decide(
            request(asked()), SECONDS
        )


async def test_an_answer_to_another_question_is_left_to_whoever_asked():
    class Short(Side):
        async def decide(self, request, deadline):
            return CheckAnswer(results=())

    pdp = PacksBesidePdp(Side("packs", "allow"), Short("remote", "allow"), "")
    assert (await pdp.decide(request(asked()), SECONDS)).results == ()


async def test_the_packs_know_kinds_without_the_prefix_of_a_shared_pdp():
    packs = LocalPdp(shipped_engine(), lambda: 0)
    pdp = PacksBesidePdp(packs, Side("remote", "nothing"), "agent:")
    secret = asked(
        "read", kind="agent:file", groups=["secrets"], rules_off=[], path="/p/.env", in_project=True
    )
    answer = await pdp.decide(request(secret), SECONDS)
    assert answer.results[0].kind == "agent:file"
    assert answer.results[0].actions["read"].effect == DENY
    assert answer.results[0].actions["read"].matched_policy.startswith("resource.file.")


def test_both_are_named_and_both_layers_are_asked():
    pdp = PacksBesidePdp(Side("packs", "allow", ("site", "a")), Side("remote", "allow", ("site", "b")), "")
    assert (pdp.revision, pdp.layers) == ("packs+remote", ("site", "a", "b"))
    assert pdp.holds("anything", "b")


@pytest.mark.parametrize("packs", [{"evaluate": True}, {"baseline": "local"}, {"baseline.x": "backend"}])
def test_places_and_switches_are_not_confused(packs):
    with pytest.raises(ConfigError, match=r"packs\."):
        pack_switches(Config(packs=packs))


def test_where_packs_are_evaluated_is_no_switch():
    config = Config(packs={"evaluate": "local", "baseline": True})
    assert (packs_in_process(config), pack_switches(config)) == (True, ("baseline: true",))
    assert not packs_in_process(Config(packs={"evaluate": "backend"}))


READS = {"secret": f"{PROJECT}/.env", "ordinary": f"{PROJECT}/src/app.py"}


def _read(gateway, name):
    return word(post(gateway, pre_tool_use("Read", {"file_path": READS[name]})))


def test_a_gateway_guards_with_the_packs_beside_a_pdp_that_knows_none(tmp_path):
    with PdpStub() as stub:
        stub.behaviour = "empty"
        settings = {
            "mode": "enforce",
            "backend": "cerbos",
            "cerbos.url": stub.url,
            "packs.evaluate": "local",
            "projects.roots": "[/home/dev]",
        }
        with GatewayProcess(tmp_path, settings) as gateway:
            assert get(f"{gateway.admin_url}/readyz").status == 200
            assert [_read(gateway, name) for name in READS] == ["deny", "pass"]
            stub.behaviour = "deny"
            assert [_read(gateway, name) for name in READS] == ["deny", "deny"]
            stub.behaviour = "down"
            assert [_read(gateway, name) for name in READS] == ["deny", "deny"]
