"""Which directory is the project of a call: found again for every call, so that no memory can be poisoned or lost.

The client sends the directory it was started in (`X-Ostiary-Project-Dir`) with every hook; it counts when its slug is the
name of the folder in `transcript_path`, which the client names after the same directory. Both are claims of the agent's
own process: they say where it works, and can never make a protected place a project.
"""

from __future__ import annotations

import re

from cachetools import LRUCache
from msgspec import Struct

from gateway.domain.events import HookEvent
from gateway.facts.groups import PathGroups
from gateway.facts.paths import absolute, is_under, lexically_normal
from gateway.facts.patterns import HOMES, PatternIndex, split

_SLUG = re.compile(r"[^A-Za-z0-9]")
_TRANSCRIPT = re.compile(r"(?P<home>/.*)/\.claude/projects/(?P<slug>[^/]+)/[^/]+\Z")
_HOMES = PatternIndex((names, "home") for names in HOMES)
_HOME_PARENTS = frozenset({"/", "/home", "/Users", "/export", "/export/home", "/var"})


class Project(Struct, frozen=True):
    """The project directory, "" when there is none, and how it was found."""

    directory: str
    found_by: str
    home: str = ""
    flags: tuple[str, ...] = ()


class ProjectRule(Struct, frozen=True, kw_only=True):
    """What the operator allows as a project. Empty `roots`: anywhere that is not a protected place."""

    roots: tuple[str, ...] = ()
    default: str = ""


def slug(directory: str) -> str:
    """The name Claude Code gives the transcript folder of a directory."""
    return _SLUG.sub("-", directory)


class ProjectFinder:
    """Finds projects; the answer depends on four texts of the event alone and is kept for them."""

    def __init__(self, rule: ProjectRule, groups: PathGroups, kept: int = 1024) -> None:
        self._rule = rule
        self._groups = groups
        self._kept: LRUCache[tuple[str, ...], Project] = LRUCache(maxsize=kept)

    def of(self, event: HookEvent) -> Project:
        """The project of one call."""
        key = (event.transcript_path, event.cwd, event.claims.project_dir, event.claims.home)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = find_project(event, self._rule, self._groups)
        return found


def find_project(event: HookEvent, rule: ProjectRule, groups: PathGroups) -> Project:
    """The project of one call."""
    transcript = _TRANSCRIPT.match(event.transcript_path)
    home = _home(event, transcript.group("home") if transcript else "")
    folder = transcript.group("slug") if transcript else ""
    claim = event.claims.project_dir
    cwd = lexically_normal(event.cwd) if event.cwd.startswith("/") else ""
    found, found_by = "", "none"
    flags: tuple[str, ...] = ()
    if claim.startswith("/") and folder and _named_after(folder, claim.rstrip("/") or "/"):
        found, found_by = absolute(claim, "", home).path, "claim"
    elif claim and folder:
        flags = ("project_claim_refused",)
    if not found and folder and cwd:
        ancestor = cwd
        while True:
            if _named_after(folder, ancestor):
                found, found_by = ancestor, "transcript"
                break
            if ancestor == "/":
                break
            ancestor = ancestor.rpartition("/")[0] or "/"
    if not found and rule.default:
        found, found_by = lexically_normal(rule.default), "default"
    if found and not _may_be_project(found, rule, groups, home):
        return Project("", "refused", home, (*flags, "project_refused"))
    return Project(found, found_by, home, flags)


def _named_after(folder: str, directory: str) -> bool:
    """Whether a transcript folder belongs to a directory, or to one of its worktrees."""
    name = slug(directory)
    return folder == name or folder.startswith(f"{name}--claude-worktrees-")


def _may_be_project(directory: str, rule: ProjectRule, groups: PathGroups, home: str) -> bool:
    if directory in _HOME_PARENTS or directory == home or _HOMES.find(directory) or len(split(directory)) < 1:
        return False
    if any(is_under(directory, lexically_normal(root)) for root in rule.roots):
        return True
    return not rule.roots and not groups.is_system(directory)


def _home(event: HookEvent, of_transcript: str) -> str:
    """The home, as the client claims it or as its transcript's place tells."""
    for candidate in (event.claims.home, of_transcript):
        if candidate.startswith("/") and candidate != "/":
            return lexically_normal(candidate)
    return ""
