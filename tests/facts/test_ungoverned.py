"""A second agent that nobody governs, and the gateway as a target: however it is spelled, it is stopped by the rule for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.domain.events import HookEvent
from gateway.facts.analyser import CallAnalyser, FactsSettings, facts_data
from gateway.facts.shell.programs.agents import agent_image, agent_named, agent_script
from tests.support.enforcement import Pep
from tests.support.payloads import pre_tool_use

CORPUS: dict[str, list[Any]] = yaml.safe_load(
    (Path(__file__).parent / "corpus" / "ungoverned.yaml").read_text("utf-8")
)
ANALYSER = CallAnalyser(
    FactsSettings(self_ports=frozenset({8787, 8788}), self_paths=("/home/dev/.local/state/ostiary",)),
    facts_data(),
)
PEP = Pep(analyser=ANALYSER)
RULES = {
    "self_protection.ungoverned_agent",
    "self_protection.gateway_command",
    "self_protection.gateway_host",
    "self_protection.gateway_files",
}


def asked(command: str) -> tuple[str, set[str]]:
    """What the agent gets, and the rules that say so."""
    answered = PEP.ask(pre_tool_use("Bash", {"command": command}))
    return answered.answer.word, {reason.rule for reason in answered.record.reasons}


def found(command: str, kind: str, action: str) -> set[str]:
    event = HookEvent(
        agent="claude-code",
        event="PreToolUse",
        tool="Bash",
        tool_input={"command": command},
        cwd="/home/dev/project",
        transcript_path="/home/dev/.claude/projects/-home-dev-project/1.jsonl",
    )
    operations = ANALYSER.analyse(event).operations
    return {item.id for item in operations if (item.kind, item.action) == (kind, action)}


def test_the_corpus_has_as_many_spellings_as_it_should():
    assert min(len(CORPUS["starts"]), len(CORPUS["gateway"])) >= 30


@pytest.mark.parametrize(("agent", "command"), CORPUS["starts"], ids=[row[1] for row in CORPUS["starts"]])
def test_another_agent_is_not_started(agent, command):
    assert agent in found(command, "subagent", "spawn")
    word, rules = asked(command)
    assert word == "deny"
    assert "self_protection.ungoverned_agent" in rules


@pytest.mark.parametrize("command", CORPUS["none"])
def test_what_only_speaks_of_an_agent_starts_none(command):
    assert found(command, "subagent", "spawn") == set()


@pytest.mark.parametrize("command", CORPUS["gateway"])
def test_the_gateway_is_neither_stopped_nor_spoken_to(command):
    word, rules = asked(command)
    assert word == "deny", rules
    assert rules & RULES, rules


@pytest.mark.parametrize("command", CORPUS["gateway_free"])
def test_other_processes_and_ports_are_not_the_gateway(command):
    assert not asked(command)[1] & RULES


def test_versions_tags_and_files_of_an_agent_are_the_agent():
    for name in ("claude", "@anthropic-ai/claude-code@1.0.0", "aider-chat==0.80", "Claude.exe", "codex-0.2"):
        assert agent_named(name), name
    assert agent_image("registry.example:5000/team/gemini-cli:v1@sha256:ab") == "gemini"
    assert agent_script("/usr/lib/node_modules/@openai/codex/bin/codex.js") == "codex"
    for name in ("claudette", "codextra", "python", "@anthropic-ai/sdk"):
        assert not agent_named(name), name


def test_settings_of_an_agent_changed_by_its_own_command_are_a_write_of_them():
    assert "/home/~/.codex/config.toml" in found("codex mcp add x", "file", "write")
    assert "/home/~/.claude.json" in found("claude mcp add evil -- npx evil-server", "file", "write")
    assert found("claude mcp list", "file", "write") == set()
    assert asked("codex mcp add x")[0] == "deny"
