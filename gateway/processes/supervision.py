"""What the gate does beside answering: asks canaries and probes, reloads policies, records its own life."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import structlog
from msgspec import Struct, structs

from gateway.assurance.canary import ask_canary
from gateway.assurance.probes import CONDITIONS, Coverage, probe
from gateway.assurance.readiness import Readiness
from gateway.domain.ports import Clock, Journal, NewId, Pdp
from gateway.domain.record import Record, RecordedPrincipal
from gateway.domain.vocabulary import RECORD_SCHEMA
from gateway.enforcement.quota import Meters, Summary
from gateway.enforcement.recording import Origin
from gateway.errors import ConfigError, OstiaryError, PdpError, PdpUnproven
from gateway.telemetry import Telemetry

_LOG = structlog.stdlib.get_logger("ostiary.gate")
_LOCAL_SECONDS = 1.0
_NOT_CHECKED = "The backend was not checked yet."


class Remote(Protocol):
    """A backend that runs elsewhere, proven by canaries."""

    async def prove(self, deadline: float) -> None:
        """Ask the canary. Raises PdpError; PdpUnproven when it was answered and not denied."""
        ...

    async def coverage(self, deadline: float) -> Coverage:
        """What it governs. Raises PdpError."""
        ...

    async def server_version(self) -> str:
        """Its version, "" when it does not tell."""
        ...


class WatchedJournal(Journal, Protocol):
    """A journal that says what is wrong with it."""

    @property
    def problem(self) -> str:
        """What kept the last write from succeeding, "" when nothing did."""
        ...


class RemoteRules(Struct, frozen=True, kw_only=True):
    """What is expected of a remote backend. `must_govern`: enforcing without any policy needs the operator's word."""

    seconds: float
    tested_versions: tuple[str, ...]
    must_govern: bool


class PolicyChange(Struct, frozen=True, kw_only=True):
    """A compiled policy set that can be put in force, and the names of its rules.

    `retire`, awaited at the end, frees the set before it between calls.
    """

    put_in_force: Callable[[], None]
    retire: Callable[[], Awaitable[None]]
    rules: tuple[str, ...]


class Supervision:
    """Keeps readiness, telemetry and the record truthful about the gate itself."""

    def __init__(
        self,
        *,
        readiness: Readiness,
        telemetry: Telemetry,
        journal: WatchedJournal,
        meters: Meters,
        local: Pdp,
        pdp: Pdp,
        remote: Remote | None,
        rules: RemoteRules,
        load_policies: Callable[[], Awaitable[PolicyChange]],
        origin: Origin,
        facts: Mapping[str, Any],
        clock: Clock,
        new_id: NewId,
        announce: Callable[[str, str], None] = lambda _before, _after: None,
    ) -> None:
        """`announce` begins to tell what a reload changed, given both revisions, and does not wait."""
        self._readiness = readiness
        self._telemetry = telemetry
        self._journal = journal
        self._meters = meters
        self._local = local
        self._pdp = pdp
        self._remote = remote
        self._rules = rules
        self._load_policies = load_policies
        self._origin = origin
        self._facts = facts
        self._clock = clock
        self._new_id = new_id
        self._announce = announce
        self._reloading = asyncio.Lock()
        self._problem = _NOT_CHECKED
        self._coverage: Coverage | None = None
        readiness.watch("journal", lambda: journal.problem)
        telemetry.ready.set_function(lambda: float(readiness.ready))

    @property
    def backend_problem(self) -> str:
        """What keeps the backend from being used, "" when nothing does."""
        return self._problem

    @property
    def notes(self) -> tuple[str, ...]:
        """What works only in part, for the banner."""
        return tuple(self._readiness.detail()["degraded"].values())

    def proved(self, problem: str) -> None:
        """Take note of a remote canary's result. Until it is denied again, every call asks it and fails."""
        self._note("canary", problem)

    async def check(self) -> None:
        """Ask the canaries and probes and state what holds."""
        try:
            local = await ask_canary(self._local, _LOCAL_SECONDS)
        except PdpError as error:
            local = str(error)
        self._readiness.set("canary", local)
        self._readiness.set("policies", "" if self._local.revision else "No policy is loaded.")
        if self._remote is None:
            self._problem = local
            self._covered(await probe(self._pdp, _LOCAL_SECONDS))
        else:
            await self._check_remote(self._remote)
            # From now on the backend proves itself call by call.
            self._problem = ""
        for summary in self._meters.ended(self._clock()):
            self._summarise(summary)

    def refuse_ungoverned(self) -> None:
        """At the start: enforcing where no kind has a policy stops nothing. Raises ConfigError."""
        if self._rules.must_govern and self._coverage is not None and self._coverage.nothing:
            raise ConfigError(
                "The policy backend holds no policy for anything an agent does, so enforcing would stop nothing.",
                number=36,
                remedy="Load the packs into its store (`ostiary policy export --for cerbos DIR`), or set "
                "no_policy.operation: pass to run all the same.",
            )

    async def reload(self) -> None:
        """Load the policies anew, one reload after the other; what is wrong leaves the last good set in force."""
        async with self._reloading:
            await self._reload()

    async def _reload(self) -> None:
        before, local_before = self._pdp.revision, self._local.revision
        try:
            change = await self._load_policies()
        except (OstiaryError, OSError) as error:
            self._telemetry.policy_refused()
            self._readiness.note("policies", f"The last reload was refused: {error}")
            self.record("reload_refused", {"before": before, "problem": str(error)})
            _LOG.error("policies_refused", error=str(error))
            return
        change.put_in_force()
        after = self._local.revision
        self._readiness.note("policies", "")
        self._telemetry.policy_loaded(self._pdp.revision, self._clock() / 1e9, change.rules)
        self.record("reload", {"before": before, "after": after, "rules": len(change.rules)})
        _LOG.info("policies_loaded", revision=after, before=before)
        self._announce(local_before, after)
        await change.retire()

    def close(self) -> None:
        """Tell what was only counted so far, and that the gate stops."""
        for summary in self._meters.ended(0):
            self._summarise(summary)
        self.record("stop")

    def record(self, action: str, facts: Mapping[str, Any] | None = None) -> None:
        """A record of the gate itself: start, stop, reload, and what was only counted."""
        self._journal.submit(self.record_of(action, **(facts or {})), _tell)

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

    async def _check_remote(self, remote: Remote) -> None:
        away = ""
        try:
            with contextlib.suppress(PdpUnproven):  # noted by `proved`, with what the canary said
                await remote.prove(self._rules.seconds)
            self._covered(await remote.coverage(self._rules.seconds))
        except PdpError as error:
            away = str(error)
        self._note("away", away)
        if not away:
            version = await remote.server_version()
            tested = version.startswith(self._rules.tested_versions)
            self._note(
                "untested_version",
                "" if tested else f"Cerbos {version or 'of an unknown version'} was not tested.",
            )

    def _covered(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._telemetry.backend({}, coverage.governed)
        if self._remote is None:
            return
        missing = ", ".join(coverage.missing)
        self._note("ungoverned_kinds", f"The backend holds no policy for: {missing}." if missing else "")
        self._note(
            "strict_scope_search",
            "The backend searches scopes strictly: a layer needs a policy for each of its parents."
            if coverage.strict_scope_search
            else "",
        )

    def _note(self, condition: str, sentence: str) -> None:
        assert condition in CONDITIONS
        self._readiness.note(condition, sentence)
        self._telemetry.backend({condition: bool(sentence)}, {})

    def _summarise(self, summary: Summary) -> None:
        """One record for calls that have none of their own."""
        self._telemetry.dropped("counted_only", summary.unrecorded)
        principal = RecordedPrincipal(
            id=summary.principal.id,
            roles=summary.principal.roles,
            provider=summary.principal.proof.provider,
            issuer=summary.principal.proof.issuer,
            subject=summary.principal.proof.subject,
        )
        record = self.record_of(
            "counted",
            since=summary.since,
            requests=summary.requests,
            bytes=summary.bytes,
            over_quota=summary.over_quota,
            unrecorded=summary.unrecorded,
        )
        self._journal.submit(structs.replace(record, principal=principal), _tell)


def _tell(error: Exception | None) -> None:
    if error is not None:
        _LOG.error("gate_record_failed", error=str(error))
