"""Builds what reads the record: the clerk beside the gate, and a reader where no gateway runs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from adapters.stores.sqlite import SqliteStore
from gateway import clock
from gateway.audit.beginning import open_journal
from gateway.audit.journal import FileJournal
from gateway.audit.redact import RecordRedactor, redaction_data
from gateway.domain.reader import Reader
from gateway.offline import OfflineReader
from gateway.policy_sets.comparison import Comparison
from gateway.policy_sets.history import PolicyHistory
from gateway.processes.clerk import Clerk
from gateway.processes.indexing import Indexing
from gateway.processes.instance import attach_instance
from gateway.readings import Readings
from gateway.versions import product_version
from gateway.web.analysis_api import AnalysisRoutes
from gateway.web.comparison_api import ComparisonRoutes
from gateway.web.guards import plain_errors
from gateway.web.query_api import QueryRoutes
from gateway.wiring_facts import build_clerk_analysis

QUERY_SOCKET = "query.sock"
MAX_JOB_BYTES = 16 * 1024 * 1024
"""A call to analyse: at most what a hook may send, with what its session wrote."""
INDEX_NAME = "index.sqlite"


def clerk_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What the clerk needs of the environment, and nothing else: no credential goes with it."""
    return {
        name: environment[name] for name in ("PATH", "LANG", "LC_ALL", "TZ", "HOME") if name in environment
    }


def build_clerk(data_dir: Path) -> Clerk:
    """The clerk of a data directory. Its own chain holds who searched the record."""
    store = SqliteStore(data_dir / INDEX_NAME)
    indexing = Indexing(data_dir / "audit", store, clock.stopwatch)
    journal, readings = _readings(data_dir, "clerk")
    routes = QueryRoutes(store=store, indexing=indexing, audited=readings.record)
    comparison = Comparison(PolicyHistory(data_dir), lambda: SqliteStore(data_dir / INDEX_NAME))
    application = web.Application(middlewares=[plain_errors], client_max_size=MAX_JOB_BYTES)
    application.add_routes(
        [
            *routes.routes(),
            *ComparisonRoutes(comparison.run, indexing.catch_up).routes(),
            *AnalysisRoutes(build_clerk_analysis(), clock.stopwatch).routes(),
        ]
    )

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
