"""The core session: every tool the client has, allowed and forbidden uses of it, in the main thread, a sub-agent and at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.client import mcp_server
from tests.client.cases import Case
from tests.client.claude import Session
from tests.client.core_calls import PLAIN, SECRET, calls_at_once, every_tool, guarded_places, helper_calls
from tests.client.records import of_call
from tests.client.script import Call, Script
from tests.client.web_host import WebHost
from tests.client.workplace import Workplace

HELPER = "HELPER"
_STOPS = {"deny", "ask"}
_NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "id": "c1",
            "metadata": {},
            "source": "1",
            "outputs": [],
            "execution_count": None,
        }
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}
_SKILL = "---\nname: greet\ndescription: Greets people\n---\nSay hello.\n"


def furnish(place: Workplace) -> None:
    """Put into the project what the calls need: plain files, secrets, a skill, a notebook, a pipeline, an MCP server."""
    for name in ("plain.txt", "edit.txt", "many/1.txt", ".env.example"):
        place.write(name, f"{PLAIN}\n")
    for name in (".env", "deep/prod.env", "server.pem"):
        place.write(name, f"KEY={SECRET}\n")
    place.write("book.ipynb", json.dumps(_NOTEBOOK))
    place.write(".gitlab-ci.yml", "stages: [test]\n")
    place.write(".claude/skills/greet/SKILL.md", _SKILL)
    ssh = place.home / ".ssh"
    ssh.mkdir()
    (ssh / "id_ed25519").write_text(SECRET)
    (place.home / "notes.txt").write_text(PLAIN)
    server = {"command": sys.executable, "args": [str(Path(mcp_server.__file__)), str(place.root)]}
    place.write(".mcp.json", json.dumps({"mcpServers": dict.fromkeys(("desk", "stranger"), server)}))


@dataclass(frozen=True)
class Core:
    """The cases of the core session, and the script that plays them."""

    cases: list[Case]
    script: Script
    project: str


def misrecorded(
    found: Sequence[Mapping[str, Any]], played: Core, session: Session, *, enforced: bool
) -> list[str]:
    """What of a played session is not recorded as it was decided and as it went."""
    wrong = []
    for case in played.cases:
        identifier = played.script.id_of(case.name)
        asked = of_call(found, identifier)
        told = of_call(found, identifier, "PostToolUse")
        if not asked and session.verdict(case.name) == "failed":
            # The client itself refused the call (no such task) before it asked anybody.
            continue
        decisions = {(record["decision"] in _STOPS, record["answer"] in _STOPS) for record in asked}
        if decisions != {(case.forbidden, enforced and case.forbidden)}:
            wrong.append(f"{case.name}: decided {decisions}")
        if [record["type"] for record in asked] not in (["call"], ["call", "repeat"]):
            wrong.append(f"{case.name}: asked {asked}")
        if {record.get("project_dir") for record in asked} != {played.project}:
            wrong.append(f"{case.name}: in project {[record.get('project_dir') for record in asked]}")
        flagged = any(record.get("flags") for record in (*asked, *told))
        if flagged or len(told) != (session.verdict(case.name) == "ran"):
            wrong.append(f"{case.name}: told {told}")
    return wrong


def core(place: Workplace, host: WebHost, scratch: Path) -> Core:
    """The core session in a furnished place. `scratch` is a directory that anybody may write."""
    tools = every_tool(place, host)
    guarded = guarded_places(place, scratch)
    at_once = calls_at_once(place)
    helper = helper_calls(place)
    script = Script(
        [
            *(case.call for case in tools),
            *(case.call for case in guarded),
            [case.call for case in at_once],
            Call(
                "agent",
                "Agent",
                {
                    "description": "help",
                    "prompt": f"{HELPER}: help.",
                    "subagent_type": "general-purpose",
                    "run_in_background": False,
                },
            ),
        ],
        HELPER=[[case.call for case in helper]],
    )
    return Core([*tools, *guarded, *at_once, *helper], script, str(place.project))
