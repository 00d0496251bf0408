"""The short memory of calls: repeats, reused ids, and that nobody can push out another's entries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.events import Claims, HookEvent
from gateway.session import REPEAT_NANOSECONDS, Seen, SessionMemory

ALICE = ("token", "", "alice")
MALLORY = ("token", "", "mallory")


def call(identifier: str = "toolu_1", event: str = "PreToolUse", session: str = "s") -> HookEvent:
    return HookEvent(agent="claude-code", event=event, session_id=session, call_id=identifier)


def test_the_same_input_under_the_same_id_is_a_repeat_for_a_minute():
    memory = SessionMemory()
    memory.remember(ALICE, call(), Seen(digest="d", decision_id="1", at=0))
    assert memory.see(ALICE, call(), "d", REPEAT_NANOSECONDS)[0] == "repeat"
    assert memory.see(ALICE, call(), "d", REPEAT_NANOSECONDS + 1)[0] == "new"


def test_another_input_under_the_same_id_is_reuse_however_late():
    memory = SessionMemory()
    memory.remember(ALICE, call(), Seen(digest="d", decision_id="1", at=0))
    assert memory.see(ALICE, call(), "other", 100 * REPEAT_NANOSECONDS)[0] == "reused"


def test_principals_sessions_and_events_do_not_share_ids():
    memory = SessionMemory()
    memory.remember(ALICE, call(), Seen(digest="d", decision_id="1", at=0))
    assert memory.see(MALLORY, call(), "other", 1)[0] == "new"
    assert memory.see(ALICE, call(session="t"), "other", 1)[0] == "new"
    assert memory.see(ALICE, call(event="PermissionRequest"), "other", 1)[0] == "new"


def test_an_event_after_the_fact_finds_its_approval():
    memory = SessionMemory()
    seen = Seen(digest="d", decision_id="1", at=0)
    memory.remember(ALICE, call(), seen)
    assert memory.approved(ALICE, call(event="PostToolUse")) is seen
    assert memory.approved(MALLORY, call(event="PostToolUse")) is None


def test_calls_without_an_id_are_not_kept():
    memory = SessionMemory()
    memory.remember(ALICE, call(""), Seen(digest="d", decision_id="1", at=0))
    assert len(memory.calls) == 0
    assert memory.see(ALICE, call(""), "d", 1)[0] == "new"


def test_a_flood_of_one_principal_leaves_anothers_calls_in_memory():
    memory = SessionMemory(entries=64)
    for number in range(16):
        memory.remember(ALICE, call(f"a{number}"), Seen(digest="d", decision_id="1", at=0))
    for number in range(1000):
        memory.remember(MALLORY, call(f"m{number}"), Seen(digest="d", decision_id="1", at=0))
    assert all(memory.see(ALICE, call(f"a{number}"), "d", 1)[0] == "repeat" for number in range(16))
    assert len(memory.calls) == 64


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 30)), max_size=300), st.integers(1, 20))
def test_memory_never_holds_more_than_its_window(calls, entries):
    memory = SessionMemory(entries=entries)
    for principal, number in calls:
        memory.remember(("token", "", principal), call(str(number)), Seen(digest="d", decision_id="1", at=0))
        assert len(memory.calls) <= entries
        assert len(memory.calls) == sum(len(held) for held in memory.calls._by_principal.values())
    if calls:
        principal, number = calls[-1]
        assert memory.see(("token", "", principal), call(str(number)), "d", 1)[0] == "repeat"


def claiming(session: str = "s", **claims: str) -> HookEvent:
    return HookEvent(agent="claude-code", event="PreToolUse", session_id=session, claims=Claims(**claims))


def test_claims_that_change_within_a_session_are_noticed_and_the_first_ones_stay():
    memory = SessionMemory()
    assert not memory.claims_changed(ALICE, claiming(home="/home/alice", project_dir="/p"))
    assert not memory.claims_changed(ALICE, claiming(home="/home/alice", project_dir="/p"))
    assert memory.claims_changed(ALICE, claiming(home="/nowhere", project_dir="/p"))
    assert not memory.claims_changed(ALICE, claiming(home="/home/alice", project_dir="/p"))


def test_sessions_principals_and_events_without_claims_do_not_mix():
    memory = SessionMemory()
    assert not memory.claims_changed(ALICE, claiming())
    assert not memory.claims_changed(ALICE, claiming(home="/home/alice"))
    assert not memory.claims_changed(ALICE, claiming())
    assert not memory.claims_changed(MALLORY, claiming(home="/home/mallory"))
    assert not memory.claims_changed(ALICE, claiming("t", home="/elsewhere"))
    assert not memory.claims_changed(ALICE, claiming("", home="/anything"))
