"""Names of places within a long text: one pass tells which of its lines may be paths that some pattern matches.

Of each pattern one name is looked for, the last that tells anything: `~/.aws/credentials*` can only match a line with
`credentials…` as one of its names. What is found is then matched in full by who asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import re2

_MEMORY: Final = 64 << 20
_LEAST_TOLD: Final = 2
"""A name with fewer characters beside its wildcards tells nothing."""
_WILD: Final = re.compile(r"[*?]")


class NamesInText:
    """Finds lines by the names of patterns, which are tuples of folded names. A pattern without a name finds every line."""

    def __init__(self, patterns: Iterable[tuple[str, ...]]) -> None:
        told = dict.fromkeys(map(_told, patterns))
        options = re2.Options()
        options.max_mem = _MEMORY
        options.log_errors = False
        self._every = "" in told
        names = "|".join(_expression(name) for name in told)
        self._lines = re2.compile(f"(?m)^(?:[^\n]*/)?(?:{names})(?:[/. ][^\n]*)?$".encode(), options)

    def lines(self, text: str) -> Iterator[str]:
        """The lines that have one of the names in them, in their order."""
        if self._every:
            yield from text.split("\n")
            return
        # Bytes, since offsets into a str cost the text before them at every match.
        content = text.encode("utf-8", "surrogatepass")
        for found in self._lines.finditer(content):
            yield found.group().decode("utf-8", "surrogatepass")


def _told(pattern: tuple[str, ...]) -> str:
    """The last name of a pattern that tells something, "" when none does."""
    return next((name for name in reversed(pattern) if len(_WILD.sub("", name)) >= _LEAST_TOLD), "")


def _expression(name: str) -> str:
    return re.escape(name).replace(r"\*", "[^/\n]*").replace(r"\?", "[^/\n]")
