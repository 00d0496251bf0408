"""More operations than can be asked: the worst are kept, and the call still knows the groups and hosts of all."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.events import HookEvent, McpServer
from gateway.domain.operations import MAX_OPERATIONS, Operation
from gateway.facts.analyser import CallAnalyser, FactsSettings, facts_data
from gateway.facts.ranking import worst_first

ANALYSER = CallAnalyser(FactsSettings(), facts_data())
WORST = ["/etc/shadow", "/home/dev/project/.env", "/home/dev/.ssh/id_rsa", "/var/lib/ostiary/key"]


def reads(paths: list[str], tool: str = "read_multiple_files") -> HookEvent:
    return HookEvent(
        agent="claude-code",
        event="PreToolUse",
        tool=f"mcp__filesystem__{tool}",
        tool_input={"paths": paths},
        cwd="/home/dev/project",
        transcript_path="/home/dev/.claude/projects/-home-dev-project/1.jsonl",
        mcp_server=McpServer(name="filesystem", source="user"),
    )


@settings(max_examples=30)
@given(
    st.sampled_from(WORST),
    st.integers(0, 400),
    st.sampled_from(["src/{}.py", ".github/workflows/{}.yml", "/usr/x/{}"]),
)
def test_a_secret_hides_behind_no_number_of_other_files(worst, place, others):
    paths = [others.format(number) for number in range(400)]
    paths.insert(place, worst)
    found = ANALYSER.analyse(reads(paths))
    assert found.truncated
    assert len(found.operations) == MAX_OPERATIONS
    assert worst in {operation.id for operation in found.operations}
    assert "secrets" in found.groups or "gateway_self" in found.groups


def test_two_hundred_operations_are_all_asked_in_their_order():
    paths = [f"src/{number}.py" for number in range(MAX_OPERATIONS - 1)]
    found = ANALYSER.analyse(reads(paths))
    assert not found.truncated
    assert [operation.attr["name"] for operation in found.operations[:-1]] == [path[4:] for path in paths]


def file(
    action: str, groups: list[str], *, inside: bool = True, may: list[str] | None = None, number: int = 0
) -> Operation:
    attr = {"groups": groups, "groups_may": may or [], "in_project": inside, "certain": True}
    return Operation("file", action, f"/{action}/{'-'.join(groups)}/{number}", attr)


def test_what_a_rule_would_stop_is_kept_before_what_none_would():
    harmless = [
        file("read", ["ci", "lockfiles", "agent_config", "system"], number=number) for number in range(300)
    ]
    for worse in [
        file("read", ["secrets"]),
        file("write", ["agent_config"]),
        file("write", [], inside=False),
        Operation("host", "connect", "169.254.169.254", {"groups": ["metadata"], "certain": False}),
        Operation("mcp_tool", "call", "a/b", {"known": False, "certain": True}),
        Operation("subagent", "spawn", "x", {"governed": False, "certain": True}),
    ]:
        kept, truncated = worst_first([*harmless[:150], worse, *harmless[150:]])
        assert truncated
        assert worse in kept
