"""Which directory is the project of a call: found again for every call, so that no memory can be poisoned or lost.

The client sends the directory it was started in (`X-Ostiary-Project-Dir`) with every hook; it counts when its slug is the
name of the folder in `transcript_path`, which the client names after the same directory. Both are claims of the agent's
own process: they say where it works, and can never make a protected place a project.
"""

from __future__ import annotations

import re

from msgspec import Struct

from gateway.domain.events import HookEvent
from gateway.facts.groups import PathGroups
from gateway.facts.paths import absolute, is_under, lexically_normal

_SLUG = re.compile(r"[^A-Za-z0-9]")
_SLUG_LENGTH = 200
_TRANSCRIPT = re.compile(r"(?P<home>/.*)/\.claude/projects/(?P<slug>[^/]+)/[^/]+\Z")
_WORKTREES = "--claude-worktrees-"


class Project(Struct, frozen=True):
    """The project directory, "" when there is none, and how it was found.

    `home` is the client's home as claimed, else as its transcript's place tells; `homes` are all it may have.
    """

    directory: str
    found_by: str
    home: str = ""
    homes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


class ProjectRule(Struct, frozen=True, kw_only=True):
    """What the operator allows as a project. Empty `roots`: anywhere that is not a protected place."""

    roots: tuple[str, ...] = ()
    default: str = ""


def slug(directory: str) -> str:
    """The name Claude Code gives the transcript folder of a directory.

    Every UTF-16 unit beyond letters and digits is `-`. A longer one than 200 is cut and ends in a digest of the directory:
    the 32-bit string hash of Java, its absolute value in base 36.
    """
    text = directory[1:].replace("/", "\\") if directory[2:3] == ":" else directory
    units = text if text.isascii() else _utf16(text)
    name = _SLUG.sub("-", units)
    if len(name) <= _SLUG_LENGTH:
        return name
    digest = 0
    for unit in units:
        digest = (digest * 31 + ord(unit)) & 0xFFFFFFFF
    return f"{name[:_SLUG_LENGTH]}-{_base36(digest if digest < 1 << 31 else (1 << 32) - digest)}"


def _utf16(text: str) -> str:
    """A text with each UTF-16 unit as a character of its own."""
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(int.from_bytes(data[at : at + 2], "little")) for at in range(0, len(data), 2))


def _base36(number: int) -> str:
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def find_project(event: HookEvent, rule: ProjectRule, groups: PathGroups) -> Project:
    """The project of one call."""
    transcript = _TRANSCRIPT.match(_place(event.transcript_path))
    homes = _homes(event, transcript.group("home") if transcript else "")
    home = homes[0] if homes else ""
    folder = transcript.group("slug") if transcript else ""
    found, found_by, flags = _claimed(event, folder)
    if not found and folder:
        found = _ancestor(_place(event.cwd), folder)
        found_by = "transcript" if found else "none"
    if not found and rule.default:
        found, found_by = lexically_normal(rule.default), "default"
    if found and not _may_be_project(found, rule, groups, homes):
        return Project("", "refused", home, homes, (*flags, "project_refused"))
    return Project(found, found_by, home, homes, flags)


def _claimed(event: HookEvent, folder: str) -> tuple[str, str, tuple[str, ...]]:
    """The claimed directory, if the transcript's folder is named after it."""
    claim = event.claims.project_dir
    if not claim:
        return "", "none", ()
    place = _place(claim)
    if place and folder and _named_after(folder, place):
        return place, "claim", ()
    return "", "none", ("project_claim_refused",)


def _ancestor(cwd: str, folder: str) -> str:
    """The nearest directory around the working directory after which the transcript's folder is named, "" for none."""
    place = cwd
    while place:
        if _named_after(folder, place):
            return place
        if place == "/":
            break
        place = place.rpartition("/")[0] or "/"
    return ""


def _named_after(folder: str, directory: str) -> bool:
    """Whether a transcript folder belongs to a directory, or to one of its worktrees."""
    names = [slug(directory)]
    if is_under(directory, "/tmp") or is_under(directory, "/var"):  # noqa: S108 - compared, not used
        # macOS knows these as /private/tmp and /private/var too, and clients name folders after that.
        names.append(slug(f"/private{directory}"))
    return any(folder == name or folder.startswith(name + _WORKTREES) for name in names)


def _may_be_project(directory: str, rule: ProjectRule, groups: PathGroups, homes: tuple[str, ...]) -> bool:
    """Never the root, a home, a system directory, or what holds one of these, whatever the operator's roots are."""
    if directory == "/" or groups.holds_home(directory) or any(is_under(home, directory) for home in homes):
        return False
    system = groups.is_system(directory) or groups.holds_system(directory)
    if not rule.roots:
        return not system
    roots = [lexically_normal(root) for root in rule.roots]
    # A system directory that the operator himself names as a root (/usr/src/app in a container) may hold projects.
    return any(is_under(directory, root) and (not system or groups.is_system(root)) for root in roots)


def _homes(event: HookEvent, of_transcript: str) -> tuple[str, ...]:
    """The homes the client may have: as it claims, and as its transcript's place tells."""
    places = (_place(event.claims.home), lexically_normal(of_transcript) if of_transcript else "")
    return tuple(dict.fromkeys(place for place in places if place and place != "/"))


def _place(text: str) -> str:
    """An absolute directory of the client's machine in our form, "" when the text names none."""
    place = absolute(text, "", "") if text and not text.startswith("~") else None
    return place.path if place is not None and "no_cwd" not in place.oddities else ""
