"""Which mode a call is in: a list, first match wins; a looser mode must be proven."""

from __future__ import annotations

from fnmatch import fnmatchcase

from msgspec import Struct

from gateway.domain.principal import Principal
from gateway.domain.vocabulary import MODES, Mode


class ModeRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of `modes`; each field is a glob over the role, agent id or event name."""

    mode: Mode
    role: str = "*"
    agent: str = "*"
    event: str = "*"


class Modes(Struct, frozen=True, kw_only=True):
    """The configured stance: a default and exceptions to it."""

    default: Mode = "observe"
    rules: tuple[ModeRule, ...] = ()

    def resolve(self, principal: Principal, *, proven: bool, agent: str, event: str) -> Mode:
        """The mode of one call.

        Without a valid credential the strictest mode configured for anything holds: a caller must not win a looser
        mode by losing his token. With several roles the strictest of their matches holds. `event` is "" for a request
        whose event cannot be read: then the strictest mode that any event of this caller could have.
        """
        if not proven:
            return self.strictest
        found = [self._for_role(role, agent, event) for role in principal.roles]
        return _strictest(found)

    @property
    def strictest(self) -> Mode:
        """The strictest mode configured anywhere."""
        return _strictest([self.default, *(rule.mode for rule in self.rules)])

    def _for_role(self, role: str, agent: str, event: str) -> Mode:
        for rule in self.rules:
            if (
                fnmatchcase(role, rule.role)
                and fnmatchcase(agent, rule.agent)
                and fnmatchcase(event, rule.event)
            ):
                return rule.mode
        return self.default


def _strictest(modes: list[Mode]) -> Mode:
    return max(modes, key=MODES.index)
