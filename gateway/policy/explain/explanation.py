"""The parts of an explanation, as values that `--json` prints."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

Operator = Literal["", "all", "any", "none", "not", "variable"]


class Seen(Struct, frozen=True, omit_defaults=True):
    """One thing an expression read: its path as written, and the value, or that there was none."""

    path: str
    value: Any = None
    missing: bool = False


class Test(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One part of a condition. `held`: whether it was true; `value`: what it came to where that is no truth value.

    `operator` says how `members` make it up: `all`, `any`, `none` (every member false), `not`, or `variable` (its
    definition). Without one it is a single test, and `seen` holds what it read.
    """

    text: str
    held: bool
    operator: Operator = ""
    value: Any = None
    error: str = ""
    seen: tuple[Seen, ...] = ()
    members: tuple[Test, ...] = ()


class Turn(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What would have had to be otherwise: one test (`text` would have had to be `wanted`), or `all` or `any` of several."""

    operator: Literal["", "all", "any"] = ""
    text: str = ""
    wanted: bool = False
    seen: tuple[Seen, ...] = ()
    members: tuple[Turn, ...] = ()


class RuleTrace(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One rule that was looked at. `applied`: its condition was met, and its effect with it."""

    rule: str
    policy: str
    effect: str
    scope: str = ""
    file: str = ""
    line: int = 0
    applied: bool = False
    decided: bool = False
    condition: Test | None = None
    derived_role: str = ""
    """The derived role it is bound to, when the principal did not have it."""
    note: str = ""


class Explanation(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The decision of one action on one resource, and why."""

    kind: str
    id: str
    action: str
    effect: str
    scope: str = ""
    matched_policy: str = ""
    outputs: tuple[Any, ...] = ()
    decided_by: RuleTrace | None = None
    reason: str = ""
    """One sentence."""
    rules: tuple[RuleTrace, ...] = ()
    """Every rule that was looked at, in order."""
    turn: Turn | None = None
    """For a denial: what would have had to be otherwise."""
    others: tuple[str, ...] = ()
    """For a denial by silence: rules of the policy that allow the action to other roles."""
