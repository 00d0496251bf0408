"""Metrics of what the gate remembers: sessions' work and kept analyses, read when a scraper asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gateway.session_work import SessionWork


class Kept(Protocol):
    """The counts of a memo."""

    bytes: int
    hits: int
    misses: int
    evictions: int


class MemoryMetrics(Collector):
    """The counts, as they are now."""

    def __init__(self, work: SessionWork, kept: Kept) -> None:
        self._work = work
        self._kept = kept

    def collect(self) -> Iterator[Metric]:
        """Every metric of this module."""
        work, kept = self._work, self._kept
        yield GaugeMetricFamily(
            "ostiary_session_memory_sessions", "Sessions whose work is remembered", value=len(work)
        )
        yield GaugeMetricFamily(
            "ostiary_session_memory_bytes", "Bytes of the work of sessions", value=work.bytes
        )
        forgotten = CounterMetricFamily(
            "ostiary_session_memory_forgotten",
            "What a limit made the memory of sessions give up",
            labels=["what"],
        )
        for what in ("session", "entry", "text"):
            forgotten.add_metric([what], work.forgotten[what])
        yield forgotten
        yield CounterMetricFamily(
            "ostiary_session_memory_unseen",
            "Sessions first heard of in their middle, after a restart or too many others",
            value=work.unseen,
        )
        yield GaugeMetricFamily(
            "ostiary_analysis_memo_bytes", "Bytes of analyses of commands that are kept", value=kept.bytes
        )
        lookups = CounterMetricFamily(
            "ostiary_analysis_memo_requests", "Lookups of kept analyses", labels=["result"]
        )
        lookups.add_metric(["hit"], kept.hits)
        lookups.add_metric(["miss"], kept.misses)
        yield lookups
        yield CounterMetricFamily(
            "ostiary_analysis_memo_evictions", "Kept analyses given up for newer ones", value=kept.evictions
        )
