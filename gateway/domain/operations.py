"""What a call would do to one thing, and what the analysis could not tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from gateway.domain.remembered import Change


class Operation(Struct, frozen=True):
    """One resource per (kind, action, id); kinds and actions as in `vocabulary.OPERATION_ACTIONS`.

    `attr` of every kind: `via` (`tool`, `mcp`, or a shell form), `certain` (it happens if the call runs to its end).
    `file` adds path, shape (`path|glob|tree`), name, ext, groups, groups_may, in_project, may_leave_project, resolved.
    """

    kind: str
    action: str
    id: str
    attr: Mapping[str, Any] = field(default_factory=dict)


class Analysis(Struct, frozen=True, kw_only=True):
    """Everything the analysis of one call found. `groups` and `hosts` cover all operations, also truncated ones."""

    operations: tuple[Operation, ...] = ()
    truncated: bool = False
    groups: tuple[str, ...] = ()
    groups_may: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    shell: Mapping[str, Any] | None = None
    """Shell facts of the call, null for a tool that runs no shell command."""
    limits_hit: tuple[str, ...] = ()
    known_tool: bool = True
    project_dir: str = ""
    project: str = "none"
    """How the project directory was found: `claim`, `transcript`, `default`, `none`, or `refused`."""
    home: str = ""
    flags: tuple[str, ...] = ()
    left: tuple[Change, ...] = ()
    """What later calls of the session must know of this one."""
    consulted: tuple[str, ...] = ()
    """Entries of the session memory that were looked up, found or not: these facts hold while their states are the same."""

    @property
    def opaque(self) -> bool:
        """Whether the command's text could not be resolved."""
        return bool(self.shell and self.shell.get("opaque"))


MAX_OPERATIONS = 200
"""More operations than this are cut, the worst kept first (security: hiding behind the 201st)."""
