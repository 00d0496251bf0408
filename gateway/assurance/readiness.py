"""Whether the gateway may be asked: checks that must hold, and notes about what only works in part.

Red until policies are loaded, the journal is writable and the local canary was denied, and while draining. A remote backend
that is away or does not deny its canary only degrades: its calls follow the failure policy, and a red probe would take the
gateway away from its agents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CHECKS = ("policies", "journal", "canary", "serving")


class Readiness:
    """The checks by name; each is "" when it holds, else the sentence that says what is wrong."""

    def __init__(self) -> None:
        self._problems: dict[str, str] = dict.fromkeys(CHECKS, "not checked yet")
        self._watched: dict[str, Callable[[], str]] = {}
        self._notes: dict[str, str] = {}

    def set(self, check: str, problem: str) -> None:
        """State a check."""
        if check not in self._problems:
            raise KeyError(check)
        self._problems[check] = problem

    def watch(self, check: str, problem: Callable[[], str]) -> None:
        """Ask for a check's problem whenever readiness is asked for."""
        self.set(check, "")
        self._watched[check] = problem

    def note(self, name: str, sentence: str) -> None:
        """State something that works only in part; an empty sentence takes the note back."""
        if sentence:
            self._notes[name] = sentence
        else:
            self._notes.pop(name, None)

    @property
    def ready(self) -> bool:
        """Whether every check holds."""
        return not any(self._now().values())

    @property
    def degraded(self) -> bool:
        """Whether something works only in part."""
        return bool(self._notes)

    def detail(self) -> dict[str, Any]:
        """Everything, for people with a credential."""
        return {
            "ready": self.ready,
            "checks": {name: problem or "ok" for name, problem in self._now().items()},
            "degraded": dict(self._notes),
        }

    def _now(self) -> dict[str, str]:
        return {**self._problems, **{check: problem() for check, problem in self._watched.items()}}
