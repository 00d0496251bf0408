"""What the gate does beside answering: asks canaries, reloads policies, records its own life, tells its status."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog

from gateway.audit.journal import FileJournal
from gateway.canary import ask_canary
from gateway.domain.ports import Clock, NewId, Pdp
from gateway.domain.record import Record
from gateway.domain.vocabulary import RECORD_SCHEMA
from gateway.errors import OstiaryError
from gateway.readiness import Readiness
from gateway.recording import Origin
from gateway.telemetry import Telemetry

_LOG = structlog.stdlib.get_logger("ostiary.gate")
_LOCAL_SECONDS = 1.0
_AWAY = ("OST-PDP-001", "OST-PDP-002")


class Remote(Protocol):
    """A backend that runs elsewhere."""

    async def server_version(self) -> str:
        """Its version, "" when it does not tell."""
        ...


class Supervision:
    """Keeps readiness, telemetry and the record truthful about the gate itself."""

    def __init__(
        self,
        *,
        readiness: Readiness,
        telemetry: Telemetry,
        journal: FileJournal,
        local: Pdp,
        pdp: Pdp,
        remote: Remote | None,
        remote_seconds: float,
        kind_prefix: str,
        tested_versions: tuple[str, ...],
        load_policies: Callable[[], Callable[[], None]],
        origin: Origin,
        facts: Mapping[str, Any],
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._readiness = readiness
        self._telemetry = telemetry
        self._journal = journal
        self._local = local
        self._pdp = pdp
        self._remote = remote
        self._remote_seconds = remote_seconds
        self._kind_prefix = kind_prefix
        self._tested_versions = tested_versions
        self._load_policies = load_policies
        self._origin = origin
        self._facts = facts
        self._clock = clock
        self._new_id = new_id
        self._problem = "The backend was not checked yet."

    @property
    def backend_problem(self) -> str:
        """What keeps the backend from being used, "" when nothing does."""
        return self._problem

    async def check(self) -> None:
        """Ask the canaries and state what holds."""
        local = await ask_canary(self._local, _LOCAL_SECONDS)
        self._readiness.set("canary", local)
        self._readiness.set("policies", "" if self._local.revision else "No policy is loaded.")
        self._readiness.set("journal", self._journal.problem)
        if self._remote is None:
            self._problem = local
            return
        problem = await ask_canary(self._pdp, self._remote_seconds, self._kind_prefix)
        if not problem.startswith(_AWAY):
            # One that is away says so with every call; what was said of it before it went stays true until it is back.
            self._problem = problem
        self._readiness.note("backend", problem)
        if not problem:
            version = await self._remote.server_version()
            tested = version.startswith(self._tested_versions)
            self._readiness.note(
                "backend_version", "" if tested else f"Cerbos {version or 'unknown'} was not tested."
            )

    async def reload(self) -> None:
        """Load the policies anew, off the event loop; what is wrong leaves the last good set in force."""
        try:
            put_in_force = await asyncio.to_thread(self._load_policies)
        except (OstiaryError, OSError) as error:
            self._telemetry.policy_refused()
            self._readiness.note("policies", str(error))
            _LOG.error("policies_refused", error=str(error))
            return
        put_in_force()
        self._readiness.note("policies", "")
        self._telemetry.policy_loaded(self._pdp.revision, self._clock() / 1e9)
        self.record("reload")
        _LOG.info("policies_loaded", revision=self._pdp.revision)

    def record(self, action: str) -> None:
        """Journal what the gate itself did: start, stop, reload."""
        self._journal.submit(self.record_of(action), _tell)

    def record_of(self, action: str, **more: Any) -> Record:
        """A record of the gate itself."""
        return Record(
            schema=RECORD_SCHEMA,
            type="gate",
            decision_id=self._new_id(),
            ts=self._clock(),
            instance=self._origin.instance,
            worker=self._origin.worker,
            posture=self._origin.posture,
            revision=self._pdp.revision,
            backend=self._pdp.name,
            gate={"action": action, **self._facts, **more},
        )


def _tell(error: Exception | None) -> None:
    if error is not None:
        _LOG.error("gate_record_failed", error=str(error))
