"""A running gateway: a long command is judged by what the clerk finds in it, and asked about while the clerk is away."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.support.http import metric, post, wait_for_record, word
from tests.support.payloads import pre_tool_use
from tests.support.processes import GatewayProcess, wait_until

PADDING = "echo a; " * 1000


def clerk_of(gateway: GatewayProcess) -> int | None:
    """The process id of the gate's clerk."""
    gate = gateway.process.pid
    for task in Path(f"/proc/{gate}/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"clerk" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                return int(child)
    return None


def test_a_long_command_is_judged_whole_and_asked_about_without_a_clerk(tmp_path: Path):
    with GatewayProcess(tmp_path, {"mode": "enforce"}) as gateway:
        wait_until((gateway.data_dir / "query.sock").exists, "the clerk")

        def ask(command: str) -> str:
            return word(post(gateway, pre_tool_use("Bash", {"command": command})))

        assert ask(PADDING) == "pass"
        assert ask(f"{PADDING} x=~/.ssh; cat $x/id_rsa") == "deny"
        clerk = clerk_of(gateway)
        assert clerk is not None
        os.kill(clerk, signal.SIGSTOP)
        try:
            assert ask(PADDING) == "ask"
            assert ask(f"{PADDING} cat ~/.ssh/id_rsa") in {"ask", "deny"}
            assert ask("echo a") == "pass"
        finally:
            os.kill(clerk, signal.SIGCONT)
        record = wait_for_record(gateway, cause="analysis_limit")
        assert record["shell"]["limits_hit"] == ["clerk_late"]
        assert metric(gateway, "ostiary_failures_total", cause="analysis_limit", answer="ask") >= 1
