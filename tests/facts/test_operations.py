"""Operations on one thing: told apart wherever a policy could tell them apart, one where it could not."""

from __future__ import annotations

import pytest

from gateway.domain.events import HookEvent
from gateway.domain.operations import Operation
from tests.facts.calls import analyser

ANALYSER = analyser()


def operations(command: str, kind: str) -> list[Operation]:
    event = HookEvent(
        agent="claude-code",
        event="PreToolUse",
        tool="Bash",
        tool_input={"command": command},
        cwd="/home/dev/app",
        transcript_path="/home/dev/.claude/projects/-home-dev-app/t.jsonl",
    )
    return [found for found in ANALYSER.analyse(event).operations if found.kind == kind]


@pytest.mark.parametrize(
    ("command", "kind", "attribute", "wanted"),
    [
        ("git push origin a; git push --force origin main", "git", "force", [False, True]),
        ("npm install a && npm install b", "package", "names", [["a"], ["b"]]),
        ("rm a; rm -rf /srv/x", "command", "argv", [["rm", "a"], ["rm", "-rf", "/srv/x"]]),
        ("ls; ls", "command", "argv", [["ls"]]),
    ],
)
def test_a_second_operation_on_the_same_thing_is_not_lost_behind_the_first(command, kind, attribute, wanted):
    assert [found.attr[attribute] for found in operations(command, kind)] == wanted
