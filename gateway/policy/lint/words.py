"""The words the lint knows: kinds, actions, tools, groups and attributes, from the domain's tables and the caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from gateway.domain.attributes import (
    ATTRIBUTE_VALUES,
    CHOSEN_ATTRIBUTES,
    CHOSEN_CALL_ATTRIBUTES,
    COMMON_ATTRIBUTES,
    KINDS_NAMED_BY_ID,
    OPERATION_ATTRIBUTES,
    UNTYPED_ATTRIBUTES,
)
from gateway.domain.vocabulary import (
    CANARY_KIND,
    DECIDED_EVENTS,
    FILE_GROUPS,
    HOOK_EVENTS,
    HOST_GROUPS,
    OPERATION_ACTIONS,
    RESERVED_ATTRIBUTES,
)
from gateway.policy.expressions import Path

NO_TOOL_ACTION = "event"
PAYLOAD_ATTRIBUTES = (
    "agent_id",
    "agent_type",
    "cwd",
    "hook_event_name",
    "permission_mode",
    "prompt",
    "prompt_id",
    "session_id",
    "source",
    "tool_input",
    "tool_name",
    "tool_response",
    "tool_use_id",
    "transcript_path",
)
"""Fields of payloads that policies may well misspell; others are the agent's affair."""
_GROUP_ATTRIBUTES = ("groups", "groups_may", "source_groups", "source_groups_may")


class Words(Struct, frozen=True, kw_only=True):
    """What depends on the installation: its tools, and what it takes out of payloads."""

    tools: frozenset[str]
    dropped: tuple[str, ...] = ()
    """`check.drop_attributes`."""
    problem_of_output: Callable[[Any], str]
    """What is wrong with a rule's output value, "" when nothing is."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every kind that is ever asked."""
        return (*OPERATION_ACTIONS, *HOOK_EVENTS, CANARY_KIND)

    @staticmethod
    def is_call(kind: str) -> bool:
        """Whether a kind is a hook event."""
        return kind in HOOK_EVENTS

    @staticmethod
    def is_operation(kind: str) -> bool:
        """Whether a kind is one of operations."""
        return kind in OPERATION_ACTIONS

    def knows_action(self, kind: str, action: str) -> bool:
        """Whether an action can be asked of a kind."""
        if self.is_call(kind):
            return action in self.tools or action.startswith("mcp__") or action == NO_TOOL_ACTION
        known = OPERATION_ACTIONS.get(kind, ())
        return not known or action in known

    def actions(self, kind: str) -> tuple[str, ...]:
        """The actions to propose for a kind."""
        return (
            (*sorted(self.tools), NO_TOOL_ACTION) if self.is_call(kind) else OPERATION_ACTIONS.get(kind, ())
        )

    def attributes(self, kind: str) -> tuple[str, ...]:
        """The attributes of a kind; of a call those that can be misspelt."""
        if self.is_call(kind):
            return (*RESERVED_ATTRIBUTES, *PAYLOAD_ATTRIBUTES)
        return (*COMMON_ATTRIBUTES, *OPERATION_ATTRIBUTES.get(kind, ()))

    def values(self, kind: str, attribute: str) -> tuple[str, ...]:
        """The only values of an attribute, () when any may come."""
        if attribute in _GROUP_ATTRIBUTES:
            if kind == "file" or attribute.startswith("source_"):
                return FILE_GROUPS
            if kind == "host":
                return HOST_GROUPS
            if self.is_call(kind):
                return (*FILE_GROUPS, *HOST_GROUPS, *ATTRIBUTE_VALUES["git", "groups"])
        return ATTRIBUTE_VALUES.get((kind, attribute), ())

    def is_chosen(self, kind: str, path: Path) -> bool:
        """Whether a path holds a name that the adversary picks."""
        if path == ("R", "id"):
            return kind in KINDS_NAMED_BY_ID
        if path[:2] != ("R", "attr"):
            return False
        name = ".".join(path[2:])
        chosen = CHOSEN_CALL_ATTRIBUTES if self.is_call(kind) else CHOSEN_ATTRIBUTES.get(kind, ())
        return any(name == item or name.startswith(f"{item}.") for item in chosen)

    def is_untyped(self, kind: str, path: Path) -> bool:
        """Whether the client chooses the type of a path's value."""
        if path[:2] != ("R", "attr") or len(path) < 3:
            return False
        if self.is_call(kind):
            return path[2] not in RESERVED_ATTRIBUTES
        return path[2] in UNTYPED_ATTRIBUTES.get(kind, ())

    def is_dropped(self, kind: str, path: Path) -> bool:
        """Whether a path of a call is taken out before policies see it."""
        name = ".".join(path[2:])
        return self.is_call(kind) and any(
            name == item or name.startswith(f"{item}.") for item in self.dropped
        )

    @property
    def decided_events(self) -> tuple[str, ...]:
        """Events that policies can stop."""
        return DECIDED_EVENTS

    @property
    def operations(self) -> Mapping[str, tuple[str, ...]]:
        """Operation kinds and their actions."""
        return OPERATION_ACTIONS
