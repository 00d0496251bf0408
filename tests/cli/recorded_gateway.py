"""A gateway with a few calls in its record, some of them with everything a terminal could be made to obey."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.cli.gateway_api import QUERY_SOCKET, NotRunning, ask_socket
from tests.support.payloads import pre_tool_use
from tests.support.processes import ROOT, GatewayProcess, wait_until

STRINGS = Path(__file__).with_name("attacker_strings.txt")


def attacker_strings() -> list[str]:
    """What an agent could write to be obeyed instead of shown."""
    return [line.encode().decode("unicode_escape") for line in STRINGS.read_text().splitlines()]


def obeyed(text: str, *, colours: bool = False) -> list[str]:
    """The characters of an output that a terminal would obey: all controls and format characters but newlines.

    With `colours` the escape sequences of colours (SGR) are ours and are taken out first.
    """
    if colours:
        text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return [
        char
        for char in text
        if char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp", "Cs"} and char != "\t"
    ]


def post(gateway: GatewayProcess, payload: Mapping[str, Any]) -> None:
    """Send one hook event."""
    request = urllib.request.Request(
        gateway.hooks_url, json.dumps(payload).encode(), {"X-Ostiary-Home": "/home/dev"}
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert reply.status == 200


def fill(gateway: GatewayProcess) -> None:
    """A stopped read that ran in observe, a write, a free read, and an attack on whoever reads the record."""
    calls = [
        pre_tool_use("Read", {"file_path": "/home/dev/project/.env"}, tool_use_id="secret"),
        {
            **pre_tool_use("Read", {"file_path": "/home/dev/project/.env"}, tool_use_id="secret"),
            "hook_event_name": "PostToolUse",
            "tool_response": {"text": "content"},
        },
        pre_tool_use(
            "Write", {"file_path": "/home/dev/.bash_profile", "content": "x"}, tool_use_id="startup"
        ),
        pre_tool_use("Read", {"file_path": "/home/dev/project/a.py"}, tool_use_id="free"),
    ]
    for number, text in enumerate(attacker_strings()):
        calls.append(
            pre_tool_use(
                "Bash",
                {"command": f"echo {text}", "description": text},
                tool_use_id=f"attack{number}{text}",
                agent_id=text,
                agent_type=text,
                session_id=f"s{text}",
            )
        )
        calls.append(
            pre_tool_use("Read", {"file_path": f"/home/dev/project/{text}/.env"}, tool_use_id=f"path{number}")
        )
        calls.append(pre_tool_use(f"mcp__{text}__tool", {text: text}, tool_use_id=f"tool{number}"))
    for payload in calls:
        post(gateway, payload)

    def indexed() -> bool:
        try:
            reply = ask_socket(gateway.data_dir, QUERY_SOCKET, "/v1/records", {"limit": "1"})
        except NotRunning:
            return False
        return reply.status == 200

    wait_until(indexed, "the clerk")


def run(
    *arguments: str, environment: Mapping[str, str] | None = None, expect: Sequence[int] = (0,)
) -> subprocess.CompletedProcess[str]:
    """Run the command line as another process, as people do; fails when its exit code is none of `expect`."""
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        env={**clean, **(environment or {})},
        check=False,
    )
    assert done.returncode in expect, done.stdout + done.stderr
    return done


def on_terminal(*arguments: str, columns: int) -> str:
    """What a command prints on a terminal of so many columns."""
    parent, child = pty.openpty()
    clean = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway.cli", *arguments],
        stdin=child,
        stdout=child,
        stderr=subprocess.DEVNULL,
        env={**clean, "COLUMNS": str(columns), "HOME": "/nonexistent"},
    )
    os.close(child)
    output = b""
    while True:
        try:
            block = os.read(parent, 65536)
        except OSError:
            break
        if not block:
            break
        output += block
    os.close(parent)
    process.wait(60)
    return output.decode().replace("\r\n", "\n")
