"""Metrics and logs of the gateway itself. The metric names are a public contract (docs/metrics.md).

Labels come from closed tables, else `other`: a client that invents tool names must not grow the registry. No payload, token
or path ever reaches a label or a log line.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from gateway.domain.record import Record
from gateway.domain.vocabulary import HOOK_EVENTS

_BUCKETS = (
    0.00005,
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
)
_STAGES = ("decode", "analyse", "decide", "total")
_EVENTS = frozenset(HOOK_EVENTS)


class Telemetry:
    """Every metric, on a registry of its own."""

    def __init__(
        self, *, agents: Iterable[str], tools: Iterable[str], rules: Iterable[str], version: str
    ) -> None:
        self.registry = CollectorRegistry()
        self._agents = frozenset(agents)
        self._tools = frozenset(tools)
        self._rules = frozenset(rules)
        self.decisions = self._counter(
            "ostiary_decisions", "Decisions", "agent", "event", "tool", "decision", "answer", "mode"
        )
        self.rule_hits = self._counter("ostiary_rule_hits", "Rules that decided", "rule", "decision", "mode")
        self.hook_duration = Histogram(
            "ostiary_hook_duration_seconds",
            "Time a hook took, by stage",
            ["stage"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.pdp_requests = self._counter(
            "ostiary_pdp_requests", "Requests to the policy backend", "backend", "code"
        )
        self.pdp_duration = Histogram(
            "ostiary_pdp_request_duration_seconds",
            "Time the policy backend took",
            ["backend"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.cache_requests = self._counter(
            "ostiary_cache_requests", "Lookups in the decision cache", "result"
        )
        self.failures = self._counter(
            "ostiary_failures", "Calls no ordinary decision could be made for", "cause", "answer"
        )
        self.unauthenticated = self._counter(
            "ostiary_unauthenticated", "Callers who could not be proven", "problem"
        )
        self.audit_records = self._counter("ostiary_audit_records", "Records journalled", "type")
        self.audit_dropped = self._counter("ostiary_audit_dropped", "Records that could not be journalled")
        self.audit_lag = self._gauge(
            "ostiary_audit_lag_seconds", "Age of the oldest record that is not indexed yet"
        )
        self.policy_info = self._gauge("ostiary_policy_info", "The policy set in force", "revision")
        self.reload_successful = self._gauge(
            "ostiary_policy_last_reload_successful", "1 when the last load of the policies succeeded"
        )
        self.reload_time = self._gauge(
            "ostiary_policy_last_reload_success_timestamp_seconds", "When the policies were last loaded"
        )
        self.build_info = self._gauge("ostiary_build_info", "The version that runs", "version")
        self.mode_info = self._gauge("ostiary_mode_info", "The default mode", "mode")
        self.posture_info = self._gauge("ostiary_posture_info", "The detected posture", "posture")
        self.build_info.labels(version).set(1)

    def observe(self, record: Record) -> None:
        """Count one record that was handled, whether or not it could be written."""
        if record.synthetic:
            return
        self.audit_records.labels(record.type).inc()
        self.decisions.labels(
            record.agent if record.agent in self._agents else "other",
            record.event if record.event in _EVENTS else "other",
            self.tool_label(record.tool),
            record.decision or "none",
            record.answer,
            record.mode,
        ).inc()
        for rule in {reason.rule for reason in record.reasons}:
            known = rule if rule in self._rules or rule.startswith("ostiary.") else "other"
            self.rule_hits.labels(known, record.decision, record.mode).inc()
        if record.timings:
            for stage in _STAGES:
                if stage in record.timings:
                    self.hook_duration.labels(stage).observe(record.timings[stage] / 1e9)

    def failure(self, cause: str, answer: str) -> None:
        """Count a failure and what was answered: `answer="pass"` in enforce is a page."""
        self.failures.labels(cause, answer).inc()

    def policy_loaded(self, revision: str, at: float) -> None:
        """A policy set is in force."""
        self.policy_info.clear()
        self.policy_info.labels(revision).set(1)
        self.reload_successful.set(1)
        self.reload_time.set(at)

    def policy_refused(self) -> None:
        """A policy set could not be loaded; the last good one stays."""
        self.reload_successful.set(0)

    def tool_label(self, tool: str) -> str:
        """The label of a tool: its name when it is known, `mcp`, `other`, or `none` for events without a tool."""
        if not tool:
            return "none"
        if tool in self._tools:
            return tool
        return "mcp" if tool.startswith("mcp__") else "other"

    def render(self, accept: str) -> tuple[bytes, str]:
        """The exposition in the format a scraper accepts, with its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)


def configure_logging(stream: TextIO, level: str, *, as_json: bool) -> None:
    """One line an event on `stream`, JSON or for people; the standard library's loggers go the same way."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=stream.isatty())]
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=number, force=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
