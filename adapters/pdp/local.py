"""The embedded policy backend: our own engine behind the `Pdp` port. It never waits."""

from __future__ import annotations

from gateway.domain.check import CheckAnswer, CheckRequest
from gateway.domain.ports import Clock, PdpCapabilities
from gateway.policy.engine import Engine


class LocalPdp:
    """Answers from the engine in force; `replace` swaps it between two checks, never inside one."""

    name = "local"
    capabilities = PdpCapabilities(
        outputs=True, matched_policy=True, absorbed_errors=True, revision=True, batch=1_000_000
    )

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    @property
    def revision(self) -> str:
        """The digest of the policy set in force."""
        return self._engine.revision

    @property
    def layers(self) -> tuple[str, ...]:
        """The scopes beside the root that hold policies."""
        return self._engine.layers

    def holds(self, kind: str, scope: str) -> bool:
        """Whether a policy exists for a kind in a scope."""
        return self._engine.holds(kind, scope)

    def replace(self, engine: Engine) -> None:
        """Put another policy set in force."""
        self._engine = engine

    def decide_now(self, request: CheckRequest) -> CheckAnswer:
        """The answer, at once."""
        return self._engine.check(request, self._clock())

    async def decide(self, request: CheckRequest, deadline: float) -> CheckAnswer:  # noqa: ARG002 - the port's signature
        """The answer; a local engine needs no deadline, its expressions have a budget."""
        return self.decide_now(request)

    async def close(self) -> None:
        """Nothing is open."""
