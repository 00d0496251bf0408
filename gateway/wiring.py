"""The one file that chooses implementations: a builder for each process and command, nothing decided anywhere else."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web
from msgspec import Struct

from adapters.agents.claude_code import AGENT as CLAUDE_CODE
from adapters.agents.claude_code import ClaudeCodeAdapter, protocol_data
from adapters.pdp.cerbos_http import TESTED_VERSIONS, CerbosHttpPdp, CerbosSettings
from adapters.pdp.local import LocalPdp
from adapters.stores.sqlite import SqliteStore
from gateway import clock
from gateway.audit.beginning import open_journal
from gateway.audit.journal import FileJournal
from gateway.audit.redact import RecordRedactor, redaction_data
from gateway.audit.reserve import keep_reserve
from gateway.canary import canary_problem, canary_request
from gateway.checks import Questions
from gateway.clerk import Clerk
from gateway.clerk_process import ClerkProcess
from gateway.config import Config
from gateway.config_rules import (
    cerbos_url,
    check_settings,
    facts_settings,
    identity_rules,
    must_govern,
    posture_of,
    quota,
    rules_off,
    rules_off_patterns,
    stance,
    stated,
)
from gateway.config_sources import data_dir_of
from gateway.domain.ports import Pdp
from gateway.domain.reader import Reader
from gateway.domain.record import Record
from gateway.enforce import Enforcer
from gateway.errors import PolicyError, StoreError
from gateway.facts.analyser import CallAnalyser, FactsData, facts_data
from gateway.gate import Gate, Listener
from gateway.hardening import forbid_inspection
from gateway.identity.resolver import Identities
from gateway.index_lag import IndexLag
from gateway.indexing import Indexing
from gateway.instance import Instance, attach_instance, open_instance
from gateway.lookback import Lookback
from gateway.messages import Messages, MessageSettings
from gateway.offline import OfflineReader
from gateway.packs import shipped_packs
from gateway.policy.directory import SourceFile, read_roots
from gateway.policy.engine import Engine, compile_policies
from gateway.policy.settings import EngineSettings
from gateway.policy_comparison import Comparison
from gateway.policy_history import PolicyHistory
from gateway.policy_news import PolicyNews
from gateway.posture import Judgement, judge
from gateway.proven import ProvenPdp
from gateway.quota import Meters
from gateway.readiness import Readiness
from gateway.readings import Readings
from gateway.recording import Origin
from gateway.session import SessionMemory
from gateway.supervision import PolicyChange, RemoteRules, Supervision
from gateway.synthetic import Marks
from gateway.telemetry import Telemetry
from gateway.versions import product_version
from gateway.web.admin import AdminRoutes
from gateway.web.comparison_api import ComparisonRoutes
from gateway.web.guards import host_guard, plain_errors
from gateway.web.hooks import HookLimits, Hooks, RecordObserver
from gateway.web.listeners import address_of, bind
from gateway.web.query_api import QueryRoutes
from gateway.web.query_forward import QueryForward

ADMIN_SOCKET = "admin.sock"
QUERY_SOCKET = "query.sock"
INDEX_NAME = "index.sqlite"


class BuiltGate(Struct):
    """A gate ready to run, and what its start says."""

    gate: Gate
    listen: str
    admin_listen: str
    data_dir: Path
    posture: Judgement
    status: Mapping[str, Any]


def policy_sources(config: Config) -> tuple[SourceFile, ...]:
    """The files of the shipped packs and of the configured policies. Raises PolicyError when one cannot be read."""
    return read_roots((shipped_packs(), *(Path(path) for path in config.policies)))


def build_engine(config: Config, sources: Sequence[SourceFile] | None = None) -> Engine:
    """The local engine over the shipped packs and the configured policies. Raises PolicyError with every place."""
    return compile_policies(
        policy_sources(config) if sources is None else sources,
        EngineSettings(packs_off=rules_off_patterns(config)),
    )


def cerbos_settings(config: Config) -> CerbosSettings:
    """Where the remote PDP is."""
    return CerbosSettings(
        url=cerbos_url(config),
        timeout_seconds=config.cerbos.timeout_ms / 1000,
        connections=config.cerbos.connections,
        revision=config.cerbos.revision,
        layers=config.layers,
    )


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
        self._sources = policy_sources(config)
        self._engine = build_engine(config, self._sources)
        self._rules_off = rules_off(config, (rule.name for rule in self._engine.rules()))
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
        self._keep(self._engine, self._sources, self._rules_off)
        self._telemetry = Telemetry(
            agents=(CLAUDE_CODE,),
            tools=self._facts.tools.known,
            rules=(rule.name for rule in self._engine.rules()),
            version=product_version(),
        )
        self._identities = Identities(
            identity_rules(config, os.geteuid(), self._started // 1_000_000_000, self._posture.posture),
            clock.now,
        )
        data_socket = bind(config.server.listen, "server.listen", "--listen")
        admin_socket = bind(config.server.admin_listen, "server.admin_listen", "--admin-listen")
        self._listen, self._admin_listen = address_of(data_socket), address_of(admin_socket)
        self._local = LocalPdp(self._engine, clock.now)
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
        self._clerk = ClerkProcess(data_dir, self._clerk_environment(), held=self._posture.posture == "held")
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
        data_app = self._application([self._listen], hooks.routes())
        queries = QueryForward(identities=self._identities, socket=data_dir / QUERY_SOCKET)
        admin_app = self._application([self._admin_listen], [*admin.routes(), *queries.routes()])
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
            drain=lambda: self._readiness.set("serving", "draining"),
            start=self._start,
            close=self._close,
            drain_seconds=config.server.drain_seconds,
        )
        self._telemetry.mode_info.labels(config.mode).set(1)
        self._telemetry.posture_info.labels(self._posture.posture).set(1)
        self._telemetry.policy_loaded(
            self._pdp.revision, self._started / 1e9, [rule.name for rule in self._engine.rules()]
        )
        return BuiltGate(
            gate=gate,
            listen=self._listen,
            admin_listen=self._admin_listen,
            data_dir=data_dir,
            posture=self._posture,
            status=self.status(),
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
            "policies": len(self._engine.rules()),
            "rules_off": list(self._rules_off),
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
        config = self._config
        if config.backend == "local":
            return self._local
        cerbos = CerbosHttpPdp(
            cerbos_settings(config),
            clock.stopwatch,
            lambda code, seconds: self._telemetry.asked("cerbos", code, seconds),
        )
        self._remote = ProvenPdp(
            cerbos,
            clock.stopwatch,
            config.check.kind_prefix,
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
            epitaph=self._epitaph,
        )

    def _epitaph(self, problem: str) -> Record:
        """The last record of a full disk."""
        return self._supervision.record_of("recording_stopped", problem=problem)

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
            rules=RemoteRules(
                seconds=config.cerbos.timeout_ms / 1000,
                tested_versions=TESTED_VERSIONS,
                must_govern=must_govern(config),
            ),
            load_policies=self._load_policies,
            origin=self._origin,
            facts={"version": product_version(), "mode": config.mode},
            clock=clock.now,
            new_id=self._new_id,
            announce=self._news.announce,
        )

    def _load_policies(self) -> PolicyChange:
        """Compile the policies anew. Raises OstiaryError; a set that lets the canary live is refused as well."""
        self._judge_posture(self._instance.directory)
        sources = policy_sources(self._config)
        engine = build_engine(self._config, sources)
        names = tuple(rule.name for rule in engine.rules())
        switched_off = rules_off(self._config, names)
        problem = canary_problem(LocalPdp(engine, clock.now).decide_now(canary_request()))
        if problem:
            raise PolicyError(
                problem, number=40, remedy="Leave policies for the canary's kind to the shipped packs."
            )

        self._keep(engine, sources, switched_off)

        def put_in_force() -> None:
            self._engine = engine
            self._rules_off = switched_off
            self._local.replace(engine)
            self._questions.replace_rules_off(switched_off)

        return PolicyChange(put_in_force=put_in_force, rules=names)

    def _keep(self, engine: Engine, sources: Sequence[SourceFile], switched_off: Sequence[str]) -> None:
        """Keep a policy set for comparisons; without it the next reload tells less, and nothing else is lost."""
        with contextlib.suppress(StoreError):
            PolicyHistory(self._instance.directory).keep(engine.revision, sources, switched_off)

    def _judge_posture(self, data_dir: Path) -> Judgement:
        """The posture. Raises ConfigError where `held` is demanded and does not hold."""
        places = [data_dir, *self._own_places()]
        return posture_of(self._config, places, own_uid=os.geteuid(), judge=judge)

    def _build_hooks(self, instance: Instance) -> Hooks:
        config = self._config
        facts = facts_settings(
            config,
            [instance.directory, *self._own_places()],
            [self._listen, self._admin_listen],
            self._facts.mcp.all_roles,
        )
        self._questions = Questions(check_settings(config, self._rules_off), self._pdp)
        redactor = RecordRedactor(instance.key, instance.key_id, redaction_data())
        enforcer = Enforcer(
            stance=stance(config),
            analyser=CallAnalyser(facts, self._facts),
            pdp=self._pdp,
            questions=self._questions,
            redactor=redactor,
            lookback=Lookback(SessionMemory(), redactor),
            meters=self._meters,
            messages=Messages(
                MessageSettings(contact=config.messages.contact, recorded=config.messages.recorded)
            ),
            origin=self._origin,
            clock=clock.now,
            stopwatch=clock.stopwatch,
            new_id=self._new_id,
            ready=lambda: self._supervision.backend_problem,
        )
        return Hooks(
            enforcer=enforcer,
            adapters={CLAUDE_CODE: ClaudeCodeAdapter(protocol_data())},
            identity=self._identities,
            pdp=self._pdp,
            journal=self._journal,
            telemetry=self._telemetry,
            limits=HookLimits(deadline_seconds=config.server.deadline_ms / 1000),
            stopwatch=clock.stopwatch,
            new_error_id=self._new_id,
            marks=Marks(instance.key, clock.now),
            observers=self._observers,
        )

    def _application(self, listen: list[str], routes: list[web.RouteDef]) -> web.Application:
        application = web.Application(
            middlewares=[
                plain_errors,
                host_guard(listen, self._config.server.hosts, self._telemetry.refused),
            ]
        )
        application.add_routes(routes)
        return application

    async def _start(self) -> None:
        await self._clerk.start()
        self._lag.start()
        self._readiness.set("serving", "")
        self._supervision.record("start")

    async def _close(self) -> None:
        self._supervision.close()
        await self._news.close()
        await self._lag.stop()
        self._journal.close()
        await self._clerk.stop()
        await self._pdp.close()
        self._instance.close()

    def _clerk_environment(self) -> dict[str, str]:
        """What the clerk needs of the environment, and nothing else: no credential goes with it."""
        return {
            name: self._environment[name]
            for name in ("PATH", "LANG", "LC_ALL", "TZ", "HOME")
            if name in self._environment
        }


def build_clerk(data_dir: Path) -> Clerk:
    """The clerk of a data directory. Its own chain holds who searched the record."""
    store = SqliteStore(data_dir / INDEX_NAME)
    indexing = Indexing(data_dir / "audit", store, clock.stopwatch)
    journal, readings = _readings(data_dir, "clerk")
    routes = QueryRoutes(store=store, indexing=indexing, audited=readings.record)
    comparison = Comparison(PolicyHistory(data_dir), lambda: SqliteStore(data_dir / INDEX_NAME))
    application = web.Application(middlewares=[plain_errors])
    application.add_routes([*routes.routes(), *ComparisonRoutes(comparison.run, indexing.catch_up).routes()])

    def close() -> None:
        journal.close()
        store.close()

    return Clerk(indexing=indexing, application=application, socket=data_dir / QUERY_SOCKET, close=close)


def build_offline_reader(data_dir: Path) -> OfflineReader:
    """Reads a record whose gateway does not run. Raises ConfigError or StoreError."""
    attach_instance(data_dir)
    own = os.access(data_dir, os.W_OK)
    place = data_dir if own else Path(tempfile.mkdtemp(prefix="ostiary-"))
    store = SqliteStore(place / INDEX_NAME)
    return OfflineReader(
        store=store,
        indexing=Indexing(data_dir / "audit", store, clock.stopwatch),
        readings=(lambda: _readings(data_dir, "cli")) if own else None,
        reader=Reader(id=f"uid:{os.geteuid()}", reader_class="owner"),
        temporary=None if own else place,
    )


def _readings(data_dir: Path, worker: str) -> tuple[FileJournal, Readings]:
    """The chain of a process that reads, and what writes into it."""
    instance = attach_instance(data_dir)
    new_id = clock.Uuid7()
    journal = open_journal(
        instance.audit,
        instance=instance.name,
        worker=worker,
        clock=clock.now,
        new_id=new_id,
        versions={"ostiary": product_version()},
    )
    readings = Readings(
        journal=journal,
        redactor=RecordRedactor(instance.key, instance.key_id, redaction_data()),
        instance=instance.name,
        worker=worker,
        clock=clock.now,
        new_id=new_id,
    )
    return journal, readings
