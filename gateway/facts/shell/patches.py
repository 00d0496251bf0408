"""What a patch changes: the names in the headers of its files.

Source: GNU diffutils 3.8 manual, "Detailed Description of Unified Format"; git-diff(1), "Generating patch text with -p".
"""

from __future__ import annotations

import re
from typing import Final

_HEADER: Final = re.compile(
    r"^(?:--- |\+\+\+ |\*\*\* |Index: |rename (?:from|to) |copy to )(?P<name>[^\t\n\r]+)", re.MULTILINE
)
_GIT: Final = re.compile(r"^diff --git (?P<names>[^\n\r]+)", re.MULTILINE)


def patched(text: str) -> tuple[str, ...]:
    """Every name that a patch may change, as it is written and without its first directory; empty where none is told.

    A line of content that looks like a header counts too: what is looked for must not hide behind one.
    """
    names = [found["name"].strip().strip('"') for found in _HEADER.finditer(text)]
    for found in _GIT.finditer(text):
        names.extend(word.strip('"') for word in found["names"].split())
    told: dict[str, None] = {}
    for name in names:
        if name and name != "/dev/null":
            told.setdefault(name)
            told.setdefault(name.partition("/")[2] or name)
    return tuple(told)
