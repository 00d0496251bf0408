"""Answers over new connections count only after the canary was denied over them."""

from __future__ import annotations

import asyncio

import pytest

from gateway.assurance.probes import probe
from gateway.assurance.proven import ProvenPdp
from gateway.domain.check import ALLOW, DENY, NO_MATCH, ActionDecision, CheckAnswer, ResourceDecision
from gateway.domain.vocabulary import CANARY_KIND, OPERATION_ACTIONS
from gateway.errors import PdpUnavailable, PdpUnproven
from tests.pdp.contract import asked, request
from tests.support.enforcement import ScriptedPdp


class Connected(ScriptedPdp):
    """A scripted backend that says how many connections it opened; each canary is remembered."""

    def __init__(self, effect=DENY, policy="p", **kinds):
        super().__init__(self._say)
        self.connections_made = 0
        self.canaries = 0
        self.effect, self.policy, self.kinds = effect, policy, kinds

    def decide_now(self, request):
        return None

    async def decide(self, request, deadline):
        await asyncio.sleep(0)
        return self._say(request)

    async def server_version(self):
        return "0.55.0"

    def _say(self, request):
        self.connections_made = max(self.connections_made, 1)
        results = []
        for check in request.checks:
            canary = check.resource.kind.endswith(CANARY_KIND)
            self.canaries += canary
            effect = self.effect if canary else ALLOW
            policy = self.policy if canary else self.kinds.get(check.resource.kind, "p")
            if check.resource.scope:
                policy = NO_MATCH
            actions = {action: ActionDecision(effect, policy) for action in check.actions}
            results.append(ResourceDecision(kind=check.resource.kind, id=check.resource.id, actions=actions))
        return CheckAnswer(results=tuple(results))


def proven(inner, said=None) -> ProvenPdp:
    told = said if said is not None else []
    return ProvenPdp(inner, lambda: 0, "", told.append)


async def test_one_canary_proves_a_connection_for_good():
    inner = Connected()
    pdp = proven(inner)
    for _ in range(5):
        await pdp.decide(request(asked()), 1.0)
    assert inner.canaries == 1


async def test_a_new_connection_is_proven_before_its_answer_counts():
    inner = Connected()
    pdp = proven(inner)
    await pdp.decide(request(asked()), 1.0)
    inner.connections_made += 1
    inner.policy = NO_MATCH
    with pytest.raises(PdpUnproven):
        await pdp.decide(request(asked()), 1.0)
    inner.policy = "p"
    await pdp.decide(request(asked()), 1.0)
    assert inner.canaries == 3


async def test_a_connection_opened_while_the_canary_was_asked_is_not_covered_by_it():
    inner = Connected()
    pdp = proven(inner)
    honest = inner.decide

    async def decide_and_connect(question, deadline):
        answer = await honest(question, deadline)
        if question.request_id == "canary" and inner.canaries == 1:
            inner.connections_made += 1
        return answer

    inner.decide = decide_and_connect
    await pdp.decide(request(asked()), 1.0)
    await pdp.decide(request(asked()), 1.0)
    assert inner.canaries == 2


@pytest.mark.parametrize(
    ("effect", "policy", "word"),
    [(ALLOW, "p", "allowed"), (DENY, NO_MATCH, "no policy"), (ALLOW, "", "allowed")],
)
async def test_what_the_canary_says_is_told(effect, policy, word):
    said: list[str] = []
    with pytest.raises(PdpUnproven, match=word):
        await proven(Connected(effect, policy), said).decide(request(asked()), 1.0)
    assert word in said[0]


async def test_a_backend_that_goes_away_during_the_canary_is_unavailable():
    inner = Connected()
    pdp = proven(inner)
    honest = inner.decide

    async def vanish(question, deadline):
        if question.request_id == "canary":
            raise PdpUnavailable("gone")
        return await honest(question, deadline)

    inner.decide = vanish
    with pytest.raises(PdpUnavailable):
        await pdp.decide(request(asked()), 1.0)


async def test_probes_name_the_kinds_without_a_policy():
    coverage = await probe(Connected(host=NO_MATCH, git=NO_MATCH), 1.0)
    assert coverage.missing == ("host", "git")
    assert (coverage.nothing, coverage.strict_scope_search) == (False, True)


async def test_probes_find_a_backend_that_governs_nothing():
    kinds = dict.fromkeys((*OPERATION_ACTIONS, "PreToolUse", "PermissionRequest"), NO_MATCH)
    assert (await probe(Connected(**kinds), 1.0)).nothing


async def test_probes_carry_the_kind_prefix():
    inner = Connected()
    asked_kinds = []
    honest = inner.decide

    async def listen(question, deadline):
        asked_kinds.extend(check.resource.kind for check in question.checks)
        return await honest(question, deadline)

    inner.decide = listen
    await probe(inner, 1.0, "agents/")
    assert all(kind.startswith("agents/") for kind in asked_kinds)
