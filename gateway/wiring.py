"""The one file that chooses implementations: a builder for each process and command, nothing decided anywhere else."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Any

from aiohttp import web
from msgspec import Struct

from adapters.agents.claude_code import AGENT as CLAUDE_CODE
from adapters.agents.claude_code import ClaudeCodeAdapter, protocol_data
from adapters.pdp.cerbos_http import TESTED_VERSIONS, CerbosHttpPdp, CerbosSettings
from adapters.pdp.local import LocalPdp
from adapters.stores.sqlite import SqliteIndex
from gateway import clock
from gateway.audit.beginning import open_journal
from gateway.audit.journal import FileJournal
from gateway.audit.redact import RecordRedactor, redaction_data
from gateway.audit.reserve import keep_reserve
from gateway.checks import Questions
from gateway.clerk import Clerk, catch_up
from gateway.clerk_process import ClerkProcess
from gateway.config import Config
from gateway.config_rules import (
    check_settings,
    facts_settings,
    identity_rules,
    posture_of,
    rules_off,
    rules_off_patterns,
    stance,
    stated,
)
from gateway.config_sources import default_data_dir
from gateway.domain.ports import Pdp
from gateway.domain.record import Record
from gateway.domain.vocabulary import RECORD_SCHEMA
from gateway.enforce import Enforcer
from gateway.facts.analyser import CallAnalyser
from gateway.facts.groups import group_data
from gateway.facts.tool_data import ToolData, tool_data
from gateway.gate import Gate, Listener
from gateway.identity.resolver import Identities
from gateway.instance import NAME_NAME, Instance, open_instance
from gateway.messages import Messages, MessageSettings
from gateway.packs import shipped_packs
from gateway.policy.directory import read_roots
from gateway.policy.engine import Engine, compile_policies
from gateway.policy.settings import EngineSettings
from gateway.posture import Judgement, judge
from gateway.readiness import Readiness
from gateway.recording import Origin
from gateway.session import SessionMemory
from gateway.supervision import Supervision
from gateway.telemetry import Telemetry
from gateway.web.admin import AdminRoutes
from gateway.web.guards import host_guard, plain_errors
from gateway.web.hooks import HookLimits, Hooks, RecordObserver
from gateway.web.listeners import address_of, bind
from gateway.web.query_api import QueryRoutes

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


def product_version() -> str:
    """The version that runs."""
    return distribution_version("ostiary")


def data_dir_of(config: Config, environment: Mapping[str, str]) -> Path:
    """The data directory: as configured, relative to where the command was called, else the default."""
    return Path(config.data_dir).absolute() if config.data_dir else default_data_dir(environment)


def build_engine(config: Config) -> Engine:
    """The local engine over the shipped packs and the configured policies. Raises PolicyError with every place."""
    roots = (shipped_packs(), *(Path(path) for path in config.policies))
    return compile_policies(read_roots(roots), EngineSettings(packs_off=rules_off_patterns(config)))


def cerbos_settings(config: Config) -> CerbosSettings:
    """Where the remote PDP is."""
    return CerbosSettings(
        url=config.cerbos.url,
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
        self._tools: ToolData = tool_data()
        self._readiness = Readiness()
        self._engine = build_engine(config)
        self._rules_off = rules_off(config, (rule.name for rule in self._engine.rules()))
        self._new_id = clock.Uuid7()
        self._remote: CerbosHttpPdp | None = None

    def build(self) -> BuiltGate:
        """The gate. Raises ConfigError, PolicyError or StoreError."""
        config = self._config
        data_dir = data_dir_of(config, self._environment)
        instance = open_instance(data_dir, clock.random_bytes)
        self._instance = instance
        self._posture = posture_of(config, [data_dir, *self._own_places()], own_uid=os.geteuid(), judge=judge)
        self._telemetry = Telemetry(
            agents=(CLAUDE_CODE,),
            tools=self._tools.known,
            rules=(rule.name for rule in self._engine.rules()),
            version=product_version(),
        )
        self._identities = Identities(
            identity_rules(config, os.geteuid(), self._started // 1_000_000_000), clock.now
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
        self._supervision = self._build_supervision()
        self._clerk = ClerkProcess(data_dir, self._clerk_environment())
        hooks = self._build_hooks(instance)
        admin = AdminRoutes(
            telemetry=self._telemetry,
            readiness=self._readiness,
            identities=self._identities,
            status=self.status,
        )
        data_app = self._application([self._listen], hooks.routes())
        admin_app = self._application([self._admin_listen], admin.routes())
        local_app = web.Application(middlewares=[plain_errors])
        local_app.add_routes(admin.local_routes())
        gate = Gate(
            listeners=(
                Listener(application=data_app, bound=data_socket),
                Listener(application=admin_app, bound=admin_socket),
                Listener(application=local_app, path=data_dir / ADMIN_SOCKET),
            ),
            check=self._supervision.check,
            reload=self._supervision.reload,
            drain=lambda: self._readiness.set("serving", "draining"),
            start=self._start,
            close=self._close,
            drain_seconds=config.server.drain_seconds,
        )
        self._telemetry.mode_info.labels(config.mode).set(1)
        self._telemetry.posture_info.labels(self._posture.posture).set(1)
        self._telemetry.policy_loaded(self._pdp.revision, self._started / 1e9)
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

    def _own_places(self) -> list[Path]:
        """Everything of ours that an agent must not change: code, policies, configuration."""
        places = [Path(__file__).resolve().parent, shipped_packs(), *map(Path, self._config.policies)]
        return [*places, self._config_file] if self._config_file is not None else places

    def _build_pdp(self) -> Pdp:
        config = self._config
        if config.backend == "local":
            return self._local

        def observe(code: str, seconds: float) -> None:
            self._telemetry.pdp_requests.labels("cerbos", code).inc()
            self._telemetry.pdp_duration.labels("cerbos").observe(seconds)

        remote = self._remote = CerbosHttpPdp(cerbos_settings(config), clock.stopwatch, observe)
        return remote

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
            local=self._local,
            pdp=self._pdp,
            remote=self._remote,
            remote_seconds=config.cerbos.timeout_ms / 1000,
            kind_prefix=config.check.kind_prefix,
            tested_versions=TESTED_VERSIONS,
            load_policies=self._load_policies,
            origin=self._origin,
            facts={"version": product_version(), "mode": config.mode},
            clock=clock.now,
            new_id=self._new_id,
        )

    def _load_policies(self) -> Callable[[], None]:
        """Compile the policies anew; the result puts them in force."""
        engine = build_engine(self._config)

        def put_in_force() -> None:
            self._engine = engine
            self._local.replace(engine)

        return put_in_force

    def _build_hooks(self, instance: Instance) -> Hooks:
        config = self._config
        ports = frozenset(int(address.rpartition(":")[2]) for address in (self._listen, self._admin_listen))
        facts = facts_settings(config, [instance.directory, *self._own_places()], ports)
        enforcer = Enforcer(
            stance=stance(config),
            analyser=CallAnalyser(facts, self._tools, group_data()),
            pdp=self._pdp,
            questions=Questions(check_settings(config, self._rules_off), self._pdp),
            redactor=RecordRedactor(instance.key, instance.key_id, redaction_data()),
            memory=SessionMemory(),
            messages=Messages(MessageSettings(contact=config.messages.contact)),
            origin=Origin(
                instance=instance.name, worker="gate", posture=self._posture.posture, backend=self._pdp.name
            ),
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
            observers=self._observers,
        )

    def _application(self, listen: list[str], routes: list[web.RouteDef]) -> web.Application:
        application = web.Application(
            middlewares=[plain_errors, host_guard(listen, self._config.server.hosts)]
        )
        application.add_routes(routes)
        return application

    async def _start(self) -> None:
        await self._clerk.start()
        self._readiness.set("serving", "")
        self._supervision.record("start")

    async def _close(self) -> None:
        self._supervision.record("stop")
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
    audit_dir = data_dir / "audit"
    index = SqliteIndex(data_dir / INDEX_NAME)
    new_id = clock.Uuid7()
    journal = open_journal(
        audit_dir,
        instance=(data_dir / NAME_NAME).read_text(encoding="ascii").strip(),
        worker="clerk",
        clock=clock.now,
        new_id=new_id,
        versions={"ostiary": product_version()},
    )

    def audited(action: str, facts: Mapping[str, Any]) -> None:
        record = Record(
            schema=RECORD_SCHEMA,
            type="gate",
            decision_id=new_id(),
            ts=clock.now(),
            worker="clerk",
            gate={"action": "audit_read", "what": action, **facts},
        )
        journal.submit(record, lambda _error: None)

    routes = QueryRoutes(
        index=index, find=index.find, catch_up=lambda: catch_up(audit_dir, index), audited=audited
    )
    application = web.Application(middlewares=[plain_errors])
    application.add_routes(routes.routes())

    async def close() -> None:
        journal.close()
        index.close()

    return Clerk(
        audit_dir=audit_dir, index=index, application=application, socket=data_dir / QUERY_SOCKET, close=close
    )


def build_offline_index(data_dir: Path, work: Path) -> SqliteIndex:
    """An index of a record whose gateway does not run, built in `work`: searching needs no running process."""
    index = SqliteIndex(work / INDEX_NAME)
    catch_up(data_dir / "audit", index)
    return index
