"""Metrics of the gateway itself. Their names are a public contract (docs/metrics.md).

Labels come from closed tables, else `other`: a client that invents tool names must not grow the registry. No payload, token
or path ever reaches a label.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from gateway.domain.record import Record
from gateway.domain.vocabulary import CAUSES, HOOK_EVENTS, IDENTITY_PROBLEMS

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
_CAUSES = frozenset(CAUSES)
_PROBLEMS = frozenset(IDENTITY_PROBLEMS)
_PDP_CODES = frozenset(
    {"200", "400", "401", "403", "404", "429", "500", "502", "503", "504", "error", "timeout"}
)
_OWN_RULES = ("ostiary.call_id_reuse", "ostiary.unknown_tool", "ostiary.no_policy")
OTHER = "other"
NONE = "none"


class _WithoutCreated:
    """A registry without the `_created` series that the library adds to every counter and nobody asks for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """The metrics, each without its creation times."""
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


class Telemetry:
    """Every metric, on a registry of its own."""

    def __init__(
        self, *, agents: Iterable[str], tools: Iterable[str], rules: Iterable[str], version: str
    ) -> None:
        self.registry = CollectorRegistry()
        self._agents = frozenset(agents)
        self._tools = frozenset(tools)
        self._rules = frozenset((*rules, *_OWN_RULES))
        self.decisions = self._counter(
            "ostiary_decisions",
            "Hook events answered: what policy said, what the agent got, in which mode",
            "agent",
            "event",
            "tool",
            "decision",
            "answer",
            "mode",
        )
        self.rule_hits = self._counter(
            "ostiary_rule_hits", "Rules that spoke for a decision", "rule", "decision", "mode"
        )
        self.hook_duration = self._histogram(
            "ostiary_hook_duration_seconds", "Time a hook took, by stage", "stage"
        )
        self.pdp_requests = self._counter(
            "ostiary_pdp_requests", "Requests to a remote policy backend", "backend", "code"
        )
        self.pdp_duration = self._histogram(
            "ostiary_pdp_duration_seconds", "Time a remote policy backend took", "backend"
        )
        self.cache_requests = self._counter(
            "ostiary_cache_requests", "Lookups in the decision cache", "result"
        )
        self.failures = self._counter(
            "ostiary_failures",
            "Calls that met a failure, by what was answered: pass in enforce is fail-open",
            "cause",
            "answer",
        )
        self.unauthenticated = self._counter(
            "ostiary_unauthenticated", "Requests whose caller could not be proven", "problem"
        )
        self.refused_requests = self._counter(
            "ostiary_refused_requests", "Requests refused before they were read", "reason"
        )
        self.audit_records = self._counter("ostiary_audit_records", "Records journalled", "type")
        self.audit_dropped = self._counter(
            "ostiary_audit_dropped", "Calls without a record of their own", "reason"
        )
        self.audit_lag = self._gauge(
            "ostiary_audit_lag_seconds", "Age of the oldest record that is not indexed yet"
        )
        self.ready = self._gauge("ostiary_ready", "1 while calls may be sent here")
        self.backend_degraded = self._gauge(
            "ostiary_backend_degraded", "1 while the policy backend works only in part", "condition"
        )
        self.kind_governed = self._gauge(
            "ostiary_kind_governed", "1 when the policy backend holds a policy for a resource kind", "kind"
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

    def observe(self, record: Record, *, written: bool) -> None:
        """Count one call; `written` says whether its record is in the journal."""
        if record.synthetic:
            return
        if written:
            self.audit_records.labels(record.type).inc()
        self.decisions.labels(
            record.agent if record.agent in self._agents else OTHER,
            record.event if record.event in _EVENTS else OTHER,
            self.tool_label(record.tool),
            record.decision or NONE,
            record.answer,
            record.mode,
        ).inc()
        for rule, decision in {(reason.rule, reason.decision) for reason in record.reasons}:
            self.rule_hits.labels(rule if rule in self._rules else OTHER, decision, record.mode).inc()
        if record.timings:
            for stage in _STAGES:
                if stage in record.timings:
                    self.hook_duration.labels(stage).observe(record.timings[stage] / 1e9)

    def failure(self, cause: str, answer: str) -> None:
        """Count a failure and what was answered: `answer="pass"` in enforce is a page."""
        self.failures.labels(cause if cause in _CAUSES else OTHER, answer).inc()

    def unproven(self, problem: str) -> None:
        """Count a request whose caller could not be proven."""
        self.unauthenticated.labels(problem if problem in _PROBLEMS else OTHER).inc()

    def dropped(self, reason: str, count: int) -> None:
        """Calls without a record of their own: `write_failed`, or `counted_only` where one record tells of many."""
        self.audit_dropped.labels(reason).inc(count)

    def refused(self, reason: str) -> None:
        """Count a request that was refused before it was read: `host`, `browser` or `head`."""
        self.refused_requests.labels(reason).inc()

    def asked(self, backend: str, code: str, seconds: float) -> None:
        """Count a request to a remote backend; `code` is its HTTP status, `timeout` or `error`."""
        self.pdp_requests.labels(backend, code if code in _PDP_CODES else OTHER).inc()
        self.pdp_duration.labels(backend).observe(seconds)

    def backend(self, conditions: Mapping[str, bool], governed: Mapping[str, bool]) -> None:
        """State what works only in part, and which kinds have a policy."""
        for condition, holds in conditions.items():
            self.backend_degraded.labels(condition).set(holds)
        for kind, known in governed.items():
            self.kind_governed.labels(kind).set(known)

    def policy_loaded(self, revision: str, at: float, rules: Collection[str]) -> None:
        """A policy set is in force; `rules` are the names its rules may be counted under."""
        self._rules = frozenset((*rules, *_OWN_RULES))
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
            return NONE
        if tool in self._tools:
            return tool
        return "mcp" if tool.startswith("mcp__") else OTHER

    def render(self, accept: str) -> tuple[bytes, str]:
        """The exposition in the format a scraper accepts, with its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(_WithoutCreated(self.registry)), content_type

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=_BUCKETS, registry=self.registry)
