"""Findings of the lint: a public code each, a place, a sentence and what to do about it."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from msgspec import Struct

from gateway.policy.problems import Place

Severity = Literal["note", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("note", "warning", "error")


class Rule(Enum):
    """number, severity in a site's own policies, severity in shipped packs, name.

    Numbers are stable (`OST-LINT-<nnn>`, docs/errors.md lists them from this table); a new rule takes a new number.
    """

    EVENT_UNCOVERED = (1, "note", "note", "event without a policy")
    KIND_UNCOVERED = (2, "warning", "error", "operation kind without a policy")
    CHOSEN_NAME = (10, "warning", "error", "allowed by a name the adversary picks")
    CHOSEN_ESCAPE = (11, "warning", "error", "denial that a chosen name escapes")
    TYPE_ERROR = (12, "warning", "error", "denial that a type error switches off")
    UNNAMED = (20, "warning", "error", "rule without a name")
    NO_OUTPUT = (21, "warning", "error", "rule without a text")
    SINGLE_ROLE = (22, "warning", "error", "denial bound to a role")
    LOST_ASK = (23, "error", "error", "question that is never asked")
    WRONG_OUTPUT = (24, "error", "error", "output that cannot be read")
    OTHER_RULE_OFF = (25, "error", "error", "another rule's name in rules_off")
    NO_RULES_OFF = (26, "note", "error", "rule that cannot be switched off")
    UNKNOWN_KIND = (30, "warning", "error", "unknown kind")
    UNKNOWN_ACTION = (31, "warning", "error", "unknown action or tool")
    UNKNOWN_GROUP = (32, "warning", "error", "unknown group")
    UNKNOWN_ATTRIBUTE = (33, "warning", "error", "unknown attribute")
    IMPOSSIBLE_VALUE = (34, "warning", "error", "value that never comes")
    DROPPED_ATTRIBUTE = (35, "warning", "error", "attribute that is not sent")
    NEVER_MATCHES = (40, "warning", "error", "rule that can never match")
    SHADOWED = (41, "warning", "error", "rule behind a denial of everything")
    COMMAND_TEXT = (50, "warning", "error", "text of a command instead of an operation")
    PARENT_CONSENT = (60, "error", "error", "layer that denies what it does not name")

    @property
    def code(self) -> str:
        """The public code."""
        return f"OST-LINT-{self.value[0]:03d}"

    def severity(self, *, shipped: bool) -> Severity:
        """How bad it is."""
        severity: Severity = self.value[2] if shipped else self.value[1]
        return severity

    @property
    def title(self) -> str:
        """What it is called."""
        return self.value[3]


class Finding(Struct, frozen=True):
    """One finding. `place` has no file when it concerns the whole set."""

    rule: Rule
    place: Place
    message: str
    remedy: str
    severity: Severity

    def __str__(self) -> str:
        place = self.place
        where = f"{place.file}:{place.line}:{place.column}: " if place.file else ""
        return f"{where}{self.severity} {self.rule.code}: {self.message} {self.remedy}"


class Findings:
    """Collects findings; the same one is kept once."""

    def __init__(self, shipped: frozenset[str]) -> None:
        """`shipped` are the files that belong to packs."""
        self._shipped = shipped
        self._found: dict[Finding, None] = {}

    def add(self, rule: Rule, place: Place, message: str, remedy: str) -> None:
        """Note a finding."""
        severity = rule.severity(shipped=place.file in self._shipped)
        self._found[Finding(rule, place, message, remedy, severity)] = None

    @property
    def found(self) -> tuple[Finding, ...]:
        """All of them, by place."""
        return tuple(
            sorted(
                self._found,
                key=lambda item: (item.place.file, item.place.line, item.place.column, item.rule.code),
            )
        )
