"""The canary: a question that every policy set must answer with a denial. Nothing is trusted before it did.

A backend that allows everything, or that answers for another store than ours, looks healthy to every other check.
"""

from __future__ import annotations

from gateway.domain.check import DENY, NO_MATCH, Check, CheckAnswer, CheckRequest, Resource
from gateway.domain.ports import Pdp
from gateway.domain.principal import Principal
from gateway.domain.vocabulary import CANARY_KIND, VOCABULARY

ACTION = "canary"


def canary_request(kind_prefix: str = "") -> CheckRequest:
    """The question; its attributes are those of every operation."""
    return CheckRequest(principal=prober(), checks=(canary_check(kind_prefix),), request_id="canary")


def canary_check(kind_prefix: str = "", scope: str = "") -> Check:
    """The canary as one resource, in a scope."""
    return Check(Resource(kind_prefix + CANARY_KIND, "canary", probe_attributes(), scope=scope), (ACTION,))


def prober() -> Principal:
    """Who asks probes: nobody that exists."""
    return Principal(id="canary", roles=("engineer",))


def probe_attributes() -> dict[str, object]:
    """The attributes every resource carries."""
    return {"v": VOCABULARY, "agent": "ostiary", "rules_off": []}


def canary_problem(answer: CheckAnswer, kind_prefix: str = "") -> str:
    """What happened instead of a denial, as a sentence; empty when the canary was denied by a policy."""
    given = answer.results[0].actions.get(ACTION) if len(answer.results) == 1 else None
    if given is None:
        return "The backend did not answer the canary."
    if given.matched_policy == NO_MATCH:
        return f"The backend holds no policy for {kind_prefix}{CANARY_KIND}: it does not serve the shipped packs."
    if given.effect != DENY:
        return "The backend allowed the canary, which every policy set must deny."
    return ""


async def ask_canary(pdp: Pdp, deadline: float, kind_prefix: str = "") -> str:
    """`canary_problem` of a backend's answer. Raises PdpError when there is none."""
    request = canary_request(kind_prefix)
    answer = pdp.decide_now(request)
    return canary_problem(answer or await pdp.decide(request, deadline), kind_prefix)
