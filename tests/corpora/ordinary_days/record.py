"""Plays every session of the days with the real client and keeps what its hooks were sent. Runs inside the sandbox."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.client.fake_model import FakeModel
from tests.client.script import MAIN
from tests.corpora.ordinary_days.client_place import (
    MODEL,
    PERSON,
    TOOLS,
    environment,
    furnish,
    offer_servers,
)
from tests.corpora.ordinary_days.days import Day, Session, days
from tests.corpora.ordinary_days.endpoint import Endpoint
from tests.corpora.ordinary_days.normal import normalised
from tests.corpora.ordinary_days.recording import Recorded, read, write
from tests.support.processes import claude_binary

SECONDS = 1200


def main(out: Path, names: list[str], *, anew: bool) -> None:
    """Record the days of these names (none: all) into a directory, `anew` or only sessions that are not there yet.

    Says what did not reach the hooks.
    """
    with Endpoint() as endpoint:
        for day in days():
            if names and day.name not in names:
                continue
            file = out / f"{day.name}.jsonl"
            kept = {session.name: session for session in read(file)} if file.exists() and not anew else {}
            furnish(day)
            sessions = []
            for session in day.sessions:
                if session.name not in kept:
                    play(day, session)
                    kept[session.name] = _recorded(session, endpoint)
                sessions.append(kept[session.name])
            write(file, sessions)
            calls = sum(len(session.payloads) for session in sessions)
            tell(f"{day.name}: {len(sessions)} sessions, {calls} calls")


def play(day: Day, session: Session) -> None:
    """Run the client through one session."""
    tools = {call.tool for call in session.script.calls}
    offer_servers({tool.split("__")[1] for tool in tools if tool.startswith("mcp__")} | {PERSON})
    with FakeModel(session.script) as model:
        argv = [str(claude_binary()), "-p", f"{MAIN}: {session.prompt}", "--permission-mode", session.mode]
        argv += ["--model", MODEL, "--tools", TOOLS, "--permission-prompt-tool", f"mcp__{PERSON}__approve"]
        try:
            done = subprocess.run(
                argv,
                cwd=day.project,
                env=environment(day, model.url, todos="TodoWrite" in tools),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
                check=False,
            )
            if done.returncode:
                tell(f"{session.name}: the client ended with {done.returncode}: {done.stderr[-500:]}")
        except subprocess.TimeoutExpired:
            waiting = sorted(set(model.sent) - set(model.results))
            tell(f"{session.name}: did not end in time; without a result: {waiting}")


def _recorded(session: Session, endpoint: Endpoint) -> Recorded:
    headers, payloads = endpoint.taken()
    kept = normalised(session.name, payloads)
    wanted = Counter(_hooked(call.tool) for call in session.script.calls)
    missing = wanted - Counter(payload["tool_name"] for payload in kept)
    if missing:
        tell(f"{session.name}: did not reach the hooks: {dict(missing)}")
    return Recorded(session.name, headers, kept)


def _hooked(tool: str) -> str:
    return "Agent" if tool == "Task" else tool


def tell(text: str) -> None:
    """A line for who records."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    words = sys.argv[2:]
    main(Path(sys.argv[1]), [word for word in words if word != "--anew"], anew="--anew" in words)
