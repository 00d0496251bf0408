"""Whether the gateway may be asked: checks that must hold, and notes about what only works in part.

Red until policies are loaded, the journal is writable and the local canary was denied, and while draining. A remote backend
that is away or does not deny its canary only degrades: its calls follow the failure policy, and a red probe would take the
gateway away from its agents.
"""

from __future__ import annotations

from typing import Any

CHECKS = ("policies", "journal", "canary", "serving")


class Readiness:
    """The checks by name; each is "" when it holds, else the sentence that says what is wrong."""

    def __init__(self) -> None:
        self._problems: dict[str, str] = dict.fromkeys(CHECKS, "not checked yet")
        self._notes: dict[str, str] = {}

    def set(self, check: str, problem: str) -> None:
        """State a check."""
        if check not in self._problems:
            raise KeyError(check)
        self._problems[check] = problem

    def note(self, name: str, sentence: str) -> None:
        """State something that works only in part; an empty sentence takes the note back."""
        if sentence:
            self._notes[name] = sentence
        else:
            self._notes.pop(name, None)

    @property
    def ready(self) -> bool:
        """Whether every check holds."""
        return not any(self._problems.values())

    @property
    def degraded(self) -> bool:
        """Whether something works only in part."""
        return bool(self._notes)

    def detail(self) -> dict[str, Any]:
        """Everything, for people with a credential."""
        return {
            "ready": self.ready,
            "checks": {name: problem or "ok" for name, problem in self._problems.items()},
            "degraded": dict(self._notes),
        }
