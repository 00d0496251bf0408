"""Which operations of a call matter most, so that a cut keeps them: none hides behind two hundred harmless ones."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.domain.operations import MAX_OPERATIONS, Operation
from gateway.domain.vocabulary import FILE_GROUPS, GUARDED_GROUPS, HOST_GROUPS, SITE_GROUP

_CHANGES = frozenset({"write", "delete", "execute"})
_CLOSED = frozenset({"secrets", "gateway_self", "system_config"})
"""Groups whose reading matters as much as their change."""
_RANK = {name: len(GUARDED_GROUPS) - at for at, name in enumerate(GUARDED_GROUPS)}
_EVERYDAY = frozenset(FILE_GROUPS) - frozenset(GUARDED_GROUPS)
_HOST_RANK = dict.fromkeys(HOST_GROUPS, 1) | {"public": 0, "project": 0, "metadata": 2, "gateway_self": 3}


def worst_first(operations: Sequence[Operation]) -> tuple[tuple[Operation, ...], bool]:
    """At most `MAX_OPERATIONS` operations, and whether more were found. Few keep their order; of many the worst stay."""
    if len(operations) <= MAX_OPERATIONS:
        return tuple(operations), False
    return tuple(sorted(operations, key=_badness, reverse=True)[:MAX_OPERATIONS]), True


def _badness(operation: Operation) -> tuple[int, int, bool, bool]:
    """How much an operation matters: its kind of danger, its worst group, whether it leaves the project, is certain."""
    attr = operation.attr
    certain = bool(attr.get("certain"))
    if operation.kind != "file":
        worst = max((_HOST_RANK.get(group, 0) for group in attr.get("groups", ())), default=0)
        unknown = operation.kind == "mcp_tool" and attr.get("known") is not True
        return (3 if worst > 1 else 2 if operation.kind != "host" or unknown else 1), worst, True, certain
    changes = operation.action in _CHANGES
    groups, may = attr.get("groups", ()), attr.get("groups_may", ())
    surely = [group for group in groups if changes or _is_closed(group)]
    perhaps = [group for group in may if changes or _is_closed(group)]
    outside = attr.get("in_project") is not True
    if operation.action == "list":
        return 0, 0, outside, certain
    if surely:
        return 3, _highest(surely), outside, certain
    if changes and outside:
        return 2, _highest(perhaps), outside, certain
    return (1 if perhaps else 0), _highest(perhaps), outside, certain


def _is_closed(group: str) -> bool:
    """Whether reading in a group matters as much as changing it; what an installation adds may be guarded from reading."""
    return group in _CLOSED or group.startswith(SITE_GROUP)


def _highest(groups: Sequence[str]) -> int:
    # A group the installation added matters as much as the system's own places.
    return max((_RANK.get(group, _RANK["system"]) for group in groups if group not in _EVERYDAY), default=0)
