"""The attributes policies can read, by kind: lint, schemas, docs and the tests of packs read these tables.

`VOCABULARY` numbers them: a new attribute is free, a changed meaning is a new number.
"""

from __future__ import annotations

COMMON_ATTRIBUTES: tuple[str, ...] = ("v", "agent", "rules_off", "via", "certain")
"""Set on every operation."""

OPERATION_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "file": (
        "path",
        "shape",
        "name",
        "ext",
        "groups",
        "groups_may",
        "in_project",
        "may_leave_project",
        "resolved",
    ),
    "host": (
        "host",
        "port",
        "scheme",
        "groups",
        "sources",
        "source_groups",
        "source_groups_may",
        "sources_outside",
        "runs",
    ),
    "command": ("name", "argv", "wrappers", "privileged", "known", "indirect", "traits", "agent_written"),
    "git": ("remote", "refs", "default_ref", "groups", "force", "delete", "discards"),
    "package": ("manager", "names", "source"),
    "credential": ("store", "names", "all"),
    "mcp_tool": ("server", "tool", "source", "known", "input", "url", "command"),
    "subagent": ("type", "governed", "mode"),
}
"""Operation kind to the attributes it has beside the common ones."""

ATTRIBUTE_VALUES: dict[tuple[str, str], tuple[str, ...]] = {
    ("file", "shape"): ("path", "glob", "tree"),
    ("git", "groups"): ("protected", "deploys"),
    ("command", "traits"): (
        "destructive",
        "irreversible",
        "remote_state",
        "deploys",
        "publishes",
        "changes_permissions",
        "changes_network",
        "raises_rights",
        "remote_code",
        "remote_shell",
        "hidden_code",
        "inline_code",
        "persistence",
        "services",
        "kills",
        "gateway_self",
    ),
    ("mcp_tool", "source"): ("managed", "user", "project", "dynamic", "unknown"),
}
"""(kind, attribute) to the only values it can have; the groups of files and hosts stand in `vocabulary`."""

UNTYPED_ATTRIBUTES: dict[str, tuple[str, ...]] = {"mcp_tool": ("input",)}
"""Attributes of operations whose type the client chooses. Of a call every attribute of the payload is one."""

CHOSEN_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "mcp_tool": ("server", "tool"),
    "subagent": ("type", "mode"),
}
"""Names of operations that whoever writes a repository or a prompt picks: they may tighten a rule, never loosen one."""

CHOSEN_CALL_ATTRIBUTES: tuple[str, ...] = (
    "agent_type",
    "agent_id",
    "client",
    "cwd",
    "mcp_server",
    "permission_mode",
    "prompt_id",
    "session_id",
    "subagent",
    "tool_input.description",
    "tool_name",
    "transcript_path",
)
"""The same, of calls; a dotted name stands for what is below it too."""

KINDS_NAMED_BY_ID: tuple[str, ...] = ("mcp_tool", "subagent")
"""Kinds whose resource id is such a name."""
