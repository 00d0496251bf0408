"""Runs the real client once, headless, and reads what became of each call."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.client.fake_model import FakeModel
from tests.client.script import MAIN, Script
from tests.client.workplace import Workplace
from tests.support.processes import claude_binary

SKIP_PERMISSIONS = "--dangerously-skip-permissions"
PATIENCE_SECONDS = 90


@dataclass
class Session:
    """What one session left: tool results by call name, the client's own account, its output."""

    script: Script
    status: int
    events: list[dict[str, Any]]
    stderr: str
    model: FakeModel
    denials: set[str] = field(default_factory=set)

    def result(self, name: str) -> str:
        """The result the model got for a call, "" when none came."""
        return self.model.results.get(self.script.id_of(name), "")

    def failed(self, name: str) -> bool:
        """Whether the model was told that the call failed."""
        return self.script.id_of(name) in self.model.errors

    def denied(self, name: str) -> bool:
        """Whether the client counts the call among those that were denied."""
        return self.script.id_of(name) in self.denials

    def verdict(self, name: str) -> str:
        """`ran`, `failed`, `denied` or `unreached`, as the client told the model."""
        identifier = self.script.id_of(name)
        if identifier not in self.model.results:
            return "unreached"
        if identifier in self.denials or " hook error: " in self.result(name):
            return "denied"
        return "failed" if self.failed(name) else "ran"

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict of every call by name."""
        return {call.name: self.verdict(call.name) for call in self.script.calls}

    @property
    def outcome(self) -> dict[str, Any]:
        """How the session ended, in the client's words."""
        return next((event for event in self.events if event.get("type") == "result"), {})


def run_claude(
    place: Workplace,
    script: Script,
    *arguments: str,
    prompt: str = f"{MAIN}: do the work.",
    environment: Mapping[str, str] | None = None,
    wrapper: Sequence[str] = (),
) -> Session:
    """One headless session of the real client that plays a script. Fails when it takes longer than is reasonable."""
    with FakeModel(script) as model:
        argv = [*wrapper, str(claude_binary()), "-p", prompt, "--output-format", "stream-json", "--verbose"]
        argv += ["--debug-file", str(place.root / "client.log"), *arguments]
        try:
            done = subprocess.run(
                argv,
                cwd=place.project,
                env={**place.environment(model.url), **(environment or {})},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PATIENCE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            waiting = sorted(set(model.sent) - set(model.results))
            raise AssertionError(f"the client did not end in time; without a result: {waiting}") from None
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    session = Session(script, done.returncode, events, done.stderr, model)
    for denial in session.outcome.get("permission_denials") or ():
        session.denials.add(denial["tool_use_id"])
    return session


def client_log(place: Workplace) -> str:
    """The client's debug log."""
    return Path(place.root / "client.log").read_text(errors="replace")
