"""The shipped packs in process beside a remote PDP that does not hold them: both are asked, and the stricter answer counts.

What only one of the two holds a policy for is decided by that one. Neither can loosen the other: a denial of either is a
denial, and the obligations of two allowances both hold.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import structs

from gateway.domain.check import (
    ALLOW,
    NO_MATCH,
    ActionDecision,
    CheckAnswer,
    CheckRequest,
    Output,
    ResourceDecision,
)
from gateway.domain.ports import Pdp, PdpCapabilities


class RemotePdp(Pdp, Protocol):
    """A backend behind connections."""

    @property
    def connections_made(self) -> int:
        """How many connections were opened so far."""
        ...

    async def server_version(self) -> str:
        """Its version, "" when it does not tell."""
        ...


class PacksBesidePdp:
    """Implements the `Pdp` port over two others. `packs` answers at once; its kinds have no `kind_prefix`."""

    def __init__(self, packs: Pdp, remote: RemotePdp, kind_prefix: str) -> None:
        self._packs = packs
        self._remote = remote
        self._kind_prefix = kind_prefix
        self.name = remote.name
        self.capabilities: PdpCapabilities = remote.capabilities

    @property
    def revision(self) -> str:
        """Both policy sets'."""
        return f"{self._packs.revision}+{self._remote.revision}"

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers of either."""
        return tuple(dict.fromkeys((*self._packs.layers, *self._remote.layers)))

    @property
    def connections_made(self) -> int:
        """The remote backend's."""
        return self._remote.connections_made

    def holds(self, kind: str, scope: str) -> bool:
        """Whether either may hold a policy for a kind in a scope."""
        return self._remote.holds(kind, scope) or self._packs.holds(self._plain(kind), scope)

    def decide_now(self, request: CheckRequest) -> CheckAnswer | None:  # noqa: ARG002 - the port's signature
        """None: the remote backend has to be waited for."""
        return None

    async def decide(self, request: CheckRequest, deadline: float) -> CheckAnswer:
        """The stricter answer to every check. Raises what the remote backend raises: half an answer is none."""
        remote = await self._remote.decide(request, deadline)
        packs = self._packs.decide_now(self._without_prefix(request))
        if packs is None or len(packs.results) != len(remote.results):
            return remote  # an answer to another question, which whoever asked refuses
        results = tuple(
            _stricter(theirs, ours) for theirs, ours in zip(remote.results, packs.results, strict=True)
        )
        return structs.replace(remote, results=results, revision=self.revision)

    async def server_version(self) -> str:
        """The remote backend's."""
        return await self._remote.server_version()

    async def close(self) -> None:
        """Release the remote backend's connections."""
        await self._remote.close()

    def _plain(self, kind: str) -> str:
        return kind.removeprefix(self._kind_prefix)

    def _without_prefix(self, request: CheckRequest) -> CheckRequest:
        if not self._kind_prefix:
            return request
        checks = tuple(
            structs.replace(
                check, resource=structs.replace(check.resource, kind=self._plain(check.resource.kind))
            )
            for check in request.checks
        )
        return structs.replace(request, checks=checks)


def _stricter(remote: ResourceDecision, packs: ResourceDecision) -> ResourceDecision:
    """One decision of two about the same resource; kind and id stay the remote one's, so that a misfit is noticed."""
    actions: dict[str, ActionDecision] = {}
    outputs: list[Output] = []
    for action, theirs in remote.actions.items():
        ours = packs.actions.get(action)
        decided = [
            (given, [output for output in of.outputs if output.action in {"", action}])
            for given, of in ((ours, packs), (theirs, remote))
            if given is not None and given.matched_policy != NO_MATCH
        ]
        denied = [(given, said) for given, said in decided if given.effect != ALLOW]
        counted = denied or decided
        actions[action] = counted[0][0] if counted else theirs
        speak = any(said for _, said in counted)
        for given, said in counted:
            # Silence beside words is said aloud: what one side allows with a prompt skipped, the other only allows.
            outputs += said or ([Output(src=given.matched_policy, action=action)] if speak else [])
    return structs.replace(
        remote,
        actions=actions,
        outputs=tuple(outputs),
        validation_errors=(*packs.validation_errors, *remote.validation_errors),
        absorbed=(*packs.absorbed, *remote.absorbed),
    )
