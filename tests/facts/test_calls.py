"""The golden file of calls: what each would do, whichever way it names it."""

from __future__ import annotations

import pytest

from gateway.facts.tool_data import tool_data
from tests.facts.calls import analyser, calls, event_of, outcome

CASES = calls("calls.yaml")
ANALYSER = analyser()
_INPUT = {"call", "tool", "input", "at"}


@pytest.mark.parametrize("case", CASES, ids=[case["call"] for case in CASES])
def test_a_call_is_what_the_golden_file_says(case):
    assert outcome(ANALYSER.analyse(event_of(case))) == {
        name: value for name, value in case.items() if name not in _INPUT
    }


def test_the_golden_file_covers_every_tool_whose_input_names_something():
    tools = tool_data()
    named = {*tools.files, *tools.urls, *tools.hosts, *tools.subagents, *tools.resources, *tools.shells}
    gone = {"MultiEdit", "NotebookRead", "LS"}
    assert named - gone <= {case.get("tool") for case in CASES}
    assert len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=[case["call"] for case in CASES])
def test_what_may_leave_the_project_is_what_is_not_certainly_in_it(case):
    for operation in ANALYSER.analyse(event_of(case)).operations:
        if operation.kind == "file":
            attr = operation.attr
            assert attr["may_leave_project"] is not attr["in_project"]
            assert not set(attr["groups"]) & set(attr["groups_may"])


def test_the_call_knows_the_groups_and_hosts_of_all_its_operations():
    event = event_of(
        {
            "tool": "mcp__filesystem__read_multiple_files",
            "input": {"paths": ["/etc/passwd", "/home/dev/project/.env"]},
            "at": {"mcp_server": {"name": "filesystem", "source": "user"}},
        }
    )
    assert set(ANALYSER.analyse(event).groups) == {"secrets", "system_config", "system"}
    event = event_of({"tool": "WebFetch", "input": {"url": r"https://a.example\@127.0.0.1/"}})
    assert ANALYSER.analyse(event).hosts == ("a.example", "127.0.0.1")


def test_a_call_analysed_twice_is_the_same():
    for case in CASES:
        event = event_of(case)
        assert ANALYSER.analyse(event) == ANALYSER.analyse(event)
