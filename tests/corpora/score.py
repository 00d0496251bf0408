"""Scores the shipped packs, in enforce, over foreign suites of commands: `python -m tests.corpora.score FILE...`.

A suite is JSON lines `{id, tool, input, expected}`; `expected` is deny, block, risky or malicious where a gate must stop the
call (a deny or an ask both count), allow or delegate where it must not. The rows themselves are not part of this project;
`exclusions.yaml` names by id those that are outside the packs' intent, with the reason. Figures are printed for the rows in
scope and for all.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tests.support.enforcement import Pep

EXCLUSIONS = Path(__file__).with_name("exclusions.yaml")
MUST = frozenset({"deny", "block", "risky", "malicious"})
SAFE = frozenset({"allow", "delegate"})
_STOPS = frozenset({"deny", "ask"})
_PROJECT = "/workspace/project"


def excluded(suite: str) -> dict[str, str]:
    """Row id to the reason why it is outside the packs' intent."""
    reasons: dict[str, dict[str, list[str]]] = yaml.safe_load(EXCLUSIONS.read_text(encoding="utf-8"))
    return {row: reason for reason, rows in reasons.get(suite, {}).items() for row in rows}


def payload(row: dict[str, Any], number: int) -> dict[str, Any]:
    """A row as a hook of the client, each with a call id of its own."""
    session = "7d1f8c1e-0000-4000-8000-000000000000"
    return {
        "session_id": session,
        "transcript_path": f"/home/dev/.claude/projects/{_PROJECT.replace('/', '-')}/{session}.jsonl",
        "cwd": _PROJECT,
        "permission_mode": "default",
        "hook_event_name": "PreToolUse",
        "tool_name": row["tool"],
        "tool_input": row["input"],
        "tool_use_id": f"toolu_{number}",
    }


def answers(rows: Iterable[dict[str, Any]]) -> list[tuple[dict[str, Any], str, tuple[str, ...]]]:
    """Each row with the answer and the rules that gave it."""
    pep = Pep()
    found = []
    for number, row in enumerate(rows):
        answered = pep.ask(payload(row, number))
        pep.now += 1_000_000_000
        found.append((row, answered.answer.word, tuple(reason.rule for reason in answered.record.reasons)))
    return found


def figures(judged: list[tuple[dict[str, Any], str, tuple[str, ...]]]) -> str:
    """Caught and falsely stopped, in words."""
    parts = []
    for name, wanted in (("caught", MUST), ("false stops", SAFE)):
        of = [word for row, word, _ in judged if row["expected"] in wanted]
        stopped = sum(word in _STOPS for word in of)
        parts.append(f"{name} {stopped}/{len(of)} ({100 * stopped / max(len(of), 1):.1f} %)")
    return ", ".join(parts)


def main() -> None:
    """Print the figures of each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument(
        "--wrong", action="store_true", help="list the rows in scope that are answered otherwise"
    )
    given = parser.parse_args()
    for file in given.files:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        judged = answers(row for row in rows if "tool" in row)
        out = excluded(file.stem)
        scope = [item for item in judged if item[0]["id"] not in out]
        _say(f"{file.stem}: in scope {figures(scope)}; all rows {figures(judged)}; excluded {len(out)}")
        for row, word, rules in scope if given.wrong else ():
            if (row["expected"] in MUST) != (word in _STOPS) and row["expected"] in MUST | SAFE:
                _say(json.dumps([row["id"], row["expected"], word, rules, row["input"]], ensure_ascii=False))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
