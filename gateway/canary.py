"""The canary: a question that every policy set must answer with a denial. Nothing is trusted before it did.

A backend that allows everything, or that answers for another store than ours, looks healthy to every other check.
"""

from __future__ import annotations

from gateway.domain.check import DENY, NO_MATCH, Check, CheckRequest, Resource
from gateway.domain.ports import Pdp
from gateway.domain.principal import Principal
from gateway.domain.vocabulary import CANARY_KIND, VOCABULARY
from gateway.errors import PdpError

_ACTION = "canary"


def canary_request(kind_prefix: str = "") -> CheckRequest:
    """The question; its attributes are those of every operation."""
    attr = {"v": VOCABULARY, "agent": "ostiary", "rules_off": []}
    principal = Principal(id="canary", roles=("engineer",))
    return CheckRequest(
        principal=principal,
        checks=(Check(Resource(kind_prefix + CANARY_KIND, "canary", attr), (_ACTION,)),),
        request_id="canary",
    )


async def ask_canary(pdp: Pdp, deadline: float, kind_prefix: str = "") -> str:
    """What happened instead of a denial, as a sentence; empty when the canary was denied by a policy."""
    request = canary_request(kind_prefix)
    try:
        answer = pdp.decide_now(request) or await pdp.decide(request, deadline)
    except PdpError as error:
        return str(error)
    given = answer.results[0].actions.get(_ACTION) if len(answer.results) == 1 else None
    if given is None:
        return "The backend did not answer the canary."
    if given.matched_policy == NO_MATCH:
        return f"The backend holds no policy for {kind_prefix}{CANARY_KIND}: it does not serve the shipped packs."
    if given.effect != DENY:
        return "The backend allowed the canary, which every policy set must deny."
    return ""
