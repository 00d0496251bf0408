"""Where a call happens, found again for every call from four texts of its event."""

from __future__ import annotations

from collections.abc import Sequence

from cachetools import LRUCache
from msgspec import Struct

from gateway.domain.events import HookEvent
from gateway.facts.groups import PathGroups
from gateway.facts.paths import absolute, is_under, lexically_normal
from gateway.facts.project import Project, ProjectRule, find_project


class Place(Struct, frozen=True, kw_only=True):
    """Where a call happens: its working directory, its project, and further directories it may work in.

    `claimed_homes` are homes of the client where no home is known to be: they add protected places.
    """

    cwd: str
    project: Project
    extra: tuple[str, ...] = ()
    claimed_homes: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        """Whether a normal path is in the project or a further working directory."""
        return is_under(path, self.project.directory) or any(
            is_under(path, directory) for directory in self.extra
        )

    def is_root(self, path: str) -> bool:
        """Whether a normal path is the project's directory, or a further working directory, itself."""
        return bool(path) and (path == self.project.directory or path in self.extra)


class Places:
    """The places of calls; each depends on the texts of its key alone and is kept for them."""

    def __init__(self, rule: ProjectRule, extra: Sequence[str], groups: PathGroups, kept: int = 1024) -> None:
        self._rule = rule
        self._extra = tuple(lexically_normal(directory) for directory in extra)
        self._groups = groups
        self._kept: LRUCache[tuple[str, str, str, str], Place] = LRUCache(maxsize=kept)

    def of(self, event: HookEvent) -> Place:
        """The place of one call."""
        claims = event.claims
        key = (event.transcript_path, event.cwd, claims.project_dir, claims.home)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._find(event)
        return found

    def _find(self, event: HookEvent) -> Place:
        project = find_project(event, self._rule, self._groups)
        cwd = absolute(event.cwd, "", project.home) if event.cwd else None
        known = cwd is not None and "no_cwd" not in cwd.oddities
        return Place(
            cwd=cwd.path if cwd is not None and known else project.directory,
            project=project,
            extra=self._extra,
            claimed_homes=tuple(home for home in project.homes if not self._groups.holds_home(home)),
        )
