"""What the gate remembers is counted, in the names of docs/metrics.md."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from gateway.domain.remembered import Change
from gateway.facts.shell_memo import TraceMemo
from gateway.memory_metrics import MemoryMetrics
from gateway.session_work import SessionWork, WorkLimits

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def test_what_is_remembered_and_forgotten_is_counted():
    work = SessionWork(WorkLimits(sessions=1))
    for session in ("a", "b"):
        key = (("token", "", "ada"), "claude-code", session)
        work.begin(key, beginning=session == "a")
        work.keep(key, [Change(kind="write", path="/p/x.sh", text="echo")], "c")
    registry = CollectorRegistry()
    registry.register(MemoryMetrics(work, TraceMemo()))
    told = generate_latest(registry).decode()
    assert "ostiary_session_memory_sessions 1.0" in told
    assert 'ostiary_session_memory_forgotten_total{what="session"} 1.0' in told
    assert "ostiary_session_memory_unseen_total 1.0" in told
    names = {
        line.partition(" ")[0].partition("{")[0] for line in told.splitlines() if not line.startswith("#")
    }
    assert [name for name in sorted(names) if f"`{name}`" not in PAGE.read_text()] == []
