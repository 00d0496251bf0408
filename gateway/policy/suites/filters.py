"""Which tests are run: `suite=…;test=…;principal=…;resource=…;action=…`, each a list of globs, as Cerbos takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from gateway.errors import PolicyError
from gateway.policy.globs import NameSet

DIMENSIONS = ("suite", "test", "principal", "resource", "action")
_EVERYTHING = NameSet(("*",))


class FilterError(PolicyError):
    """A test filter that cannot be read; whoever called the command must write another."""

    exit_status = 2


class Filter(Struct, frozen=True, eq=False):
    """The names that are wanted in every dimension."""

    wanted: Mapping[str, NameSet] = {}

    def refusal(self, suite: str, test: str, principal: str, resource: str, actions: Iterable[str]) -> str:
        """Why a case is not run, "" when it is."""
        for dimension, name in (
            ("suite", suite),
            ("test", test),
            ("principal", principal),
            ("resource", resource),
        ):
            if not self._set(dimension).matches(name):
                return f"{dimension.capitalize()} did not match the test filter"
        return "" if any(map(self.wants_action, actions)) else self.no_action

    def wants_action(self, action: str) -> bool:
        """Whether an action is run."""
        return self._set("action").matches(action)

    @property
    def no_action(self) -> str:
        """What is said of an action that is not run."""
        return "No actions matched the test filter"

    def _set(self, dimension: str) -> NameSet:
        return self.wanted.get(dimension, _EVERYTHING)


def parse_filter(texts: Iterable[str]) -> Filter:
    """The filter of several arguments, all dimensions merged. Raises FilterError."""
    patterns: dict[str, list[str]] = {}
    for text in texts:
        for part in filter(None, (piece.strip() for piece in text.split(";"))):
            dimension, separator, globs = part.partition("=")
            names = [name.strip() for name in globs.split(",") if name.strip()]
            if not separator or not names:
                raise FilterError(
                    f"The test filter {part!r} has no names.",
                    number=101,
                    remedy="Write dimension=glob1,glob2;dimension=glob.",
                )
            if dimension.strip() not in DIMENSIONS:
                raise FilterError(
                    f"The test filter knows no dimension {dimension.strip()!r}.",
                    number=101,
                    remedy=f"Known: {', '.join(DIMENSIONS)}.",
                )
            patterns.setdefault(dimension.strip(), []).extend(names)
    return Filter({dimension: NameSet(names) for dimension, names in patterns.items()})
