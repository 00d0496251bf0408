"""How large a record may be: long texts are cut in the middle of nowhere near a secret, long lists at their end.

An input of two megabytes, or a path of one, must not fill the journal: what is kept is enough to read and search, and the
keyed digest beside it tells equal inputs from different ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXT_CHARACTERS = 8 * 1024
MARGIN_CHARACTERS = 1024
"""Kept beyond the cut until the patterns have run: a secret that straddles the cut is seen whole."""
TIGHT_CHARACTERS = 512
LIST_ITEMS = 200
TIGHT_ITEMS = 20


def roughly(value: Any, characters: int = TEXT_CHARACTERS) -> Any:
    """The value with texts cut to a margin beyond what is kept, and lists to their longest kept length."""
    limit = characters + MARGIN_CHARACTERS
    if isinstance(value, str):
        return value[:limit]
    if isinstance(value, Mapping):
        return {
            roughly(name, characters): roughly(item, characters)
            for name, item in list(value.items())[:LIST_ITEMS]
        }
    if isinstance(value, list | tuple):
        return [roughly(item, characters) for item in value[:LIST_ITEMS]]
    return value


def finally_cut(value: Any, characters: int = TEXT_CHARACTERS) -> Any:
    """The value with texts at the length that is kept."""
    if isinstance(value, str):
        return value if len(value) <= characters else f"{value[:characters]}…"
    if isinstance(value, Mapping):
        return {finally_cut(name, characters): finally_cut(item, characters) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finally_cut(item, characters) for item in value]
    return value


def longest_text(value: Any) -> int:
    """The length of the longest text in a value, names included."""
    longest = 0
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            longest = max(longest, len(item))
        elif isinstance(item, Mapping):
            pending.extend(item)
            pending.extend(item.values())
        elif isinstance(item, list | tuple):
            pending.extend(item)
    return longest


def as_utf8(value: Any) -> Any:
    """The value with texts that are no Unicode (half surrogates) made so: a record that cannot be written is none."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {as_utf8(name): as_utf8(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_utf8(item) for item in value]
    return value
