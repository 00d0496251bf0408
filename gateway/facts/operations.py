"""Operations of one call: the resources it would touch, each with the attributes that policies read.

One resource per (kind, action, id). `groups` holds what every path is in, `groups_may` what some path may be in, so that a
search over a whole project is not taken for the reading of its secrets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from gateway.domain.operations import MAX_OPERATIONS, Operation
from gateway.domain.vocabulary import GUARDED_GROUPS
from gateway.facts.groups import PathGroups, Shape
from gateway.facts.hosts import Host
from gateway.facts.paths import absolute, is_under
from gateway.facts.project import Project

_GUARDED = frozenset(GUARDED_GROUPS)
_WRITES = frozenset({"write", "delete", "execute", "send"})


class Place(Struct, frozen=True, kw_only=True):
    """Where a call happens: its working directory, its project, and further directories it may work in."""

    cwd: str
    project: Project
    extra: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        """Whether a normal path is in the project or a further working directory."""
        return is_under(path, self.project.directory) or any(
            is_under(path, directory) for directory in self.extra
        )


class Findings:
    """Collects the operations of a call."""

    def __init__(self, groups: PathGroups, place: Place) -> None:
        self._groups = groups
        self._place = place
        self._found: dict[tuple[str, str, str], Operation] = {}
        self.flags: list[str] = []
        self.limits: list[str] = []

    def file(
        self, text: str, actions: Sequence[str], shape: Shape, *, via: str, certain: bool = True
    ) -> None:
        """A path, glob or tree as the client wrote it."""
        spelled = absolute(text, self._place.cwd, self._place.project.home)
        self.flags.extend(oddity for oddity in spelled.oddities if oddity not in self.flags)
        path = spelled.path
        member = self._groups.of(path, shape)
        inside = self._place.holds(_fixed_part(path) if shape == "glob" else path)
        name = path.rpartition("/")[2]
        attr: dict[str, Any] = {
            "path": path,
            "shape": shape,
            "name": name,
            "ext": name.rpartition(".")[2].lower() if "." in name[1:] else "",
            "groups": list(member.groups),
            "groups_may": list(member.may),
            "in_project": inside,
            "may_leave_project": not inside,
            "resolved": False,
            "via": via,
            "certain": certain,
        }
        identifier = f"{path.rstrip('/')}/**" if shape == "tree" else path
        for action in actions:
            self.add(Operation("file", action, identifier, attr))

    def host(self, host: Host, action: str, *, via: str, certain: bool = True) -> None:
        """A host that is contacted."""
        attr = {
            "host": host.name,
            "port": host.port,
            "scheme": host.scheme,
            "groups": list(host.groups),
            "sources": [],
            "source_groups": [],
            "source_groups_may": [],
            "via": via,
            "certain": certain,
        }
        self.add(Operation("host", action, host.name or "unknown", attr))

    def add(self, operation: Operation) -> None:
        """Keep an operation; of two on the same thing the certain one."""
        key = (operation.kind, operation.action, operation.id)
        kept = self._found.get(key)
        if kept is None or (operation.attr.get("certain") and not kept.attr.get("certain")):
            self._found[key] = operation

    def ranked(self) -> tuple[tuple[Operation, ...], bool]:
        """At most 200 operations, and whether more were found. The worst are kept, so that none hides behind others."""
        found = list(self._found.values())
        if len(found) <= MAX_OPERATIONS:
            return tuple(found), False
        found.sort(key=_badness, reverse=True)
        return tuple(found[:MAX_OPERATIONS]), True

    def all(self) -> list[Operation]:
        """Every operation, also those that are cut."""
        return list(self._found.values())


def _badness(operation: Operation) -> tuple[int, bool, bool, bool]:
    attr = operation.attr
    guarded = sum(1 for name in (*attr.get("groups", ()), *attr.get("groups_may", ())) if name in _GUARDED)
    outside = attr.get("in_project") is False or operation.kind == "host"
    return guarded, outside, operation.action in _WRITES, bool(attr.get("certain"))


def _fixed_part(glob: str) -> str:
    """The directory above a glob's first wildcard."""
    names: list[str] = []
    for name in glob.split("/"):
        if "*" in name or "?" in name or "[" in name or "{" in name:
            break
        names.append(name)
    return "/".join(names) or "/"
