"""A remote backend whose answers count only over connections that were made before its last canary.

A PDP that restarts with an empty store answers at once, politely, and knows no policy: every question is unmatched. A
process cannot be replaced without new connections, so a new connection means that the canary must be denied again before
the answer is believed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gateway.assurance.canary import ask_canary
from gateway.assurance.probes import Coverage, probe
from gateway.domain.check import CheckAnswer, CheckRequest
from gateway.domain.ports import Pdp, PdpCapabilities, Stopwatch
from gateway.errors import PdpUnproven


class ConnectedPdp(Pdp, Protocol):
    """A backend behind connections."""

    @property
    def connections_made(self) -> int:
        """How many connections were opened so far."""
        ...

    async def server_version(self) -> str:
        """Its version, "" when it does not tell."""
        ...


class ProvenPdp:
    """Implements the `Pdp` port over another one. `proved(problem)` is told of every canary's result."""

    def __init__(
        self, inner: ConnectedPdp, stopwatch: Stopwatch, kind_prefix: str, proved: Callable[[str], None]
    ) -> None:
        self._inner = inner
        self._stopwatch = stopwatch
        self._kind_prefix = kind_prefix
        self._proved = proved
        self._proven_connections = 0
        self.name = inner.name
        self.capabilities: PdpCapabilities = inner.capabilities

    @property
    def revision(self) -> str:
        """The backend's."""
        return self._inner.revision

    @property
    def layers(self) -> tuple[str, ...]:
        """The backend's."""
        return self._inner.layers

    def holds(self, kind: str, scope: str) -> bool:
        """The backend's."""
        return self._inner.holds(kind, scope)

    def decide_now(self, request: CheckRequest) -> CheckAnswer | None:  # noqa: ARG002 - the port's signature
        """None: a remote backend has to be waited for."""
        return None

    async def decide(self, request: CheckRequest, deadline: float) -> CheckAnswer:
        """The backend's answer. Raises PdpUnproven when the canary over new connections was not denied."""
        began = self._stopwatch()
        answer = await self._inner.decide(request, deadline)
        if self._inner.connections_made != self._proven_connections:
            left = deadline - (self._stopwatch() - began) / 1e9
            await self.prove(max(left, 0.001))
        return answer

    async def prove(self, deadline: float) -> None:
        """Ask the canary. Raises PdpError; PdpUnproven when it was answered and not denied."""
        made = self._inner.connections_made
        problem = await ask_canary(self._inner, deadline, self._kind_prefix)
        self._proved(problem)
        if problem:
            self._proven_connections = 0
            raise PdpUnproven(
                problem, number=6, remedy="Load the export of the shipped packs into its store."
            )
        # Connections opened meanwhile are not covered: the next call asks again.
        self._proven_connections = max(self._proven_connections, made)

    async def coverage(self, deadline: float) -> Coverage:
        """What the backend governs, its canary denied or not: a backend that knows nothing knows no canary either."""
        return await probe(self._inner, deadline, self._kind_prefix)

    async def server_version(self) -> str:
        """The backend's."""
        return await self._inner.server_version()

    async def close(self) -> None:
        """Release the backend's connections."""
        await self._inner.close()
