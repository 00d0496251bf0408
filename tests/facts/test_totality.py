"""The analyser answers for any JSON, stays within its bounds, and looks at nothing but its input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.events import Claims, HookEvent, McpServer
from gateway.domain.operations import MAX_OPERATIONS
from gateway.domain.vocabulary import FILE_GROUPS, HOST_GROUPS, OPERATION_ACTIONS
from gateway.facts.tool_data import tool_data
from tests.facts.calls import GOLDEN, analyser, calls

ANALYSER = analyser()
TOOLS = sorted(tool_data().known | {"Frobnicate", "", "mcp__", "mcp__a", "mcp__filesystem__move_file"})
_FIELDS = [
    "file_path",
    "path",
    "paths",
    "pattern",
    "glob",
    "url",
    "uri",
    "command",
    "notebook_path",
    "dir",
    "name",
]
_FIELDS += ["source", "destination", "server", "host", "port", "subagent_type", "scriptPath"]
_TEXTS = [
    "/",
    "~",
    "..",
    "file://[",
    "http://[",
    "//",
    "\\\\?\\",
    "C:",
    "{" * 50,
    "[" * 50,
    "%00",
    "\0",
    "$HOME",
    "**/..",
]
TEXT = st.one_of(st.text(max_size=30), st.sampled_from(_TEXTS))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXT),
    lambda below: st.one_of(
        st.lists(below, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(_FIELDS), TEXT), below, max_size=4),
    ),
    max_leaves=12,
)
EVENTS = st.builds(
    HookEvent,
    agent=st.just("claude-code"),
    event=st.sampled_from(["PreToolUse", "PermissionRequest", "PostToolUse", "ConfigChange", "Nonsense", ""]),
    tool=st.sampled_from(TOOLS),
    tool_input=st.dictionaries(st.one_of(st.sampled_from(_FIELDS), TEXT), JSON, max_size=5),
    cwd=TEXT,
    transcript_path=TEXT,
    permission_mode=TEXT,
    mcp_server=st.one_of(st.none(), st.builds(McpServer, name=TEXT, source=TEXT)),
    claims=st.builds(Claims, project_dir=TEXT, home=TEXT),
    payload=st.dictionaries(st.sampled_from(["file_path", "source"]), JSON),
)


@settings(max_examples=300)
@given(EVENTS)
def test_any_event_is_analysed_into_words_of_the_vocabulary(event):
    found = ANALYSER.analyse(event)
    assert len(found.operations) <= MAX_OPERATIONS
    for operation in found.operations:
        assert operation.action in OPERATION_ACTIONS[operation.kind]
        assert isinstance(operation.attr["certain"], bool)
        if operation.kind == "file":
            assert operation.attr["path"].startswith("/")
            assert {*operation.attr["groups"], *operation.attr["groups_may"]} <= set(FILE_GROUPS)
        if operation.kind == "host":
            assert set(operation.attr["groups"]) <= set(HOST_GROUPS)
        json.dumps(operation.attr)


@pytest.mark.parametrize("source", [None, 1, [], {}, ["skills"]])
def test_a_change_of_configuration_from_no_source_one_knows_is_a_write(source):
    event = HookEvent(
        agent="a", event="ConfigChange", payload={"file_path": "/p/.claude/settings.json", "source": source}
    )
    assert ANALYSER.analyse(event).groups == ("agent_config",)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@settings(max_examples=10_000)
@given(EVENTS)
def test_any_event_is_analysed_for_long(event):
    ANALYSER.analyse(event)


def test_a_lone_surrogate_is_a_character_like_any_other():
    for tool in ("Read", "Grep", "WebFetch", "mcp__a__b"):
        given_input = {
            "file_path": "/x\ud800/.env",
            "path": "\ud800",
            "url": "http://\udc80/",
            "glob": "*\ud800",
        }
        server = McpServer(name="a") if tool.startswith("mcp") else None
        ANALYSER.analyse(
            HookEvent(
                agent="a", event="PreToolUse", tool=tool, tool_input=given_input, cwd="/p", mcp_server=server
            )
        )


def test_a_protected_place_behind_thousands_of_values_is_a_limit_or_found():
    values = [f"value-{number}" for number in range(5000)]
    for place in (0, 2500, 5000):
        hidden = [*values[:place], "/etc/shadow", *values[place:]]
        found = ANALYSER.analyse(mcp({"values": hidden}))
        assert "secrets" in found.groups or found.limits_hit == ("mcp_arguments",)


def test_deep_nesting_and_large_texts_end_in_time():
    deep: object = "/etc/shadow"
    for _ in range(1500):
        deep = {"x": [deep]}
    found = ANALYSER.analyse(mcp({"deep": deep}))
    assert "secrets" in found.groups or found.limits_hit
    assert ANALYSER.analyse(mcp({"text": "{" * 2_000_000})).limits_hit == ("mcp_arguments",)
    ANALYSER.analyse(mcp({"text": "/a" * 500_000}))
    ANALYSER.analyse(mcp({"text": "http://x " * 100_000}))


@pytest.mark.parametrize(
    "many",
    [
        {"v": ["%2e%2e/\u00e9$HOME\\x" + "a" * 900 + str(number) for number in range(2000)]},
        {"v": [{f"k{key}": f"/d{key}" if key % 2 else f"n{key}" for key in range(40)} for _ in range(200)]},
        {"path": [f"/a/**/{{a,b,c}}{number}/*.{{x,y,z}}" for number in range(500)]},
        {"path": ["/a/%2e%2e/" * 800 for _ in range(500)]},
        {"url": [f"http://a.b@c{number}.%31.nip.io\\@x/" for number in range(2000)]},
        {"q": [f'{{"a": "/x{number}"}}' for number in range(2000)]},
        {"t": ["http://x.y " * 30 for _ in range(1000)]},
        {f"k{number}": f"/v/{number}" for number in range(3000)},
    ],
    ids=["odd spellings", "siblings", "globs", "long paths", "hosts", "JSON", "URLs in texts", "arguments"],
)
def test_more_than_may_be_looked_at_is_a_limit(many):
    assert ANALYSER.analyse(mcp({**many, "last": "/etc/shadow"})).limits_hit


def test_a_search_with_more_globs_than_may_be_looked_at_is_a_limit():
    globs = " ".join(f"**/a{number}/*.{{x,y}}" for number in range(3000))
    event = HookEvent(
        agent="a", event="PreToolUse", tool="Grep", tool_input={"glob": f"{globs} .env"}, cwd="/p"
    )
    assert ANALYSER.analyse(event).limits_hit == ("places",)


def mcp(given_input: dict) -> HookEvent:
    return HookEvent(
        agent="claude-code",
        event="PreToolUse",
        tool="mcp__helper__get",
        tool_input=given_input,
        cwd="/home/dev/project",
        mcp_server=McpServer(name="helper"),
    )


WATCH = """
import json, sys
from tests.facts.calls import analyser, calls, event_of
made = analyser()
events = [event_of(case) for case in calls("calls.yaml")]
for event in events:
    made.analyse(event)
seen = []
sys.addaudithook(lambda name, args: seen.append(name))
for event in events:
    made.analyse(event)
print(json.dumps(sorted(set(seen))))
"""


def test_the_analysis_opens_no_file_and_no_socket_and_resolves_nothing():
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", WATCH], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    touched = [
        name
        for name in json.loads(done.stdout)
        if name.startswith(("socket.", "open", "os.", "subprocess", "import"))
    ]
    assert touched == []
    assert calls("calls.yaml")
    assert GOLDEN.is_dir()
