"""Git refs that are protected or deploy, by pattern (`facts.git` in the configuration)."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from msgspec import Struct

PROTECTED = ("main", "master", "trunk", "develop", "release/*", "production", "prod", "stable")
DEPLOYS = ("production", "prod", "deploy/*", "staging", "gh-pages")


class ProtectedRefs(Struct, frozen=True, kw_only=True):
    """Patterns of branch names."""

    protected: tuple[str, ...] = PROTECTED
    deploys: tuple[str, ...] = DEPLOYS

    def groups(self, refs: Iterable[str], *, every: bool = False) -> tuple[str, ...]:
        """The groups that any of the refs is in; `every` ref is in all of them."""
        found = tuple(refs)
        return tuple(
            group
            for group, patterns in (("protected", self.protected), ("deploys", self.deploys))
            if every or any(fnmatch.fnmatchcase(ref, pattern) for ref in found for pattern in patterns)
        )
