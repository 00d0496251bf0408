"""What a tool that edits files leaves in them: the contents that its own input carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from gateway.domain.operations import Operation
from gateway.domain.remembered import Change


class LeavesRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which fields carry a file's content: all of it (`text`), or pieces that are replaced (`old`, `new`, `every`).

    `edits` names a list whose members carry the pieces.
    """

    text: str = ""
    old: str = ""
    new: str = ""
    every: str = ""
    edits: str = ""


def left_by(row: LeavesRow | None, given: Mapping[str, Any], operations: Iterable[Operation]) -> list[Change]:
    """The changes that a call of a tool makes to the files it writes. Without a row their content is not known."""
    paths = [
        item.id
        for item in operations
        if item.kind == "file" and item.action == "write" and item.attr["shape"] == "path"
    ]
    return [change for path in paths for change in _changes(row, given, path)]


def _changes(row: LeavesRow | None, given: Mapping[str, Any], path: str) -> list[Change]:
    if row is None:
        return [Change(kind="write", path=path)]
    if row.text:
        return [Change(kind="write", path=path, text=_text(given.get(row.text)))]
    edits = given.get(row.edits) if row.edits else [given]
    if not isinstance(edits, list):
        return [Change(kind="rewrite", path=path)]
    return [
        Change(
            kind="edit",
            path=path,
            other=_text(edit.get(row.old)) or "",
            text=_text(edit.get(row.new)),
            every=edit.get(row.every) is True,
        )
        for edit in edits
        if isinstance(edit, Mapping)
    ]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
