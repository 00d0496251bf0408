"""Metrics: the names are a contract, the labels are closed, and the exposition keeps Prometheus' conventions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from gateway.domain.record import Record, RecordedReason
from gateway.domain.vocabulary import CAUSES, HOOK_EVENTS, IDENTITY_PROBLEMS, RECORD_SCHEMA
from gateway.telemetry import Telemetry

CONTRACT = Path(__file__).parent / "golden" / "metrics.txt"
BASE_UNITS = ("_seconds", "_bytes", "_ratio", "_total", "_info")
WORDS = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")


def made() -> Telemetry:
    return Telemetry(agents=("claude-code",), tools=("Read", "Bash"), rules=("secrets.files",), version="1")


def record(**fields: object) -> Record:
    base = {
        "schema": RECORD_SCHEMA,
        "type": "call",
        "decision_id": "0190f3c8-7b5e-7c3a-9d52-4be1d6ad61e5",
        "agent": "claude-code",
        "event": "PreToolUse",
        "tool": "Read",
        "mode": "enforce",
        "decision": "deny",
        "answer": "deny",
        "timings": {"total": 1000},
    }
    return Record(**{**base, **fields})


def used() -> Telemetry:
    """Telemetry in which every metric has been touched."""
    telemetry = made()
    reasons = (RecordedReason(rule="secrets.files", decision="deny"),)
    telemetry.observe(record(reasons=reasons), written=True)
    telemetry.failure("over_quota", "deny")
    telemetry.unproven("missing")
    telemetry.refused("host")
    telemetry.dropped("write_failed", 1)
    telemetry.asked("cerbos", "200", 0.1)
    telemetry.backend({"away": True}, {"file": False})
    telemetry.policy_loaded("41ab09c27d11", 1.0, ("secrets.files",))
    telemetry.cache_requests.labels("hit").inc()
    telemetry.mode_info.labels("observe").set(1)
    telemetry.posture_info.labels("advisory").set(1)
    return telemetry


def families(telemetry: Telemetry):
    return list(text_string_to_metric_families(telemetry.render("text/plain")[0].decode()))


def series(telemetry: Telemetry) -> int:
    return sum(len(family.samples) for family in families(telemetry))


def test_names_types_and_labels_are_those_of_the_contract():
    found = set()
    for family in families(used()):
        labels = {name for sample in family.samples for name in sample.labels} - {"le"}
        found.add(f"{family.name} {family.type} {' '.join(sorted(labels))}".strip())
    assert sorted(found) == CONTRACT.read_text().splitlines()


def test_names_keep_the_conventions_of_prometheus():
    for family in families(used()):
        assert WORDS.match(family.name), family.name
        assert family.name.startswith("ostiary_")
        assert family.documentation
        assert not family.documentation.endswith(".")
        labels = {name for sample in family.samples for name in sample.labels}
        assert all(WORDS.match(label) for label in labels)
        assert not any(family.name.endswith(f"_{label}") for label in labels)
        if family.type == "counter":
            assert all(sample.name.endswith("_total") for sample in family.samples)
        else:
            assert not family.name.endswith("_total")
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
        for word in ("milliseconds", "microseconds", "minutes", "kilobytes", "count"):
            assert not family.name.endswith(f"_{word}")


TEXT = st.text(max_size=12)


@settings(max_examples=40)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT, TEXT), min_size=1, max_size=30))
def test_a_client_that_invents_names_adds_no_series(calls):
    telemetry = made()
    other = record(agent="x", event="x", tool="x", reasons=(RecordedReason(rule="x", decision="deny"),))
    telemetry.observe(other, written=True)
    telemetry.observe(record(agent="x", event="x", tool="mcp__x", reasons=other.reasons), written=True)
    telemetry.unproven("x")
    telemetry.asked("cerbos", "x", 0.1)
    telemetry.failure("x", "deny")
    before = series(telemetry)
    for agent, event, tool, rule, problem in calls:
        reasons = (RecordedReason(rule=f"~{rule}", decision="deny"),)
        for name in (f"~{tool}", f"mcp__{tool}"):
            made_up = record(agent=f"~{agent}", event=f"~{event}", tool=name, reasons=reasons)
            telemetry.observe(made_up, written=True)
        telemetry.unproven(f"~{problem}")
        telemetry.asked("cerbos", f"~{problem}", 0.1)
        telemetry.failure(f"~{problem}", "deny")
    assert series(telemetry) == before


@pytest.mark.parametrize(
    ("tool", "label"),
    [
        ("Read", "Read"),
        ("", "none"),
        ("mcp__github__search", "mcp"),
        ("Frobnicate", "other"),
        ("read", "other"),
    ],
)
def test_a_tool_has_its_own_name_mcp_or_other(tool, label):
    assert made().tool_label(tool) == label


def test_known_events_causes_and_problems_have_labels_of_their_own():
    telemetry = made()
    for event in HOOK_EVENTS:
        telemetry.observe(record(event=event), written=True)
    for cause in CAUSES:
        telemetry.failure(cause, "deny")
    for problem in IDENTITY_PROBLEMS:
        telemetry.unproven(problem)
    text = telemetry.render("text/plain")[0].decode()
    assert all(f'event="{event}"' in text for event in HOOK_EVENTS)
    assert all(f'cause="{cause}"' in text for cause in CAUSES)
    assert all(f'problem="{problem}"' in text for problem in IDENTITY_PROBLEMS)
    assert 'event="other"' not in text


def test_only_journalled_records_count_as_records_and_synthetic_ones_as_nothing():
    telemetry = made()
    telemetry.observe(record(), written=True)
    telemetry.observe(record(), written=False)
    telemetry.observe(record(synthetic=True), written=True)
    text = telemetry.render("text/plain")[0].decode()
    assert 'ostiary_audit_records_total{type="call"} 1.0' in text
    assert (
        telemetry.decisions.labels(
            "claude-code", "PreToolUse", "Read", "deny", "deny", "enforce"
        )._value.get()
        == 2
    )


def test_after_a_reload_the_new_rules_are_counted_by_name_and_one_revision_is_in_force():
    telemetry = made()
    telemetry.policy_loaded("aaaaaaaaaaaa", 1.0, ("secrets.files",))
    telemetry.policy_refused()
    telemetry.policy_loaded("bbbbbbbbbbbb", 2.0, ("site.new",))
    telemetry.observe(record(reasons=(RecordedReason(rule="site.new", decision="deny"),)), written=True)
    text = telemetry.render("text/plain")[0].decode()
    assert 'rule="site.new"' in text
    assert 'revision="aaaaaaaaaaaa"' not in text
    assert "ostiary_policy_last_reload_successful 1.0" in text


@pytest.mark.parametrize("accept", ["", "text/plain", "application/openmetrics-text; version=1.0.0"])
def test_the_exposition_is_what_the_scraper_accepts(accept):
    body, content_type = used().render(accept)
    assert b"ostiary_build_info" in body
    assert content_type.partition(";")[0] == (accept.partition(";")[0] or "text/plain")


def test_the_page_about_metrics_names_every_one_with_its_labels():
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    for line in CONTRACT.read_text().splitlines():
        name, kind, *labels = line.split()
        shown = f"`{name}_total`" if kind == "counter" else f"`{name}`"
        (row,) = [row for row in page.splitlines() if shown in row]
        assert all(label in row for label in labels), name
