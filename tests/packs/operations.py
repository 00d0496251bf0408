"""Operations as the packs are asked about them: generated ones, and the checks they become."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from gateway.domain.attributes import OPERATION_ATTRIBUTES
from gateway.domain.check import Check, CheckRequest, Resource
from gateway.domain.principal import Principal, sorted_roles
from gateway.domain.vocabulary import FILE_GROUPS, HOST_GROUPS, OPERATION_ACTIONS, ROLES

GOVERNED = ("file", "host", "mcp_tool", "subagent")
"""Kinds that the shipped packs speak about."""
RULES = (
    "secrets.files",
    "baseline.outside_project",
    "infrastructure.ci_changes",
    "secrets.cloud_metadata",
    "baseline.unknown_mcp_tool",
    "baseline.reads_only",
    "baseline",
    "other.rule",
)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
# Weighted so that each rule is often the only one that applies.
FILE_GROUP_LISTS = st.one_of(
    st.just([]),
    st.sampled_from(FILE_GROUPS).map(lambda group: [group]),
    st.lists(st.sampled_from(FILE_GROUPS), unique=True, max_size=4),
)
ROLE_LISTS = st.lists(st.sampled_from((*ROLES, "contractor", "sre")), unique=True, min_size=1, max_size=4)
PRINCIPALS = st.builds(
    lambda name, roles, team: Principal(id=name or "x", roles=sorted_roles(roles), attr={"team": team}),
    TEXT,
    st.one_of(st.just(["engineer"]), ROLE_LISTS),
    TEXT,
)
_COMMON = {
    "v": st.just(1),
    "agent": st.just("claude-code"),
    "rules_off": st.one_of(st.just([]), st.lists(st.sampled_from(RULES), unique=True, max_size=3)),
    "via": st.sampled_from(["tool", "mcp"]),
    "certain": st.booleans(),
}
_OWN: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "file": {
        "path": TEXT.map(lambda text: f"/{text}"),
        "shape": st.sampled_from(["path", "glob", "tree"]),
        "name": TEXT,
        "ext": TEXT,
        "groups": FILE_GROUP_LISTS,
        "groups_may": FILE_GROUP_LISTS,
        "in_project": st.booleans(),
        "may_leave_project": st.booleans(),
        "resolved": st.booleans(),
    },
    "host": {
        "host": TEXT,
        "port": st.integers(0, 65535),
        "scheme": st.sampled_from(["", "http", "https"]),
        "groups": st.lists(st.sampled_from(HOST_GROUPS), unique=True, max_size=3),
        "sources": st.lists(TEXT, max_size=2),
        "source_groups": FILE_GROUP_LISTS,
        "source_groups_may": FILE_GROUP_LISTS,
        "runs": st.booleans(),
        "sources_outside": st.booleans(),
    },
    "mcp_tool": {
        "server": TEXT,
        "tool": TEXT,
        "source": st.sampled_from(["managed", "user", "project", "unknown"]),
        "known": st.booleans(),
        "input": st.dictionaries(TEXT, st.one_of(TEXT, st.integers(-5, 5), st.none()), max_size=2),
        "url": TEXT,
        "command": TEXT,
    },
    "subagent": {"type": TEXT, "governed": st.booleans(), "mode": TEXT},
}
assert all(set(_OWN[kind]) == set(OPERATION_ATTRIBUTES[kind]) for kind in GOVERNED)


def attributes(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Attributes as the gateway sets them, of any value the vocabulary allows."""
    return st.fixed_dictionaries({**_OWN[kind], **_COMMON})


OPERATIONS = st.sampled_from(GOVERNED).flatmap(
    lambda kind: st.tuples(st.just(kind), st.sampled_from(OPERATION_ACTIONS[kind]), attributes(kind))
)
"""Kind, action and attributes of one operation."""


def request(principal: Principal, *operations: tuple[str, str, dict[str, Any]]) -> CheckRequest:
    """The question about some operations, numbered."""
    checks = tuple(
        Check(Resource(kind, str(number), attr), (action,))
        for number, (kind, action, attr) in enumerate(operations)
    )
    return CheckRequest(principal=principal, checks=checks)
