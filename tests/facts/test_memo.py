"""Kept analyses: the same facts with and without, in every order of calls, and never more than allowed."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.events import HookEvent
from gateway.domain.remembered import Change
from gateway.facts.analyser import CallAnalyser, FactsSettings, facts_data
from gateway.facts.shell.analysis import Surroundings, analyse
from gateway.facts.shell.catalogue import shipped_models
from gateway.facts.shell_memo import TraceMemo
from gateway.session_work import SessionWork

DATA = facts_data()
COMMANDS = [
    "bash x.sh",
    ". ./x.sh; ls",
    "make",
    "npm test",
    "cat d/k/id_rsa",
    "cp x.sh y.sh && sh y.sh",
    "tool --now",
    "echo 'cat ~/.ssh/id_rsa' > x.sh",
    "ln -s ~/.ssh d/k",
    "sed -i s/a/b/ x.sh",
    "find . -name '*.sh' -exec sh {} ';'",
    "ll d",
]
CHANGES = [
    Change(kind="write", path="/home/dev/app/x.sh", text="cat ~/.aws/credentials"),
    Change(kind="write", path="/home/dev/app/x.sh", text="echo a"),
    Change(kind="write", path="/home/dev/app/Makefile", text="a:\n\tcat ~/.ssh/id_rsa\n"),
    Change(kind="write", path="/home/dev/app/package.json", text='{"scripts":{"test":"cat .env"}}'),
    Change(kind="write", path="/opt/bin/tool", text="rm -rf /srv"),
    Change(kind="link", path="/home/dev/app/d", other="/etc"),
    Change(kind="alias", path="ll", text="cat .env"),
    Change(kind="rewrite", path="/home/dev/app/x.sh"),
]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from(COMMANDS), st.integers(0, 1)),
        st.tuples(st.just("change"), st.sampled_from(CHANGES), st.integers(0, 1)),
    ),
    max_size=25,
)


def event(command: str) -> HookEvent:
    return HookEvent(
        agent="claude-code",
        event="PreToolUse",
        tool="Bash",
        tool_input={"command": command},
        cwd="/home/dev/app",
        transcript_path="/home/dev/.claude/projects/-home-dev-app/t.jsonl",
    )


@settings(max_examples=60)
@given(STEPS)
def test_kept_analyses_change_no_facts(steps):
    kept = CallAnalyser(FactsSettings(), DATA)
    fresh = CallAnalyser(FactsSettings(), DATA)
    work = SessionWork()
    for number, (what, given_, session) in enumerate(steps):
        own = (("token", "", "ada"), "claude-code", str(session))
        if what == "change":
            work.keep(own, [given_], f"c{number}")
            continue
        fresh.kept.forget_all()
        known = work.view(own)
        assert kept.analyse(event(given_), known) == fresh.analyse(event(given_), known)


def test_an_analysis_is_kept_until_what_it_consulted_changes():
    analyser = CallAnalyser(FactsSettings(), DATA)
    work = SessionWork()
    own = (("token", "", "ada"), "claude-code", "s")
    first = analyser.analyse(event("bash x.sh"), work.view(own))
    assert first.consulted == ("tables", "file:/home/dev/app/x.sh")
    work.keep(own, [Change(kind="write", path="/home/dev/app/y.sh", text="rm -rf /srv")], "c1")
    analyser.analyse(event("bash x.sh"), work.view(own))
    work.keep(own, [CHANGES[0]], "c2")
    third = analyser.analyse(event("bash x.sh"), work.view(own))
    assert "secrets" in third.groups
    assert analyser.kept.hits == 0, "that a session wrote its first file is an entry of its own"
    analyser.analyse(event("bash x.sh"), work.view(own))
    assert analyser.kept.hits == 1


def test_the_memo_stays_within_its_bytes():
    memo = TraceMemo(limit=20_000)
    models = shipped_models()
    around = Surroundings(cwd="/p")
    for number in range(50):
        command = f"cat {number}"
        memo.put(command, around, SessionWork().view((("a",), "", "")), analyse(command, around, models))
        assert memo.bytes <= 20_000
    assert memo.evictions > 0


def test_the_same_command_elsewhere_is_another_analysis():
    analyser = CallAnalyser(FactsSettings(), DATA)
    analyser.analyse(event("cat .env"))
    moved = HookEvent(
        agent="claude-code", event="PreToolUse", tool="Bash", tool_input={"command": "cat .env"}, cwd="/srv"
    )
    found = analyser.analyse(moved)
    assert [one.id for one in found.operations if one.kind == "file"] == ["/srv/.env"]
