"""What every audit store must do. A store's own test module subclasses this and provides `store`."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.ports import AuditStore
from gateway.domain.query import Query
from gateway.domain.record import Record, RecordedOperation, RecordedPrincipal, RecordedReason, short_id
from gateway.domain.vocabulary import RECORD_SCHEMA

CHAIN = "test.gate.00000000-0001-7000-8000-000000000000"
_BASE = 1_700_000_000_000_000_000


class Ledger:
    """Makes records one second apart and puts them into a store, as the clerk would."""

    def __init__(self, store: AuditStore) -> None:
        self.store = store
        self._numbers = itertools.count(1)

    def add(self, *records: Record, chain: str = CHAIN) -> int:
        """Index records."""
        lines = [msgspec.json.encode(record) + b"\n" for record in records]
        return self.store.append(chain, lines, "0000000000000001.jsonl", 1000 + records[-1].seq)

    def call(self, event: str = "PreToolUse", *, who: str = "ann", **fields: Any) -> Record:
        """Index one record of a call."""
        record = self.record(event, who=who, **fields)
        self.add(record)
        return record

    def record(self, event: str = "PreToolUse", *, who: str = "ann", **fields: Any) -> Record:
        """A record of a call, not indexed."""
        number = next(self._numbers)
        base: dict[str, Any] = {
            "schema": RECORD_SCHEMA,
            "type": "call",
            "decision_id": f"01890000-0000-7000-8000-{number * 0x1234567:012x}",
            "seq": number,
            "ts": _BASE + number * 1_000_000_000,
            "agent": "claude-code",
            "event": event,
            "session_id": "s1",
            "prompt_id": "p1",
            "call_id": "t1",
            "tool": "Bash",
            "principal": RecordedPrincipal(id=who, roles=("engineer",), provider="token", subject=who),
            "input_digest": "h1:k:aa",
            "decision": "allow",
            "answer": "pass",
            "mode": "observe",
        }
        return Record(**{**base, **fields})


class AuditStoreContract:
    """The suite."""

    @pytest.fixture
    def store(self) -> AuditStore:
        """The store under test, empty."""
        raise NotImplementedError

    @pytest.fixture
    def ledger(self, store: AuditStore) -> Ledger:
        return Ledger(store)

    def ids(self, store: AuditStore, **filters: Any) -> list[str]:
        return [row.record.decision_id for row in store.search(Query(**filters)).rows]

    # --- filling

    def test_lines_and_position_move_together(self, ledger: Ledger) -> None:
        assert ledger.add(ledger.record(), ledger.record()) == 2
        assert ledger.store.positions() == {CHAIN: ("0000000000000001.jsonl", 1002)}

    def test_lines_that_come_again_count_for_nothing(self, ledger: Ledger) -> None:
        records = [ledger.record(), ledger.record()]
        assert ledger.add(*records) == 2
        assert ledger.add(*records) == 0
        assert len(ledger.store.search(Query()).rows) == 2

    def test_lines_that_are_no_records_are_passed_over(self, ledger: Ledger) -> None:
        assert (
            ledger.store.append(CHAIN, [b"{}\n", b"\xff\n", b"nonsense\n"], "0000000000000001.jsonl", 9) == 0
        )
        assert ledger.store.positions()[CHAIN] == ("0000000000000001.jsonl", 9)

    def test_a_record_comes_back_as_it_was_recorded(self, ledger: Ledger) -> None:
        record = ledger.call(
            input={"command": "ls \u202e", "n": [1, None]},
            operations=(RecordedOperation(kind="file", action="read", id="/x"),),
        )
        assert ledger.store.search(Query()).rows[0].record == record

    # --- searching

    @pytest.mark.parametrize(
        ("filters", "matching", "other"),
        [
            ({"principal": "ann"}, {"who": "ann"}, {"who": "bob"}),
            ({"session_id": "s1"}, {"session_id": "s1"}, {"session_id": "s2"}),
            ({"tool": "Bash"}, {"tool": "Bash"}, {"tool": "Read"}),
            ({"event": "Stop"}, {"event": "Stop"}, {"event": "PreToolUse"}),
            ({"agent": "codex"}, {"agent": "codex"}, {"agent": "claude-code"}),
            ({"decision": ("deny",)}, {"decision": "deny"}, {"decision": "allow"}),
            ({"answer": ("deny", "ask")}, {"answer": "ask"}, {"answer": "pass"}),
            ({"type": ("gate",)}, {"type": "gate"}, {"type": "call"}),
            (
                {"rule": "a.b"},
                {"reasons": (RecordedReason(rule="a.b"),)},
                {"reasons": (RecordedReason(rule="a.c"),)},
            ),
            ({"flag": "call_id_reuse"}, {"flags": ("call_id_reuse",)}, {"flags": ("other",)}),
            ({"text": "passwd"}, {"input": {"command": "cat /etc/passwd"}}, {"input": {"command": "ls"}}),
            ({"text": "nested"}, {"input": {"a": [{"b": "deep nested text"}]}}, {"input": {"nested": "x"}}),
            (
                {"text": "evil.example"},
                {"operations": (RecordedOperation(kind="host", action="connect", id="evil.example"),)},
                {"operations": (RecordedOperation(kind="host", action="connect", id="good.example"),)},
            ),
            (
                {"decision": ("deny",), "answer": ("pass",)},
                {"decision": "deny"},
                {"decision": "deny", "answer": "deny"},
            ),
        ],
    )
    def test_a_filter_finds_what_it_names_and_nothing_else(
        self, ledger: Ledger, filters: dict[str, Any], matching: dict[str, Any], other: dict[str, Any]
    ) -> None:
        wanted = ledger.call(**matching)
        ledger.call(**other)
        assert self.ids(ledger.store, **filters) == [wanted.decision_id]

    def test_time_is_from_and_up_to_but_without_the_end(self, ledger: Ledger) -> None:
        first, second, third = (ledger.call() for _ in range(3))
        assert self.ids(ledger.store, since=second.ts) == [third.decision_id, second.decision_id]
        assert self.ids(ledger.store, until=second.ts) == [first.decision_id]

    def test_synthetic_records_stay_out_unless_asked_for(self, ledger: Ledger) -> None:
        real, made = ledger.call(), ledger.call(synthetic=True)
        assert self.ids(ledger.store) == [real.decision_id]
        assert self.ids(ledger.store, synthetic=True) == [made.decision_id, real.decision_id]

    def test_pages_join_without_gap_or_repetition(self, ledger: Ledger) -> None:
        everything = [ledger.call(ts=_BASE + number // 4).decision_id for number in range(23)]
        for newest_first in (True, False):
            seen: list[str] = []
            cursor = ""
            while True:
                page = ledger.store.search(Query(limit=5, cursor=cursor, newest_first=newest_first))
                seen += [row.record.decision_id for row in page.rows]
                cursor = page.cursor
                if not cursor:
                    break
            assert seen == (everything[::-1] if newest_first else everything)

    def test_a_limit_beyond_the_largest_page_gives_a_page_and_a_cursor(self, ledger: Ledger) -> None:
        ledger.add(*(ledger.record(call_id=f"t{number}") for number in range(1005)))
        page = ledger.store.search(Query(limit=10**6))
        assert len(page.rows) < 1005
        assert page.cursor

    def test_what_arrives_between_two_pages_does_not_shift_them(self, ledger: Ledger) -> None:
        older = [ledger.call().decision_id for _ in range(6)]
        page = ledger.store.search(Query(limit=3))
        ledger.call()
        rest = ledger.store.search(Query(limit=3, cursor=page.cursor))
        assert [row.record.decision_id for row in (*page.rows, *rest.rows)] == older[::-1]

    @pytest.mark.parametrize(
        "text",
        [
            '"',
            '" OR "',
            "a* OR b",
            "NEAR(a b)",
            "text:a",
            "-a",
            "a AND NOT b",
            "^a",
            "(",
            "''",
            "\0",
            "{a}",
            "%",
            "a\0b",
        ],
    )
    def test_query_operators_are_plain_text(self, ledger: Ledger, text: str) -> None:
        ledger.call(input={"command": "alpha beta"})
        assert self.ids(ledger.store, text=text) in ([], self.ids(ledger.store))
        assert self.ids(ledger.store, text="alpha OR gamma") == []

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(value=st.text(max_size=40), number=st.integers(0, 10**30))
    def test_no_filter_value_breaks_a_search(self, store: AuditStore, value: str, number: int) -> None:
        for name in (
            "text",
            "principal",
            "session_id",
            "tool",
            "event",
            "agent",
            "rule",
            "flag",
            "id",
            "cursor",
        ):
            assert store.search(Query(**{name: value})).rows == ()
        store.search(Query(since=number, until=number, limit=number))
        store.search(Query(decision=(value,), answer=(value,), type=(value,)))
        assert store.find(value) is None

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        words=st.lists(
            st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12), min_size=1, max_size=4
        )
    )
    def test_words_of_a_command_find_it(self, store: AuditStore, words: list[str]) -> None:
        ledger = Ledger(store)
        record = ledger.record(input={"command": " ".join(words)})
        ledger.add(record, chain=f"{CHAIN}{'-'.join(words)}")
        assert any(row.record.input == record.input for row in store.search(Query(text=words[0])).rows)

    # --- finding one

    def test_one_record_is_found_by_its_id_its_short_form_or_its_call_id(self, ledger: Ledger) -> None:
        record = ledger.call(call_id="toolu_7")
        short = short_id(record.decision_id)
        for identifier in (
            record.decision_id,
            record.decision_id.upper(),
            short,
            short.lower().replace("-", ""),
            short.replace("0", "O").replace("1", "l"),
            "toolu_7",
        ):
            row = ledger.store.find(identifier)
            assert row is not None
            assert row.record.decision_id == record.decision_id
            assert self.ids(ledger.store, id=identifier) == [record.decision_id]
        assert ledger.store.find("toolu_8") is None
        assert ledger.store.find("") is None

    # --- joining

    def outcome(self, ledger: Ledger, record: Record) -> tuple[str, tuple[str, ...]]:
        row = ledger.store.find(record.decision_id)
        assert row is not None
        return row.outcome, row.flags

    @pytest.mark.parametrize(
        ("event", "outcome"),
        [("PostToolUse", "ran"), ("PostToolUseFailure", "failed"), ("PermissionDenied", "not_run")],
    )
    def test_the_event_after_a_call_is_its_outcome(self, ledger: Ledger, event: str, outcome: str) -> None:
        call = ledger.call()
        after = ledger.call(event, decision="", answer="")
        assert self.outcome(ledger, call) == (outcome, ())
        assert self.outcome(ledger, after) == (outcome, ())

    def test_nothing_after_a_call_leaves_its_outcome_unknown(self, ledger: Ledger) -> None:
        call = ledger.call()
        ledger.call("Stop", call_id="", tool="")
        assert self.outcome(ledger, call) == ("unknown", ())

    def test_a_stopped_call_was_not_run(self, ledger: Ledger) -> None:
        call = ledger.call(decision="deny", answer="deny")
        assert self.outcome(ledger, call) == ("not_run", ())

    def test_a_stopped_call_that_ran_all_the_same_is_flagged(self, ledger: Ledger) -> None:
        call = ledger.call(decision="deny", answer="deny")
        after = ledger.call("PostToolUse", decision="", answer="")
        assert self.outcome(ledger, call) == ("ran", ("ran_after_denial",))
        assert self.outcome(ledger, after) == ("ran", ("ran_after_denial",))

    def test_a_prompt_after_which_the_turn_ends_was_declined(self, ledger: Ledger) -> None:
        call = ledger.call()
        ledger.call("PermissionRequest", call_id="")
        assert self.outcome(ledger, call)[0] == "unknown"
        ledger.call("Stop", call_id="", tool="", input_digest="")
        assert self.outcome(ledger, call) == ("declined_by_person", ())

    def test_a_prompt_that_was_granted_ends_in_the_run(self, ledger: Ledger) -> None:
        call = ledger.call()
        ledger.call("PermissionRequest", call_id="")
        ledger.call("PostToolUse")
        ledger.call("Stop", call_id="", tool="", input_digest="")
        assert self.outcome(ledger, call) == ("ran", ())

    @pytest.mark.parametrize(
        "change",
        [{"who": "bob"}, {"session_id": "s2"}, {"agent": "codex"}, {"call_id": "t2"}],
        ids=["principal", "session", "agent", "call"],
    )
    def test_joins_cross_no_principal_session_agent_or_call(
        self, ledger: Ledger, change: dict[str, Any]
    ) -> None:
        call = ledger.call()
        ledger.call("PostToolUse", **change)
        assert self.outcome(ledger, call) == ("unknown", ())

    def test_two_issuers_with_one_display_name_are_two_principals(self, ledger: Ledger) -> None:
        call = ledger.call()
        other = RecordedPrincipal(
            id="ann", roles=("engineer",), provider="oidc", issuer="https://x", subject="9"
        )
        ledger.call("PostToolUse", principal=other)
        assert self.outcome(ledger, call) == ("unknown", ())

    def test_the_first_event_after_a_call_counts_and_a_contradiction_is_flagged(self, ledger: Ledger) -> None:
        call = ledger.call()
        ledger.call("PostToolUse")
        late = ledger.call("PostToolUseFailure")
        assert self.outcome(ledger, call) == ("ran", ("outcome_contradicted",))
        assert self.outcome(ledger, late) == ("failed", ("outcome_repeated",))

    def test_an_event_told_before_the_call_counts_for_nothing_and_is_flagged(self, ledger: Ledger) -> None:
        early = ledger.call("PostToolUse")
        call = ledger.call()
        assert self.outcome(ledger, early) == ("ran", ("ran_unasked",))
        assert self.outcome(ledger, call) == ("unknown", ("outcome_before_call",))

    def test_a_run_without_a_call_is_flagged(self, ledger: Ledger) -> None:
        assert self.outcome(ledger, ledger.call("PostToolUse")) == ("ran", ("ran_unasked",))

    def test_a_call_id_that_returned_with_another_input_is_flagged_beyond_the_gates_memory(
        self, ledger: Ledger
    ) -> None:
        first, second = ledger.call(), ledger.call(input_digest="h1:k:bb")
        assert self.outcome(ledger, first)[1] == ("call_id_reuse",)
        assert self.outcome(ledger, second)[1] == ("call_id_reuse",)

    def test_an_equal_call_after_a_policy_change_is_no_reuse(self, ledger: Ledger) -> None:
        first, second = ledger.call(), ledger.call(decision="deny", revision="2")
        ledger.call("PostToolUse")
        assert self.outcome(ledger, first) == ("ran", ())
        assert self.outcome(ledger, second) == ("ran", ())

    def test_an_input_that_was_changed_after_approval_is_flagged(self, ledger: Ledger) -> None:
        call = ledger.call(input={"command": "ls"})
        ledger.call("PostToolUse", input={"command": "rm -rf /"}, input_digest="h1:k:bb")
        assert self.outcome(ledger, call) == ("ran", ("rewritten_after_approval",))

    def test_what_the_client_adds_by_itself_is_no_change(self, ledger: Ledger) -> None:
        call = ledger.call(tool="Edit", input={"file_path": "/x"})
        ledger.call(
            "PostToolUse",
            tool="Edit",
            input={"file_path": "/x", "replace_all": False, "tool_response": {"bytes": 3}},
            input_digest="h1:k:bb",
        )
        assert self.outcome(ledger, call) == ("ran", ())

    def test_what_the_gate_flagged_on_the_later_event_shows_on_the_call(self, ledger: Ledger) -> None:
        call = ledger.call()
        ledger.call("PostToolUse", flags=("rewritten_after_approval",))
        assert self.outcome(ledger, call) == ("ran", ("rewritten_after_approval",))

    def test_repeats_are_counted_on_the_call_they_repeat(self, ledger: Ledger) -> None:
        call = ledger.call()
        for _ in range(3):
            ledger.call(type="repeat", first=call.decision_id)
        row = ledger.store.find(call.decision_id)
        assert row is not None
        assert row.repeats == 3
