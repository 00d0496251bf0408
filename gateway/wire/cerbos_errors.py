"""Errors of the Cerbos API: a gRPC code, a message and, for invalid fields, what rule each breaks.

Source of the shapes: the Cerbos API 0.55, whose HTTP side is a gRPC gateway (google.rpc.Status, buf.validate.Violations).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from gateway.errors import PayloadError

INVALID_ARGUMENT = 3
NOT_FOUND = 5
RESOURCE_EXHAUSTED = 8
UNIMPLEMENTED = 12
INTERNAL = 13
UNKNOWN = 2

_HTTP_STATUS = {
    INVALID_ARGUMENT: 400,
    NOT_FOUND: 404,
    RESOURCE_EXHAUSTED: 429,
    UNIMPLEMENTED: 501,
    INTERNAL: 500,
    UNKNOWN: 500,
}
_VIOLATIONS = "type.googleapis.com/buf.validate.Violations"


class Violation(Struct, frozen=True):
    """One broken rule: the field's path as people write it, and both as lists of elements."""

    path: str
    field: tuple[dict[str, Any], ...]
    rule: tuple[dict[str, Any], ...]
    rule_id: str
    message: str


class CerbosError(PayloadError):
    """A request that Cerbos refuses, with its gRPC code."""

    def __init__(self, code: int, message: str, violations: Sequence[Violation] = ()) -> None:
        super().__init__(message, number=30)
        self.grpc_code = code
        self.violations = tuple(violations)

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return _HTTP_STATUS[self.grpc_code]

    def body(self) -> bytes:
        """The JSON of the reply."""
        status: dict[str, Any] = {"code": self.grpc_code, "message": self.message}
        if self.violations:
            found = [_violation(item) for item in self.violations]
            status["details"] = [{"@type": _VIOLATIONS, "violations": found}]
        return msgspec.json.encode(status)


def invalid(violations: Sequence[Violation]) -> CerbosError:
    """The refusal of a request whose fields break rules."""
    lines = [f"{item.path}: {item.message}" if item.path else item.message for item in violations]
    if len(lines) == 1:
        message = f"validation error: {lines[0]}"
    else:
        message = "validation errors:" + "".join(f"\n - {line}" for line in lines)
    return CerbosError(INVALID_ARGUMENT, message, violations)


def _violation(item: Violation) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if item.field:
        found["field"] = {"elements": item.field}
    if item.rule:
        found["rule"] = {"elements": item.rule}
    return {**found, "ruleId": item.rule_id, "message": item.message}
