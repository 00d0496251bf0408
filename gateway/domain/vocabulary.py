"""The public words: kinds, actions, groups, events, decisions, causes. One table each; lint, schemas, docs and packs read them.

A new word is free; a changed meaning is a new `VOCABULARY` number (sent to policies as `R.attr.v`).
"""

from __future__ import annotations

from typing import Literal, get_args

VOCABULARY = 1

DecisionWord = Literal["allow", "deny", "ask", "no_policy", "error"]
"""What policy says."""
AnswerWord = Literal["pass", "deny", "ask", "allow"]
"""What the agent gets. `pass`: no objection, its own rules go on. `allow`: its prompt is skipped."""
OutcomeWord = Literal["ran", "failed", "declined_by_person", "not_run", "unknown"]
"""What then happened, joined from later events."""
Mode = Literal["disabled", "observe", "enforce"]
Posture = Literal["held", "advisory"]

DECISIONS: tuple[str, ...] = get_args(DecisionWord)
ANSWERS: tuple[str, ...] = get_args(AnswerWord)
OUTCOMES: tuple[str, ...] = get_args(OutcomeWord)
MODES: tuple[str, ...] = get_args(Mode)

Cause = Literal[
    "pdp_unavailable",
    "pdp_invalid",
    "no_policy_loaded",
    "record_failed",
    "payload_invalid",
    "unauthenticated",
    "analysis_limit",
    "opaque",
    "evaluation_error",
    "over_quota",
    "internal_error",
]
"""Why no ordinary decision could be made: the keys of `failure_policy` and the `cause` label of the failure metric."""
CAUSES: tuple[str, ...] = get_args(Cause)
FailureAnswer = Literal["deny", "ask", "pass"]

FAILURE_DEFAULTS: dict[str, FailureAnswer] = {
    "pdp_unavailable": "deny",
    "pdp_invalid": "deny",
    "no_policy_loaded": "deny",
    "record_failed": "deny",
    "payload_invalid": "deny",
    "unauthenticated": "deny",
    "analysis_limit": "ask",
    "opaque": "ask",
    "evaluation_error": "deny",
    "over_quota": "deny",
    "internal_error": "deny",
}
"""The failure table in enforce mode (docs/failure-modes.md). In observe the answer is always `pass`, recorded."""

OPERATION_ACTIONS: dict[str, tuple[str, ...]] = {
    "file": ("read", "write", "delete", "list", "execute"),
    "host": ("connect", "send"),
    "command": ("execute",),
    "git": (),
    "package": ("install", "remove", "publish", "run"),
    "credential": ("read",),
    "mcp_tool": ("call",),
    "subagent": ("spawn",),
}
"""Operation kind to its actions; `git` takes the subcommand as its action, hence an open set."""

FILE_GROUPS: tuple[str, ...] = (
    "secrets",
    "gateway_self",
    "system_config",
    "system",
    "agent_config",
    "agent_instructions",
    "vcs_hooks",
    "project_hooks",
    "shell_rc",
    "persistence",
    "ci",
    "lockfiles",
    "project_root",
    "scratch",
    "harmless_system",
    "agent_work",
    "regenerable",
)
"""Path groups the gateway computes, the worst first. All but the last four are guarded; those are what everyday work needs."""
GUARDED_GROUPS: tuple[str, ...] = FILE_GROUPS[:-4]
SITE_GROUP = "site_"
"""Begins the names of path groups that an installation adds (`facts.groups`); they are guarded."""
HOST_GROUPS: tuple[str, ...] = ("loopback", "private", "public", "metadata", "gateway_self", "project")

RESERVED_ATTRIBUTES: tuple[str, ...] = (
    "v",
    "agent",
    "client",
    "project_dir",
    "project",
    "home",
    "shell",
    "groups",
    "groups_may",
    "hosts",
    "operations_truncated",
    "limits_hit",
    "rules_off",
    "subagent",
    "known_tool",
    "flags",
)
"""Names the gateway adds to the call's attributes: removed from every payload first, then always set."""

HOOK_EVENTS: tuple[str, ...] = (
    "SessionStart",
    "Setup",
    "SessionEnd",
    "UserPromptSubmit",
    "UserPromptExpansion",
    "PreToolUse",
    "PermissionRequest",
    "PermissionDenied",
    "PostToolUse",
    "PostToolUseFailure",
    "PostToolBatch",
    "Notification",
    "MessageDisplay",
    "SubagentStart",
    "SubagentStop",
    "TaskCreated",
    "TaskCompleted",
    "Stop",
    "StopFailure",
    "TeammateIdle",
    "InstructionsLoaded",
    "ConfigChange",
    "CwdChanged",
    "FileChanged",
    "WorktreeCreate",
    "WorktreeRemove",
    "PreCompact",
    "PostCompact",
    "Elicitation",
    "ElicitationResult",
)
DECIDED_EVENTS: tuple[str, ...] = (
    "PreToolUse",
    "PermissionRequest",
    "UserPromptSubmit",
    "UserPromptExpansion",
    "ConfigChange",
    "TaskCreated",
    "PreCompact",
)
"""Events whose answer can stop something; every other event is recorded and answered `pass`."""
GUARD_EVENTS: tuple[str, ...] = ("PreToolUse", "PermissionRequest")
"""Events on which a payload that is not understood is denied."""

AFTERWARDS_EVENTS: tuple[str, ...] = ("PostToolUse", "PostToolUseFailure")
"""Events that tell what became of a PreToolUse with the same call id."""
SESSION_START_EVENTS: tuple[str, ...] = ("SessionStart", "Setup")

IDENTITY_PROBLEMS: tuple[str, ...] = (
    "missing",
    "empty",
    "malformed",
    "wrong_scheme",
    "unknown",
    "expired",
    "wrong_class",
    "wrong_agent",
    "not_loopback",
    "other_user",
)
"""Why a caller could not be proven."""

ROLES: tuple[str, ...] = ("engineer", "marketing", "product", "analyst", "anonymous")
CANARY_KIND = "ostiary_canary"
"""A resource kind that every policy set must deny: a backend is used only after it did."""
SITE_SCOPE = "site"
RECORD_SCHEMA = "ostiary.record/1"
JOURNAL_SCHEMA = "ostiary.journal/1"
