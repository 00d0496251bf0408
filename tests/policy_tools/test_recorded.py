"""Recorded calls asked again: as tests on both engines, and against another policy set when policies are reloaded."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from gateway.config import DROPPED_ATTRIBUTES
from gateway.domain.ports import AuditStore
from gateway.domain.query import Page, Query, Row
from gateway.domain.record import Record
from gateway.enforcement.checks import CheckSettings
from gateway.errors import ConfigError
from gateway.policy.changes import rule_changes
from gateway.policy.directory import SourceFile, read_roots
from gateway.policy.engine import Engine, compile_policies
from gateway.policy.load import load_documents
from gateway.policy.problems import Complaints
from gateway.policy.settings import EngineSettings
from gateway.policy_sets.comparison import Comparison, ComparisonRequest
from gateway.policy_sets.history import KEPT, PolicyHistory
from gateway.policy_sets.packs import shipped_packs
from gateway.policy_sets.recorded_call import question_of
from gateway.policy_sets.recorded_suite import suite_of
from gateway.policy_sets.replay import Side, replay
from tests.policy_tools.commands import cerbos_compile, ostiary, with_packs
from tests.support.enforcement import Pep, person, shipped_engine
from tests.support.payloads import PROJECT, pre_tool_use, recorded
from tests.support.processes import GatewayProcess, wait_until

SETTINGS = CheckSettings(dropped=DROPPED_ATTRIBUTES)
RULE = """\
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: file
  version: default
  scope: site
  rules:
    - name: site.docs
      actions: [read]
      effect: EFFECT_DENY
      roles: ["*"]
      condition: {match: {expr: 'R.attr.path.contains("/docs/")'}}
      output: {when: {ruleActivated: '"no docs"'}}
"""


def recorded_calls() -> list[Record]:
    """What the enforcement point records of every recorded payload of the real client, and of some calls of ours."""
    pep = Pep(mode="observe")
    payloads: list[dict[str, Any]] = [
        *recorded().values(),
        pre_tool_use("Read", {"file_path": f"{PROJECT}/docs/a.md"}),
        pre_tool_use("Read", {"file_path": f"{PROJECT}/.env"}),
        pre_tool_use("Write", {"file_path": f"{PROJECT}/.github/workflows/ci.yml", "content": "x"}),
        pre_tool_use("WebFetch", {"url": "https://example.org/x", "prompt": "y"}),
        pre_tool_use("Grep", {"pattern": "x", "path": PROJECT}),
    ]
    return [pep.ask(payload, person("ada", "engineer", "product")).record for payload in payloads]


@pytest.fixture(scope="module")
def calls() -> list[Record]:
    return recorded_calls()


def with_site(text: str = RULE) -> Engine:
    return compile_policies(
        [*read_roots([shipped_packs()]), SourceFile("site/file.yaml", text.encode())], EngineSettings()
    )


def test_a_record_is_asked_as_the_call_was(calls: list[Record]) -> None:
    """The same operations, principal and layers: so the same decision, wherever redaction took nothing."""
    same = replay(calls, Side(shipped_engine(), SETTINGS), Side(shipped_engine(), SETTINGS))
    decided = [record for record in calls if record.decision and record.type == "call"]
    assert same.calls == len(decided) >= 10
    for record in decided:
        question = question_of(record, shipped_engine(), SETTINGS)
        kinds = [
            (item.check.resource.kind, item.check.resource.id) for item in question.asked if item.operation
        ]
        assert kinds == [
            (operation.kind, operation.id)
            for operation in record.operations
            if shipped_engine().holds(operation.kind, "")
        ]
        assert question.request.principal.roles == ("engineer", "product")


def test_equal_sets_decide_every_call_equally(calls: list[Record]) -> None:
    found = replay(calls, Side(shipped_engine(), SETTINGS), Side(shipped_engine(), SETTINGS))
    assert (found.different, found.transitions, found.examples) == (0, {}, ())


def test_a_new_rule_shows_in_the_calls_it_would_have_stopped(calls: list[Record]) -> None:
    found = replay(calls, Side(shipped_engine(), SETTINGS), Side(with_site(), SETTINGS))
    assert found.different >= 1
    assert set(found.transitions) == {"allow>deny"}
    assert {example.rules for example in found.examples} == {("site.docs",)}
    assert {example.tool for example in found.examples} <= {"Read", "Grep"}


def test_a_rule_switched_off_shows_as_well(calls: list[Record]) -> None:
    off = structs.replace(SETTINGS, rules_off=("secrets.files",))
    found = replay(calls, Side(shipped_engine(), SETTINGS), Side(shipped_engine(), off))
    assert found.transitions.get("deny>allow", 0) >= 1


@pytest.mark.pdp
def test_every_recorded_call_becomes_a_suite_that_passes_on_both_engines(
    calls: list[Record], tmp_path: Path
) -> None:
    own = tmp_path / "own"
    (own / "site").mkdir(parents=True)
    (own / "site" / "file.yaml").write_text(RULE)
    engine = with_site()
    written = 0
    for number, record in enumerate(calls):
        if record.decision and record.type == "call" and question_of(record, engine, SETTINGS).asked:
            (own / f"c{number}_test.yaml").write_text(suite_of(record, engine, SETTINGS))
            written += 1
    assert written >= 10
    ours = ostiary("policy", "test", own)
    assert ours.returncode == 0, ours.stdout + ours.stderr
    cerbos = cerbos_compile(with_packs(own, tmp_path / "all"))
    assert cerbos.returncode == 0, cerbos.stdout + cerbos.stderr


def test_a_suite_says_what_was_recorded_and_what_was_erased() -> None:
    record = Pep().ask(pre_tool_use("Read", {"file_path": f"{PROJECT}/.env"})).record
    text = suite_of(structs.replace(record, erased=("input.x:aws",)), shipped_engine(), SETTINGS)
    head = text.splitlines()[:3]
    assert "decision deny by secrets.files" in head[0]
    assert "input.x:aws" in head[2]


POLICY = """\
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: doc
  version: default
  variables: {local: {big: R.attr.size > 1}}
  rules:
    - {name: a, actions: [read], effect: EFFECT_ALLOW, roles: [user], condition: {match: {expr: V.big}}}
    - {name: b, actions: [write], effect: EFFECT_DENY, roles: ["*"]}
"""


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("", "", ((), (), ())),
        ("  version", "  # a comment\n  version", ((), (), ())),
        ("V.big", "' V.big  '", ((), (), ())),
        ("name: b", "name: c", (("c",), ("b",), ())),
        ("[write]", "[write, delete]", ((), (), ("b",))),
        ("EFFECT_DENY", "EFFECT_ALLOW", ((), (), ("b",))),
        ("size > 1", "size > 2", ((), (), ("a", "b"))),
        ("[user]", "[user, guest]", ((), (), ("a",))),
    ],
)
def test_rules_are_compared_by_what_they_say(
    old: str, new: str, changes: tuple[tuple[str, ...], ...]
) -> None:
    def documents(text: str) -> Any:
        return load_documents([SourceFile("x.yaml", text.encode())], Complaints())

    found = rule_changes(documents(POLICY), documents(POLICY.replace(old, new, 1) if old else POLICY))
    named = tuple(
        tuple(rule.rpartition("#")[2] for rule in rules)
        for rules in (found.added, found.removed, found.changed)
    )
    assert named == changes
    assert found.any == any(changes)


class OneStore:
    """A store of a few records, paged as the real one is."""

    def __init__(self, records: list[Record]) -> None:
        self.records = records
        self.closed = False

    def search(self, query: Query) -> Page:
        at = int(query.cursor or 0)
        rows = tuple(Row(record=record) for record in self.records[at : at + 3])
        more = at + 3 < len(self.records)
        return Page(rows=rows, cursor=str(at + 3) if more else "")

    def close(self) -> None:
        self.closed = True


def test_kept_sets_are_compared_over_the_newest_calls(calls: list[Record], tmp_path: Path) -> None:
    history = PolicyHistory(tmp_path)
    packs = read_roots([shipped_packs()])
    history.keep("aaaaaaaaaaaa", packs, ())
    history.keep("bbbbbbbbbbbb", [*packs, SourceFile("site/file.yaml", RULE.encode())], ())
    store = OneStore(calls)
    opened: list[AuditStore] = [store]  # type: ignore[list-item]  # search and close are all that is used
    comparison = Comparison(history, opened.pop)
    found = comparison.run(
        ComparisonRequest(before="aaaaaaaaaaaa", after="bbbbbbbbbbbb", dropped=DROPPED_ATTRIBUTES)
    )
    assert found.rules.added == ("resource.file.vdefault/site#site.docs",)
    assert found.replay.different >= 1
    assert store.closed
    opened.append(store)  # type: ignore[arg-type]  # likewise
    few = comparison.run(ComparisonRequest(before="aaaaaaaaaaaa", after="bbbbbbbbbbbb", calls=2))
    assert few.replay.calls <= 2
    with pytest.raises(ConfigError):
        comparison.run(ComparisonRequest(before="cccccccccccc", after="bbbbbbbbbbbb"))


def test_only_the_last_sets_are_kept_and_a_damaged_one_counts_as_none(tmp_path: Path) -> None:
    history = PolicyHistory(tmp_path)
    for number in range(KEPT + 3):
        history.keep(f"{number:012x}", [SourceFile("a.yaml", b"x")], ("r",))
    files = list((tmp_path / "policy-sets").iterdir())
    assert len(files) == KEPT
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    newest = f"{KEPT + 2:012x}"
    kept = history.find(newest)
    assert kept is not None
    assert kept.rules_off == ("r",)
    (tmp_path / "policy-sets" / f"{newest}.msgpack").write_bytes(b"\xc1 broken")
    assert history.find(newest) is None
    assert history.find("../../etc/passwd") is None


def test_a_reload_tells_what_changed_and_how_many_calls_differ(tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    gateway = GatewayProcess(tmp_path / "gateway", {"policies": f"[{policies}]"})
    with gateway:
        from tests.support.http import post  # noqa: PLC0415 - a process of its own is only started here

        for number in range(6):
            place = "docs" if number % 2 else "src"
            post(gateway, pre_tool_use("Read", {"file_path": f"{PROJECT}/{place}/{number}.md"}))
        (policies / "file.yaml").write_text(RULE)
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "policies_compared" in gateway.output, "the comparison")
        line = next(line for line in gateway.output.splitlines() if "policies_compared" in line)
        told = json.loads(line)
        assert told["rules_added"] == ["resource.file.vdefault/site#site.docs"]
        assert (told["calls"], told["calls_different"]) == (6, 3)
        assert told["transitions"] == {"allow>deny": 3}
        done = ostiary("policy", "test", policies, "--from", "last", "--data-dir", gateway.data_dir)
        assert done.returncode == 0, done.stdout + done.stderr
        suites = list((policies / "recorded").glob("*_test.yaml"))
        assert len(suites) == 1
        explained = ostiary(
            "policy", "explain", "--id", "last", "--data-dir", gateway.data_dir, "--policies", policies
        )
        assert "site.docs" in explained.stdout
        assert "--then" in explained.stderr
        then = ostiary("policy", "explain", "--id", "last", "--then", "--data-dir", gateway.data_dir)
        assert "ALLOW" in then.stdout
        assert "site.docs" not in then.stdout
    lines = [
        line
        for file in (gateway.data_dir / "audit").rglob("*.jsonl")
        for line in file.read_bytes().splitlines()
    ]
    gates = [msgspec.json.decode(line) for line in lines if b'"policies_compared"' in line]
    assert [gate["gate"]["calls_different"] for gate in gates] == [3]
