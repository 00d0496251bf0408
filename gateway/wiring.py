"""Builds the gate. Implementations are chosen here and in the other `wiring_*` modules, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web
from msgspec import Struct

from adapters.agents.claude_code import AGENT as CLAUDE_CODE
from adapters.agents.claude_code import ClaudeCodeAdapter, protocol_data
from adapters.pdp.local import LocalPdp
from gateway import clock
from gateway.assurance.posture import Judgement, judge
from gateway.assurance.proven import ProvenPdp
from gateway.assurance.readiness import Readiness
from gateway.assurance.synthetic import Marks
from gateway.audit.beginning import open_journal
from gateway.audit.journal import FileJournal
from gateway.audit.redact import RecordRedactor, redaction_data
from gateway.audit.reserve import keep_reserve
from gateway.config import Config
from gateway.configuration.rules import (
    check_settings,
    config_digest,
    identity_rules,
    posture_of,
    quota,
    stance,
    stated,
)
from gateway.configuration.sources import data_dir_of
from gateway.domain.ports import Pdp
from gateway.enforce import Enforcer
from gateway.enforcement.checks import Questions
from gateway.enforcement.lookback import Lookback
from gateway.enforcement.messages import Messages, MessageSettings
from gateway.enforcement.quota import Meters
from gateway.enforcement.recording import Origin
from gateway.facts.analyser import FactsData, facts_data
from gateway.identity.resolver import Identities
from gateway.memory_metrics import MemoryMetrics
from gateway.policy_sets.news import PolicyNews
from gateway.policy_sets.packs import shipped_packs
from gateway.processes.clerk_process import ClerkProcess
from gateway.processes.gate import Gate, Listener
from gateway.processes.hardening import forbid_inspection
from gateway.processes.index_lag import IndexLag
from gateway.processes.instance import Instance, open_instance
from gateway.processes.supervision import PolicyChange, Supervision
from gateway.session import SessionMemory
from gateway.telemetry import Telemetry
from gateway.versions import product_version
from gateway.web.admin import AdminRoutes
from gateway.web.guards import guarded_application, plain_errors
from gateway.web.hooks import HookLimits, Hooks, RecordObserver
from gateway.web.listeners import address_of, bind
from gateway.web.query_forward import QueryForward
from gateway.wiring_backends import build_remote, remote_rules
from gateway.wiring_facts import build_gate_facts, facts_setup
from gateway.wiring_policies import keep_policies, load_policies, policy_watch, reload_policies, retirement
from gateway.wiring_record import QUERY_SOCKET, clerk_environment

ADMIN_SOCKET = "admin.sock"


class BuiltGate(Struct):
    """A gate ready to run, and what its start says."""

    gate: Gate
    listen: str
    admin_listen: str
    data_dir: Path
    posture: Judgement


class GateBuilder:
    """Builds the gate process step by step; every step that can refuse comes before the first socket is bound."""

    def __init__(
        self,
        config: Config,
        environment: Mapping[str, str],
        *,
        config_file: Path | None,
        observers: Sequence[RecordObserver],
    ) -> None:
        self._config = config
        self._environment = environment
        self._config_file = config_file
        self._observers = observers
        self._started = clock.now()
        self._facts: FactsData = facts_data()
        self._readiness = Readiness()
        self._policies = load_policies(config)
        self._new_id = clock.Uuid7()
        self._remote: ProvenPdp | None = None
        self._meters = Meters(quota(config))

    def build(self) -> BuiltGate:
        """The gate. Raises ConfigError, PolicyError or StoreError."""
        config = self._config
        data_dir = data_dir_of(config, self._environment)
        # Judged before it is opened: opening makes the directory private, and who could write there before stays unsaid.
        self._posture = self._judge_posture(data_dir)
        if self._posture.posture == "held":
            forbid_inspection()
        instance = open_instance(data_dir, clock.random_bytes)
        self._instance = instance
        keep_policies(data_dir, self._policies)
        self._telemetry = Telemetry(
            agents=(CLAUDE_CODE,),
            tools=self._facts.tools.known,
            rules=self._policies.names,
            version=product_version(),
        )
        self._identities = Identities(
            identity_rules(config, os.geteuid(), self._started // 1_000_000_000, self._posture.posture),
            clock.now,
        )
        data_socket = bind(config.server.listen, "server.listen", "--listen")
        admin_socket = bind(config.server.admin_listen, "server.admin_listen", "--admin-listen")
        self._listen, self._admin_listen = address_of(data_socket), address_of(admin_socket)
        self._local = LocalPdp(self._policies.engine, clock.now)
        self._pdp = self._build_pdp()
        self._journal = self._build_journal(instance)
        self._origin = Origin(
            instance=instance.name, worker="gate", posture=self._posture.posture, backend=self._pdp.name
        )
        self._news = PolicyNews(
            socket=data_dir / QUERY_SOCKET,
            kind_prefix=config.check.kind_prefix,
            dropped=config.check.drop_attributes,
            told=lambda action, facts: self._supervision.record(action, facts),  # noqa: PLW0108 - supervision is built next
        )
        self._supervision = self._build_supervision()
        self._clerk = ClerkProcess(
            data_dir, clerk_environment(self._environment), held=self._posture.posture == "held"
        )
        self._lag = IndexLag(
            socket=data_dir / QUERY_SOCKET,
            chain=self._journal.chain,
            written=lambda: self._journal.place,
            report=self._telemetry.audit_lag.set,
            clock=clock.now,
        )
        hooks = self._build_hooks(instance)
        admin = AdminRoutes(
            telemetry=self._telemetry,
            readiness=self._readiness,
            identities=self._identities,
            status=self.status,
        )
        named, refused = config.server.hosts, self._telemetry.refused
        data_app = guarded_application([self._listen], named, refused, hooks.routes())
        queries = QueryForward(identities=self._identities, socket=data_dir / QUERY_SOCKET)
        admin_routes = [*admin.routes(), *queries.routes()]
        admin_app = guarded_application([self._admin_listen], named, refused, admin_routes)
        local_app = web.Application(middlewares=[plain_errors])
        local_app.add_routes(admin.local_routes())
        gate = Gate(
            listeners=(
                Listener(application=data_app, bound=data_socket),
                Listener(application=admin_app, bound=admin_socket),
                Listener(application=local_app, path=data_dir / ADMIN_SOCKET),
            ),
            check=self._supervision.check,
            may_start=self._supervision.refuse_ungoverned,
            reload=self._supervision.reload,
            watch=policy_watch(config),
            drain=lambda: self._readiness.set("serving", "draining"),
            start=self._start,
            close=self._close,
            drain_seconds=config.server.drain_seconds,
        )
        self._telemetry.mode_info.labels(config.mode).set(1)
        self._telemetry.posture_info.labels(self._posture.posture).set(1)
        self._telemetry.policy_loaded(self._pdp.revision, self._started / 1e9, self._policies.names)
        return BuiltGate(
            gate=gate,
            listen=self._listen,
            admin_listen=self._admin_listen,
            data_dir=data_dir,
            posture=self._posture,
        )

    def status(self) -> dict[str, Any]:
        """What runs here: the answer of `/v1/status`."""
        return {
            "version": product_version(),
            "instance": self._instance.name,
            "pid": os.getpid(),
            "started": self._started,
            "posture": self._posture.posture,
            "posture_reasons": list(self._posture.reasons),
            "backend": self._pdp.name,
            "revision": self._pdp.revision,
            "policies": len(self._policies.names),
            "rules_off": list(self._policies.loosened),
            "layers": list(self._pdp.layers),
            "listeners": {"hooks": self._listen, "admin": self._admin_listen},
            "data_dir": str(self._instance.directory),
            "journal": {
                "chain": self._journal.chain,
                "problem": self._journal.problem,
                "failures": self._journal.failures,
            },
            "clerk": {"running": self._clerk.running, "restarts": self._clerk.restarts},
            "readiness": self._readiness.detail(),
            **stated(self._config),
        }

    def pulse(self) -> dict[str, str]:
        """What a status line shows, cheap enough to be asked all the time."""
        return {
            "mode": self._config.mode,
            "revision": self._pdp.revision,
            "problem": self._journal.problem,
        }

    def _own_places(self) -> list[Path]:
        """Everything of ours that an agent must not change: code, policies, configuration."""
        places = [Path(__file__).resolve().parent, shipped_packs(), *map(Path, self._config.policies)]
        return [*places, self._config_file] if self._config_file is not None else places

    def _build_pdp(self) -> Pdp:
        if self._config.backend == "local":
            return self._local
        self._remote = build_remote(
            self._config,
            self._local,
            self._telemetry.asked,
            lambda problem: self._supervision.proved(problem),  # noqa: PLW0108 - supervision is built after its backend
        )
        return self._remote

    def _build_journal(self, instance: Instance) -> FileJournal:
        return open_journal(
            instance.audit,
            instance=instance.name,
            worker="gate",
            clock=clock.now,
            new_id=self._new_id,
            versions={"ostiary": product_version()},
            durability=self._config.audit.durability,
            segment_bytes=self._config.audit.segment_bytes,
            reserve=keep_reserve(instance.directory),
            epitaph=lambda problem: self._supervision.record_of("recording_stopped", problem=problem),
        )

    def _build_supervision(self) -> Supervision:
        config = self._config
        return Supervision(
            readiness=self._readiness,
            telemetry=self._telemetry,
            journal=self._journal,
            meters=self._meters,
            local=self._local,
            pdp=self._pdp,
            remote=self._remote,
            rules=remote_rules(config),
            load_policies=self._load_policies,
            origin=self._origin,
            facts={"version": product_version(), "mode": config.mode, "config": config_digest(config)},
            clock=clock.now,
            new_id=self._new_id,
            announce=self._news.announce,
        )

    async def _load_policies(self) -> PolicyChange:
        """Compile the policies anew. Raises OstiaryError."""
        data_dir = self._instance.directory
        loaded = await reload_policies(self._config, data_dir, lambda: self._judge_posture(data_dir))

        def put_in_force() -> None:
            self._policies = loaded
            self._local.replace(loaded.engine)
            self._questions.replace_rules_off(loaded.rules_off)

        return PolicyChange(put_in_force=put_in_force, retire=retirement(self._policies), rules=loaded.names)

    def _judge_posture(self, data_dir: Path) -> Judgement:
        """The posture. Raises ConfigError where `held` is demanded and does not hold."""
        places = [data_dir, *self._own_places()]
        return posture_of(self._config, places, own_uid=os.geteuid(), judge=judge)

    def _build_hooks(self, instance: Instance) -> Hooks:
        config = self._config
        setup = facts_setup(
            config, [instance.directory, *self._own_places()], self._listen, self._admin_listen
        )
        self._call_facts = build_gate_facts(setup, self._facts, instance.directory / QUERY_SOCKET)
        memory = SessionMemory()
        self._telemetry.registry.register(MemoryMetrics(memory.work, self._call_facts.analyser.kept))
        self._questions = Questions(check_settings(config, self._policies.rules_off), self._pdp)
        redactor = RecordRedactor(instance.key, instance.key_id, redaction_data())
        enforcer = Enforcer(
            stance=stance(config),
            analyser=self._call_facts.analyser,
            pdp=self._pdp,
            questions=self._questions,
            redactor=redactor,
            lookback=Lookback(memory, redactor),
            meters=self._meters,
            messages=Messages(
                MessageSettings(contact=config.messages.contact, recorded=config.messages.recorded)
            ),
            origin=self._origin,
            clock=clock.now,
            stopwatch=clock.stopwatch,
            new_id=self._new_id,
            ready=lambda: self._supervision.backend_problem,
            incomplete=self._call_facts.analyst.wanted,
        )
        return Hooks(
            enforcer=enforcer,
            adapters={CLAUDE_CODE: ClaudeCodeAdapter(protocol_data())},
            identity=self._identities,
            pdp=self._pdp,
            analyst=self._call_facts.analyst,
            journal=self._journal,
            telemetry=self._telemetry,
            limits=HookLimits(deadline_seconds=config.server.deadline_ms / 1000),
            stopwatch=clock.stopwatch,
            new_error_id=self._new_id,
            marks=Marks(instance.key, clock.now),
            observers=self._observers,
        )

    async def _start(self) -> None:
        await self._clerk.start()
        self._lag.start()
        self._readiness.set("serving", "")
        self._supervision.record("start")

    async def _close(self) -> None:
        self._supervision.close()
        await self._news.close()
        await self._lag.stop()
        await self._call_facts.close()
        self._journal.close()
        await self._clerk.stop()
        await self._pdp.close()
        self._instance.close()
