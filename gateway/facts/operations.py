"""Operations of one call: the resources it would touch, each with the attributes that policies read.

One resource per (kind, action, id). `groups` holds what every path is in, `groups_may` what some path may be in, so that a
search over a whole project is not taken for the reading of its secrets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from msgspec import Struct

from gateway.domain.operations import Operation
from gateway.domain.remembered import NOTHING_REMEMBERED, TABLES, Change, Remembered
from gateway.facts.globs import above_wildcards, expanded, is_glob, settled
from gateway.facts.groups import Membership, PathGroups, Shape
from gateway.facts.hosts import Host
from gateway.facts.links import Links
from gateway.facts.paths import Lexical, is_under, readings
from gateway.facts.place import Place

MAX_WORK = 1000
"""How many places one call may name, patterns counted tenfold: more would hold up everybody else's calls."""
MAX_MENTIONS = 2000
"""How many words of a text that could not be read are looked up, beside those places: they may all name guarded ones."""
_PATTERN_WORK = 10
_CHARACTERS_A_PLACE = 256


Effort = Literal["full", "inline", "none"]
"""How much work a command's analysis may be: all it needs, what holds nobody up, or nothing beyond what is kept."""


class Target(Struct, frozen=True):
    """One place that a text stands for."""

    path: str
    shape: Shape
    member: Membership
    inside: bool

    def tightens(self, other: Target, guarded: frozenset[str]) -> bool:
        """Whether a policy could judge this place harder than the other one. `guarded` are the guarded groups."""
        if other.inside and not self.inside:
            return True
        known = {*other.member.groups, *other.member.may}
        if any(name in guarded and name not in known for name in (*self.member.groups, *self.member.may)):
            return True
        mine = self.member.groups
        return not self.inside and any(
            name not in guarded and name not in mine for name in other.member.groups
        )


class Findings:
    """Collects the operations of a call."""

    def __init__(self, groups: PathGroups, place: Place, remembered: Remembered = NOTHING_REMEMBERED) -> None:
        self.remembered = remembered
        self._links = Links(remembered.links) if remembered.links else None
        self._groups = groups
        self._place = place
        self._found: dict[tuple[str, str, str], Operation] = {}
        self._work = MAX_WORK
        self.flags: list[str] = []
        self.limits: list[str] = []
        self.tentative = False
        """Whether what is added now happens only perhaps."""
        self.shell = False
        """Whether a shell command or program text is among the arguments."""
        self.effort: Effort = "full"
        self.reason = ""
        """With the effort `none`, the limit that is told in the place of what a command does."""
        self.deferred = False
        """Whether a command needs more effort than is allowed here."""
        self.left: list[Change] = []
        """What later calls of the session must know."""
        self.consulted: dict[str, None] = {TABLES: None}
        self._adopted: tuple[str, ...] = ()

    def file(
        self, text: str, actions: Sequence[str], shape: Shape, *, via: str, certain: bool = True
    ) -> None:
        """A path, glob or tree as the client wrote it; what else the text may stand for is kept where it is worse."""
        if shape == "glob":
            for pattern in expanded(text):
                self._file(
                    settled(pattern), actions, shape if is_glob(pattern) else "path", via, certain=certain
                )
        else:
            self._file(text, actions, shape, via, certain=certain)

    def adopt(self, directory: str) -> None:
        """A work tree beside the project (`git worktree add ../name`) belongs to it for the rest of the call."""
        project = self._place.project.directory
        if project and directory.rpartition("/")[0] == project.rpartition("/")[0] and directory != project:
            member = self._groups.of(directory, "tree")
            if not any(name in self._groups.guarded for name in member.groups):
                self._adopted = (*self._adopted, directory)

    def guarded_file(self, text: str, actions: Sequence[str], *, via: str) -> bool:
        """A text that is no path by its form: kept only where it names a guarded place. Whether it does."""
        found = False
        for reading in self._readings(text, "path"):
            target = self._target(reading, "path")
            if any(name in self._groups.guarded for name in target.member.groups):
                found = True
                self._keep(target, actions, via, certain=False)
        return found

    def guarded_mentions(self, words: Iterable[str], actions: Sequence[str], *, via: str) -> None:
        """Words of a text that could not be read: kept where they name a guarded place, whatever else the call names.

        Only words with a name of a guarded place in them are looked up, so that no number of others hides one.
        """
        homes, cwd = self._place.project.homes, self._place.cwd
        for number, word in enumerate(self._groups.mentioned(words)):
            if number == MAX_MENTIONS:
                self.limits.append("places")
                return
            for reading in readings(word, cwd, homes):
                target = self._target(reading, "path")
                if any(name in self._groups.guarded for name in target.member.groups):
                    self._keep(target, actions, via, certain=False)

    def host(
        self,
        host: Host,
        action: str,
        *,
        via: str,
        certain: bool = True,
        sources: Sequence[str] = (),
        runs: bool = False,
    ) -> None:
        """A host that is contacted, the paths and variables whose content goes there, whether what it answers is run."""
        members = [
            self._groups.of(path.removesuffix("/**"), _shape(path)) for path in sources if path[0] == "/"
        ]
        groups = tuple(dict.fromkeys(name for member in members for name in member.groups))
        outside = any(
            path[0] == "/"
            and not self._place.holds(path.removesuffix("/**") or "/")
            and "scratch" not in self._groups.of(path.removesuffix("/**") or "/", _shape(path)).groups
            for path in sources
        )
        attr = {
            "host": host.name,
            "port": host.port,
            "scheme": host.scheme,
            "groups": list(host.groups),
            "sources": list(sources),
            "source_groups": list(groups),
            "source_groups_may": [
                name
                for name in dict.fromkeys(name for member in members for name in member.may)
                if name not in groups
            ],
            "runs": runs,
            "sources_outside": outside,
            "via": via,
            "certain": certain,
        }
        self.add(Operation("host", action, host.name or "unknown", attr))

    def add(self, operation: Operation) -> None:
        """Keep an operation; of two on the same file the certain one, of others all that differ in what policies read.

        Two pushes to one remote are two operations: the second may be forced.
        """
        if self.tentative and operation.attr["certain"]:
            operation = Operation(
                operation.kind, operation.action, operation.id, {**operation.attr, "certain": False}
            )
        key = (operation.kind, operation.action, operation.id)
        kept = self._found.get(key)
        if kept is not None and operation.kind != "file" and not _alike(kept, operation):
            key = (operation.kind, operation.action, f"{operation.id}\0{_told(operation)}")
            kept = self._found.get(key)
        if kept is None or (operation.attr.get("certain") and not kept.attr.get("certain")):
            self._found[key] = operation

    def all(self) -> tuple[Operation, ...]:
        """Every operation, in the order in which they were found."""
        return tuple(self._found.values())

    def _file(self, text: str, actions: Sequence[str], shape: Shape, via: str, *, certain: bool) -> None:
        found = self._readings(text, shape)
        if not found:
            return
        first = found[0]
        for oddity in first.oddities:
            where = self.limits if oddity == "too_long" else self.flags
            if oddity not in where:
                where.append(oddity)
        target = self._target(first, shape)
        self._keep(target, actions, via, certain=certain)
        for reading in found[1:]:
            other = self._target(reading, shape)
            if other.tightens(target, self._groups.guarded):
                self._keep(other, actions, via, certain=False)
        if self._links is not None:
            self._behind_links(self._links, found, actions, shape, via, certain=certain)

    def _behind_links(
        self,
        links: Links,
        found: Sequence[Lexical],
        actions: Sequence[str],
        shape: Shape,
        via: str,
        *,
        certain: bool,
    ) -> None:
        """Where links of the session or of the disk lead: the thing is touched there too."""
        for at, reading in enumerate(found):
            for found_behind in links.behind(reading.path, shape):
                if self.exhausted:
                    return
                self._work -= 1
                wanted = [action for action in actions if found_behind.allows(action)]
                target = self._target(Lexical(found_behind.path), found_behind.shape)
                surely = certain and found_behind.surely and at == 0
                self._keep(target, wanted, via, certain=surely)

    @property
    def exhausted(self) -> bool:
        """Whether the call has named as many places as are looked at."""
        return self._work <= 0

    def _readings(self, text: str, shape: Shape) -> tuple[Lexical, ...]:
        """What a text may stand for, nothing once the call has named more than may be looked at."""
        if self.exhausted:
            if "places" not in self.limits:
                self.limits.append("places")
            return ()
        found = readings(text, self._place.cwd, self._place.project.homes)
        self._work -= (
            len(found) * (1 if shape == "path" else _PATTERN_WORK) + len(text) // _CHARACTERS_A_PLACE
        )
        return found

    def _target(self, reading: Lexical, shape: Shape) -> Target:
        place, path = self._place, reading.path
        member = self._groups.of(path, shape)
        for home in place.claimed_homes:
            member = _joined(member, self._groups.under_home(path, shape, home))
        known = above_wildcards(path) if shape == "glob" else path
        inside = place.holds(known) or any(is_under(known, directory) for directory in self._adopted)
        return Target(path, shape, member, inside)

    def _keep(self, target: Target, actions: Sequence[str], via: str, *, certain: bool) -> None:
        path, member = target.path, target.member
        name = path[path.rfind("/") + 1 :]
        dot = name.rfind(".", 1)
        attr: dict[str, Any] = {
            "path": path,
            "shape": target.shape,
            "name": name,
            "ext": name[dot + 1 :].lower() if dot > 0 else "",
            "groups": [name for name in member.groups if target.inside or name != "regenerable"],
            # What may perhaps be made again is no reason to let it go.
            "groups_may": [name for name in member.may if name != "regenerable"],
            "in_project": target.inside,
            "may_leave_project": not target.inside,
            "resolved": self.remembered.resolved,
            "via": via,
            "certain": certain,
        }
        identifier = f"{path.rstrip('/')}/**" if target.shape == "tree" else path
        for action in actions:
            if action == "delete" and self._place.is_root(path):
                rooted = {**attr, "groups": [*attr["groups"], "project_root"]}
                self.add(Operation("file", action, identifier, rooted))
            else:
                self.add(Operation("file", action, identifier, attr))


def _shape(path: str) -> Shape:
    return "tree" if path.endswith("/**") else "glob" if is_glob(path) else "path"


def _alike(one: Operation, other: Operation) -> bool:
    return one.attr == other.attr or _told(one) == _told(other)


def _told(operation: Operation) -> str:
    """What policies read of an operation beside whether it is certain."""
    return repr(sorted((name, value) for name, value in operation.attr.items() if name != "certain"))


def _joined(first: Membership, second: Membership) -> Membership:
    if not second.groups and not second.may:
        return first
    groups = tuple(dict.fromkeys((*first.groups, *second.groups)))
    may = tuple(name for name in dict.fromkeys((*first.may, *second.may)) if name not in groups)
    return Membership(groups, may)
