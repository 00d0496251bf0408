"""The facts of one analysis as they are found. Nothing found is ever taken back: limits and errors only add."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from gateway.domain.remembered import NOTHING_REMEMBERED, Change, Remembered, Text, file_key
from gateway.facts.shell.effects import Credential, Dimension, Git, Package, PathAction

MAX_STEPS: Final = 2_000
"""Commands that one analysis simulates. Steps, not time: the same text gives the same facts on any machine."""
_DIMENSIONS: Final[dict[str, tuple[Dimension, ...]]] = {
    "unknown_cwd": (),
    "unknown_host": ("net",),
    "unknown_net_data": ("net",),
    "unknown_ref": ("git",),
    "git_ext_transport": ("exec", "net"),
    "brace_limit": ("read", "write", "delete"),
    "loop_limit": ("read", "write", "delete"),
    "patch_target": ("write",),
    "link_unknown": ("read", "write"),
    "glob_command": ("exec",),
    "env_danger": ("exec",),
}
_EVERYTHING: Final[tuple[Dimension, ...]] = ("exec", "read", "write", "delete", "net")


class CommandFact(Struct, frozen=True, kw_only=True):
    """One simple command after unwrapping."""

    name: str
    program: str
    argv: tuple[str | None, ...]
    wrappers: tuple[str, ...] = ()
    via: str = "direct"
    certain: bool = True
    remote: bool = False
    background: bool = False
    known: bool = True
    directories: tuple[str, ...] = ()
    privileged: bool = False
    agent_written: bool = False
    indirect: str = ""
    traits: tuple[str, ...] = ()


class Trace:
    """Collects facts. Every dictionary maps a thing to whether it is certain.

    `remembered` is what the session did before; what of it was looked up stands in `consulted`, what this command adds to
    it in `left`. `budget` is how many commands may be simulated.
    """

    def __init__(self, remembered: Remembered = NOTHING_REMEMBERED, budget: int = MAX_STEPS) -> None:
        self.remembered = remembered
        self.consulted: dict[str, None] = {}
        self.left: dict[Change, None] = {}
        self.budget = budget
        self.commands: list[CommandFact] = []
        self.worktrees: dict[str, bool] = {}
        """Places of further work trees of the repository."""
        self.paths: dict[PathAction, dict[str, bool]] = {
            "read": {},
            "write": {},
            "delete": {},
            "list": {},
            "execute": {},
        }
        self.hosts: dict[str, bool] = {}
        self.urls: dict[str, bool] = {}
        self.sends: dict[tuple[str, str], bool] = {}
        self.git: dict[Git, bool] = {}
        self.packages: dict[Package, bool] = {}
        self.credentials: dict[Credential, bool] = {}
        self.indirect: dict[tuple[str, str], None] = {}
        self.inline: dict[tuple[str, str, bool], None] = {}
        self.reasons: dict[str, None] = {}
        self.unknown: set[Dimension] = set()
        self.limits: dict[str, None] = {}
        self.unknown_commands: dict[str, None] = {}
        self.may_write: dict[str, None] = {}
        self.environment: dict[str, str | None] = {}
        self.environment_used: dict[str, None] = {}
        self.environment_danger: dict[str, None] = {}
        self.persistence: dict[str, None] = {}
        self.agents: dict[str, None] = {}
        self.remote_code = False
        self.privileged = False
        self.background = False
        self.steps = 0

    def step(self) -> bool:
        """One simulated command more; False once the budget is spent."""
        self.steps += 1
        if self.steps > self.budget:
            self.limit("budget")
            return False
        return True

    def earlier(self, path: str) -> tuple[Text, ...]:
        """What the session may have put into a file before this command."""
        self.consulted.setdefault(f"file:{file_key(path)}")
        return self.remembered.texts(path)

    def leave(self, change: Change) -> None:
        """Something that later calls of the session must know."""
        self.left.setdefault(change)

    def path(self, action: PathAction, path: str, *, certain: bool) -> None:
        """A path is touched."""
        found = self.paths[action]
        found[path] = certain or found.get(path, False)

    def host(self, host: str, *, certain: bool, url: str = "") -> None:
        """A host is contacted."""
        self.hosts[host] = certain or self.hosts.get(host, False)
        if url:
            self.urls[url] = certain or self.urls.get(url, False)

    def send(self, sources: Iterable[str], host: str, *, certain: bool) -> None:
        """What is sent to a host."""
        for source in sources:
            key = (source, host)
            self.sends[key] = certain or self.sends.get(key, False)

    def note(self, reason: str, dimensions: Iterable[Dimension] | None = None) -> None:
        """Something could not be told. Without `dimensions` the reason's own are taken."""
        self.reasons.setdefault(reason)
        if dimensions is not None:
            self.unknown.update(dimensions)
            return
        kind, _, detail = reason.partition(":")
        own = [dimension for dimension in _EVERYTHING if dimension == detail]
        self.unknown.update(
            own if kind in ("unknown_path", "xargs_input") else _DIMENSIONS.get(kind, _EVERYTHING)
        )

    def limit(self, which: str) -> None:
        """A limit stopped the analysis; what comes after it is not known."""
        self.limits.setdefault(which)
        self.note(which, _EVERYTHING)
