"""MCP arguments: a protected path is found wherever and however it stands, or the tool is not known; never neither."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.events import HookEvent, McpServer
from gateway.facts.analyser import CallAnalyser, FactsSettings, facts_data
from gateway.facts.mcp import names_of
from gateway.facts.mcp_data import McpModels, ServerModel

DATA = facts_data()
ANALYSER = CallAnalyser(FactsSettings(), DATA)
PROTECTED = {
    "/etc/shadow": "secrets",
    "/home/dev/.ssh/id_rsa": "secrets",
    "/home/dev/project/.env": "secrets",
    "/home/dev/project/.git/hooks/pre-commit": "vcs_hooks",
    "/home/dev/.claude/settings.json": "agent_config",
}
SPELLINGS = {
    "plain": lambda path: path,
    "relative": lambda path: "../../.." + path,
    "URI": lambda path: f"file://{path}",
    "encoded": lambda path: path.replace("/", "%2F"),
    "encoded letters": lambda path: "".join(f"%{ord(letter):02x}" for letter in path),
    "JSON": lambda path: json.dumps({"x": {"y": [path]}}),
    "JSON in JSON": lambda path: json.dumps(json.dumps({"x": path})),
    "blanks": lambda path: f"  {path}\n",
    "dots": lambda path: path.replace("/", "/./"),
    "process": lambda path: f"/proc/self/root{path}",
    "backslashes": lambda path: path.replace("/", "\\"),
    "capitals": lambda path: path.upper(),
}
KEYS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["path", "q", "command", "url", "host", "text", "content", "title", "repo"]),
)


def mcp(server: str, tool: str, given_input: dict, source: str = "user") -> HookEvent:
    return HookEvent(
        agent="claude-code",
        event="PreToolUse",
        tool=f"mcp__{server}__{tool}",
        tool_input=given_input,
        cwd="/home/dev/project",
        transcript_path="/home/dev/.claude/projects/-home-dev-project/1.jsonl",
        mcp_server=McpServer(name=server, source=source),
    )


def wrapped(value: object, keys: list[str], shapes: list[bool]) -> dict:
    for key, in_list in zip(keys[1:], shapes, strict=False):
        value = [value] if in_list else {key: value}
    return {keys[0]: value}


@settings(max_examples=200)
@given(
    st.sampled_from(sorted(PROTECTED)),
    st.sampled_from(sorted(SPELLINGS)),
    st.lists(KEYS, min_size=1, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.sampled_from(
        [
            ("helper", "get"),
            ("filesystem", "read_text_file"),
            ("filesystem", "write_file"),
            ("github", "create_issue"),
            ("fetch", "fetch"),
            ("desktop-commander", "start_process"),
            ("slack", "post_message"),
        ]
    ),
)
def test_a_protected_path_is_an_operation_or_the_tool_is_not_known(path, spelling, keys, shapes, tool):
    found = ANALYSER.analyse(mcp(*tool, wrapped(SPELLINGS[spelling](path), keys, shapes)))
    known = [operation.attr["known"] for operation in found.operations if operation.kind == "mcp_tool"]
    files = [operation for operation in found.operations if operation.kind == "file"]
    hit = any(PROTECTED[path] in operation.attr["groups"] for operation in files)
    assert hit or known == [False]
    if tool[0] == "helper":
        assert known == [False]


@given(
    st.sampled_from(sorted(PROTECTED)),
    st.sampled_from(sorted(SPELLINGS)),
    st.lists(KEYS, min_size=1, max_size=5),
)
def test_a_tool_nobody_described_yields_the_operation_under_any_name(path, spelling, keys):
    found = ANALYSER.analyse(mcp("helper", "get", wrapped(SPELLINGS[spelling](path), keys, [False] * 6)))
    assert PROTECTED[path] in found.groups


@given(st.integers(1, 20), st.permutations(["dir", "name", "mode"]))
def test_directory_and_name_in_two_arguments_are_one_path(cut, order):
    path = "/home/dev/project/.env"
    head, _, tail = path.rpartition("/")
    values = {"dir": head, "name": tail, "mode": "r"}
    found = ANALYSER.analyse(mcp("helper", "get", {key: values[key] for key in order}))
    assert "secrets" in found.groups
    assert cut


@pytest.mark.parametrize("source", ["managed", "enterprise", "user", "local", "claudeai"])
def test_a_described_tool_of_the_persons_own_server_is_known(source):
    found = ANALYSER.analyse(mcp("filesystem", "read_file", {"path": "a"}, source))
    assert found.operations[-1].attr["known"] is True


@pytest.mark.parametrize("source", ["project", "agent", "plugin", "dynamic", "sdk", "unknown", "", "Managed"])
def test_the_name_of_a_server_makes_none_known(source):
    found = ANALYSER.analyse(mcp("filesystem", "read_file", {"path": "a"}, source))
    assert found.operations[-1].attr["known"] is False


def test_people_name_servers_in_their_own_way():
    models = McpModels(DATA.mcp)
    filesystem = models.of("filesystem")
    for name in ["Filesystem", "filesystem-mcp", "mcp-server-filesystem", "server-filesystem", "fs"]:
        assert models.of(name) is filesystem
    assert models.of("desktop_commander") is models.of("desktop-commander")
    assert models.of("somebody-elses") is None


def test_a_server_described_in_the_configuration_is_known_from_the_sources_it_names():
    model = ServerModel(sources=("project",), tools={"echo": {"text": "text"}, "save": {"to": "write"}})
    analyser = CallAnalyser(FactsSettings(mcp_servers={"desk": model}), DATA)
    for source, known in [("project", True), ("user", True), ("dynamic", False)]:
        found = analyser.analyse(mcp("desk", "echo", {"text": "hi"}, source))
        assert [operation.attr.get("known") for operation in found.operations] == [known]
    saved = analyser.analyse(mcp("desk", "save", {"to": "/home/dev/x"}, "project"))
    assert [(item.kind, item.action) for item in saved.operations] == [
        ("file", "write"),
        ("mcp_tool", "call"),
    ]
    assert analyser.analyse(mcp("desk", "other", {}, "project")).operations[-1].attr["known"] is False


def test_a_model_of_the_configuration_replaces_the_shipped_one():
    analyser = CallAnalyser(FactsSettings(mcp_servers={"filesystem": ServerModel(tools={"x": {}})}), DATA)
    assert (
        analyser.analyse(mcp("filesystem", "read_file", {"path": "a"})).operations[-1].attr["known"] is False
    )
    assert analyser.analyse(mcp("filesystem", "x", {})).operations[-1].attr["known"] is True


@given(st.text("ab_", min_size=1, max_size=12))
def test_every_way_to_split_a_name_is_asked(name):
    event = HookEvent(
        agent="a", event="PreToolUse", tool=f"mcp__{name}", mcp_server=McpServer(name=name.partition("__")[0])
    )
    ways = names_of(event)
    assert ways
    for server, tool in ways:
        assert tool == "" or f"{server}__{tool}" == name
    splits = {(name[:at], name[at + 2 :]) for at in range(1, len(name) - 2) if name[at : at + 2] == "__"}
    assert splits <= set(ways)


def test_every_role_of_the_data_file_is_one():
    roles = DATA.mcp.all_roles
    for name, model in DATA.mcp.servers.items():
        used = {role for arguments in model.tools.values() for role in arguments.values()}
        assert used | ({model.others} - {""}) <= roles, name
    assert len(DATA.mcp.servers) >= 20


def test_what_a_tool_does_to_a_path_is_told_by_its_name():
    for tool, actions in {
        "read_file": ("read",),
        "getFile": ("read",),
        "list_files": ("list",),
        "writeFile": ("write",),
        "create_directory": ("write",),
        "edit": ("read", "write"),
        "move_file": ("read", "write", "delete"),
        "deleteAll": ("delete",),
        "frobnicate": ("read",),
    }.items():
        assert DATA.mcp.actions(tool) == actions, tool
