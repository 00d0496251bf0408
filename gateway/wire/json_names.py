"""Names that stand twice in one JSON object (RFC 8259, 4: decoders disagree about which one counts).

What was checked must be what is used: where the client, the gateway and the policy backend could each read another value,
nothing is read at all.
"""

from __future__ import annotations

import re

_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def repeats_a_name(body: bytes, value: object) -> bool:
    """Whether an object in `body` names a field twice. `value` is what a decoder made of the whole, valid body.

    Every name is followed by a colon and becomes one entry, unless an equal name overwrote it.
    """
    entries = _entries(value)
    return body.count(b":") != entries and _TEXT.sub(b"", body).count(b":") != entries


def _entries(value: object) -> int:
    """Entries of all objects of a JSON value; walks with a list of its own, so that depth costs no stack."""
    found = 0
    open_values = [value]
    while open_values:
        item = open_values.pop()
        if isinstance(item, dict):
            found += len(item)
            open_values.extend(item.values())
        elif isinstance(item, list):
            open_values.extend(item)
    return found
