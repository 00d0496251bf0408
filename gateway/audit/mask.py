"""A record as its own user may see it: what was decided and why, without the words, names and places of what was done.

A developer's credential is within reach of his agent, so that nothing here may help to get round a rule: no file or line
of a policy, no command, no path.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, structs

from gateway.domain.query import Row
from gateway.domain.record import Record, RecordedOperation, RecordedReason

MASK = "[masked]"
_KEPT_ATTRIBUTES = frozenset(
    {"via", "certain", "shape", "groups", "groups_may", "in_project", "may_leave_project"}
)


def mask(row: Row) -> Row:
    """The row with what was typed, named and touched taken out."""
    return structs.replace(row, record=_mask_record(row.record))


def _mask_record(record: Record) -> Record:
    return structs.replace(
        record,
        cwd=_hidden(record.cwd),
        project_dir=_hidden(record.project_dir),
        home=_hidden(record.home),
        input=UNSET if record.input is UNSET else _mask_value(record.input),
        operations=tuple(_mask_operation(operation) for operation in record.operations),
        reasons=tuple(_mask_reason(reason) for reason in record.reasons),
        detail=_hidden(record.detail),
        shell=UNSET,
        gate=UNSET,
    )


def _mask_operation(operation: RecordedOperation) -> RecordedOperation:
    kept = {name: value for name, value in operation.attr.items() if name in _KEPT_ATTRIBUTES}
    return structs.replace(operation, id=_hidden(operation.id), attr=kept)


def _mask_reason(reason: RecordedReason) -> RecordedReason:
    """The rule's name and its own text, which the person was told already; not where it stands."""
    return structs.replace(reason, resource=_hidden(reason.resource), policy="", file="", line=0)


def _mask_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _mask_value(item) for name, item in value.items()}
    return None if value is None else MASK


def _hidden(text: str) -> str:
    return MASK if text else ""
