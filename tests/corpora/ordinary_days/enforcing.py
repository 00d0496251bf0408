"""The recorded days under the shipped packs, enforced: what would be stopped or asked about, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from gateway.enforce import Answered
from tests.corpora.ordinary_days.recording import Recorded
from tests.support.enforcement import Pep


class Halt(NamedTuple):
    """One call that does not simply go through. `by` are the rules, or the cause, that halted it."""

    call: str
    answer: str
    by: str
    what: str


def halts(sessions: Iterable[Recorded]) -> list[Halt]:
    """Every call of these sessions that enforcing would deny or ask a person about, in order."""
    pep = Pep(mode="enforce")
    found = []
    for session in sessions:
        for payload in session.payloads:
            answered = pep.ask(payload, headers=session.headers)
            if answered.answer.word != "pass":
                name = f"{session.name} {payload['tool_use_id']}"
                found.append(Halt(name, answered.answer.word, _by(answered), _what(payload)))
    return found


def _by(answered: Answered) -> str:
    record = answered.record
    rules = sorted({reason.rule for reason in record.reasons if reason.decision == record.decision})
    shell = record.shell if isinstance(record.shell, dict) else {}
    codes = shell.get("opaque_reasons") or () if record.cause == "opaque" else ()
    return " ".join(rules) or f"{record.cause} {' '.join(codes)}".strip()


def _what(payload: dict[str, Any]) -> str:
    given = payload["tool_input"]
    text = given.get("command") or given.get("file_path") or json.dumps(given, sort_keys=True)
    return f"{payload['tool_name']}: {text}"
