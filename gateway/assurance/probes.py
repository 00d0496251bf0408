"""What a backend can be expected to decide: one probe a kind, its scope search, and whether its version was tested.

A company's PDP without our packs answers every question with *no policy*: everything passes and every light is green.
What is missing is therefore asked for at the start and named wherever people look.
"""

from __future__ import annotations

from msgspec import Struct

from gateway.assurance.canary import ACTION, canary_check, probe_attributes, prober
from gateway.domain.check import NO_MATCH, Check, CheckRequest, Resource
from gateway.domain.ports import Pdp
from gateway.domain.vocabulary import GUARD_EVENTS, OPERATION_ACTIONS

CONDITIONS = ("away", "canary", "ungoverned_kinds", "strict_scope_search", "untested_version")
_PROBE_SCOPE = "ostiary_probe"
_PROBED = (*OPERATION_ACTIONS, *GUARD_EVENTS)


class Coverage(Struct, frozen=True, kw_only=True):
    """Which kinds have a policy, and how scopes without one are treated (None: the backend cannot tell)."""

    governed: dict[str, bool]
    strict_scope_search: bool | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Operation kinds nobody wrote a policy for."""
        return tuple(kind for kind in OPERATION_ACTIONS if not self.governed[kind])

    @property
    def nothing(self) -> bool:
        """Whether no kind at all has a policy."""
        return not any(self.governed.values())


async def probe(pdp: Pdp, deadline: float, kind_prefix: str = "") -> Coverage:
    """Ask a backend about every kind. Raises PdpError."""
    kinds = [
        Check(Resource(kind_prefix + kind, "probe", probe_attributes()), (_action(kind),)) for kind in _PROBED
    ]
    request = CheckRequest(
        principal=prober(), checks=(*kinds, canary_check(kind_prefix, _PROBE_SCOPE)), request_id="probe"
    )
    answer = pdp.decide_now(request) or await pdp.decide(request, deadline)
    matched = [
        result.actions[check.actions[0]].matched_policy != NO_MATCH
        for check, result in zip(request.checks, answer.results, strict=True)
    ]
    tells = pdp.capabilities.matched_policy
    return Coverage(
        governed=dict(zip(_PROBED, matched, strict=False)),
        strict_scope_search=not matched[-1] if tells else None,
    )


def _action(kind: str) -> str:
    return next(iter(OPERATION_ACTIONS.get(kind, ())), ACTION)
