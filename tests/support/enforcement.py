"""An enforcement point in this process: the real adapter, analyser, packs, redactor and record, and no sockets."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from adapters.agents.claude_code import ClaudeCodeAdapter, protocol_data
from adapters.pdp.local import LocalPdp
from gateway.audit.redact import RecordRedactor, redaction_data
from gateway.config import DROPPED_ATTRIBUTES
from gateway.domain.check import CheckAnswer, CheckRequest
from gateway.domain.modes import ModeRule, Modes
from gateway.domain.ports import Analyser, Identified, Pdp
from gateway.domain.principal import Principal, Proof, sorted_roles
from gateway.domain.vocabulary import FAILURE_DEFAULTS
from gateway.enforce import Analysing, Answered, Arrival, Enforcer, Pending
from gateway.enforcement.checks import CheckSettings, Question, Questions
from gateway.enforcement.lookback import Lookback
from gateway.enforcement.messages import Messages, MessageSettings
from gateway.enforcement.quota import Meters, Quota
from gateway.enforcement.recording import Origin
from gateway.enforcement.verdict import Stance
from gateway.errors import PayloadError, PdpError
from gateway.facts.analyser import CallAnalyser, FactsSettings, facts_data
from gateway.policy.directory import read_roots
from gateway.policy.engine import Engine, compile_policies
from gateway.policy.settings import EngineSettings
from gateway.policy_sets.switches import known_packs, rules_switched_off
from gateway.session import SessionMemory

PACKS = Path(__file__).resolve().parents[2] / "policies"
ADAPTER = ClaudeCodeAdapter(protocol_data())
START = 1_700_000_000_000_000_000


@cache
def shipped_engine() -> Engine:
    """The engine over the shipped packs, compiled once."""
    return engine_of(PACKS)


def engine_of(*roots: Path) -> Engine:
    """The engine over directories of policies."""
    return compile_policies(read_roots(roots), EngineSettings())


def packs_off(switches: Mapping[str, bool]) -> tuple[str, ...]:
    """The shipped rules that are off with some switches in the configuration."""
    return rules_switched_off(switches, (rule.name for rule in shipped_engine().rules()), known_packs())


@cache
def shipped_analyser() -> CallAnalyser:
    """The analyser of a gateway without further settings."""
    return CallAnalyser(FactsSettings(), facts_data())


def person(user: str = "ada", *roles: str, provider: str = "token") -> Identified:
    """Someone proven."""
    principal = Principal(
        id=user, roles=sorted_roles(roles or ("engineer",)), proof=Proof(provider=provider, subject=user)
    )
    return Identified(principal=principal, proven=True, agent_bound=True)


class Pep:
    """An enforcement point and a clock one can set. Its parts can be replaced between calls."""

    def __init__(
        self,
        *,
        mode: str = "enforce",
        modes: tuple[ModeRule, ...] = (),
        pdp: Pdp | None = None,
        failure_policy: Mapping[str, str] | None = None,
        quota: Quota | None = None,
        dropped: tuple[str, ...] = DROPPED_ATTRIBUTES,
        analyser: Analyser | None = None,
        ready: Callable[[], str] = lambda: "",
        packs: Mapping[str, bool] | None = None,
        **stance: Any,
    ) -> None:
        self.now = START
        self.modes = Modes(default=mode, rules=modes)
        self.failure_policy = {**FAILURE_DEFAULTS, **(failure_policy or {})}
        self.stance = stance
        self.pdp = pdp or LocalPdp(shipped_engine(), lambda: self.now)
        self.redactor = RecordRedactor(b"k" * 32, "test", redaction_data())
        self.memory = SessionMemory()
        self.meters = Meters(quota or Quota())
        self.analyser = analyser or shipped_analyser()
        self.questions = CheckSettings(dropped=dropped, rules_off=packs_off(packs or {}))
        self.ready = ready
        self._numbers = itertools.count(1)

    @property
    def enforcer(self) -> Enforcer:
        """The point as it is now."""
        return Enforcer(
            stance=Stance(modes=self.modes, failure_policy=self.failure_policy, **self.stance),
            analyser=self.analyser,
            pdp=self.pdp,
            questions=Questions(self.questions, self.pdp),
            redactor=self.redactor,
            lookback=Lookback(self.memory, self.redactor),
            meters=self.meters,
            messages=Messages(MessageSettings()),
            origin=Origin(instance="test", posture="advisory", backend=self.pdp.name),
            clock=lambda: self.now,
            stopwatch=lambda: 0,
            new_id=lambda: f"0190f3c8-7b5e-7c3a-9d52-{next(self._numbers):012x}",
            ready=self.ready,
        )

    def ask(
        self,
        payload: Mapping[str, Any] | bytes,
        who: Identified | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        legacy_route: bool = False,
    ) -> Answered:
        """The answer to one payload, as the web would get it; raises PayloadError where that is the answer."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        event = ADAPTER.decode(body, headers or {}, legacy_route=legacy_route)
        point = self.enforcer
        step = self._begun(point, Arrival(event=event, identified=who or person()))
        if isinstance(step, Answered):
            return step
        try:
            answer = self.pdp.decide_now(step.question.request)
        except PdpError as error:
            return point.fail(step, error)
        assert answer is not None
        return point.finish(step, answer)

    def question(self, payload: Mapping[str, Any], who: Identified | None = None) -> Question:
        """What the policies are asked about one payload."""
        event = ADAPTER.decode(json.dumps(payload).encode(), {})
        step = self.enforcer.begin(Arrival(event=event, identified=who or person()))
        assert not isinstance(step, Answered)
        return step.question

    def _begun(self, point: Enforcer, arrival: Arrival) -> Answered | Pending:
        """A call whose analysis, if the point puts it off, is made here and now."""
        step = point.begin(arrival)
        if isinstance(step, Analysing):
            step = point.analysed(step, self.analyser.analyse(step.event, step.remembered))
        return step

    async def ask_waiting(self, payload: Mapping[str, Any], who: Identified | None = None) -> Answered:
        """The answer of a backend that has to be waited for."""
        event = ADAPTER.decode(json.dumps(payload).encode(), {})
        point = self.enforcer
        step = self._begun(point, Arrival(event=event, identified=who or person()))
        if isinstance(step, Answered):
            return step
        return point.finish(step, await self.pdp.decide(step.question.request, 20.0))

    def word(self, payload: Mapping[str, Any] | bytes, who: Identified | None = None, **more: Any) -> str:
        """What the agent gets, `invalid` where the payload cannot be read."""
        try:
            return self.ask(payload, who, **more).answer.word
        except PayloadError:
            return "invalid"

    def body(self, payload: Mapping[str, Any] | bytes, who: Identified | None = None, **more: Any) -> Any:
        """The reply's body as the agent parses it."""
        answered = self.ask(payload, who, **more)
        return json.loads(ADAPTER.encode(answered.event, answered.answer))


class ScriptedPdp:
    """A backend that answers what a function says."""

    name = "scripted"
    layers: tuple[str, ...] = ()

    def __init__(self, answer: Callable[[CheckRequest], CheckAnswer], revision: str = "scripted") -> None:
        self._answer = answer
        self.revision = revision
        self.capabilities = LocalPdp.capabilities
        self.requests: list[CheckRequest] = []

    def holds(self, kind: str, scope: str) -> bool:
        """It cannot tell."""
        return True

    def decide_now(self, request: CheckRequest) -> CheckAnswer:
        """What the function says."""
        self.requests.append(request)
        return self._answer(request)

    async def decide(self, request: CheckRequest, deadline: float) -> CheckAnswer:
        """What the function says."""
        return self.decide_now(request)

    async def close(self) -> None:
        """Nothing is open."""
