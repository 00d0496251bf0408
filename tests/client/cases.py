"""Calls of which the tests know whether the shipped packs forbid them, and how to see on disk that they happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.client.claude import Session
from tests.client.script import Call

Happened = Callable[[Session], bool]


@dataclass(frozen=True)
class Case:
    """A call, whether policy forbids it, and the look at the world that tells whether it happened."""

    call: Call
    happened: Happened
    forbidden: bool = False

    @property
    def name(self) -> str:
        """The call's name."""
        return self.call.name


def allowed(name: str, tool: str, happened: Happened, given: Mapping[str, Any] | Any = None) -> Case:
    """A call that every mode lets happen."""
    return Case(Call(name, tool, given or {}), happened)


def forbidden(name: str, tool: str, happened: Happened, given: Mapping[str, Any] | Any = None) -> Case:
    """A call that enforcing stops."""
    return Case(Call(name, tool, given or {}), happened, forbidden=True)


def is_file(file: Path) -> Happened:
    """Whether a file is there."""
    return lambda _session: file.exists()


def holds(file: Path, text: str) -> Happened:
    """Whether a file holds a text."""
    return lambda _session: file.exists() and text in file.read_text()


def told(name: str, text: str) -> Happened:
    """Whether a call's result told the model a text."""
    return lambda session: text in session.result(name)


def ran(name: str) -> Happened:
    """Whether the model was told that a call succeeded, for tools that leave no other trace."""
    return lambda session: session.verdict(name) == "ran"


def wrong(cases: list[Case], session: Session, *, enforced: bool) -> list[str]:
    """What went otherwise than policy says: each call that happened and must not have, or the other way round."""
    found = []
    for case in cases:
        wanted = not (enforced and case.forbidden)
        if case.happened(session) != wanted:
            verdict, text = session.verdict(case.name), session.result(case.name)[:300]
            found.append(f"{case.name}: {'did not happen' if wanted else 'HAPPENED'} ({verdict}: {text})")
        elif not wanted and "Ostiary" not in session.result(case.name):
            # A reply that the client cannot read stops a call as well, where failures block.
            found.append(f"{case.name}: not stopped by us ({session.result(case.name)[:300]})")
    return found
