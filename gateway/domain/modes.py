"""Which mode a call is in: a list, first match wins; a looser mode must be proven."""

from __future__ import annotations

from fnmatch import fnmatchcase

from msgspec import Struct

from gateway.domain.principal import Principal
from gateway.domain.vocabulary import MODES, Mode


class ModeRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of `modes`; each field is a glob over the role, agent id or event name."""

    mode: Mode
    """The mode of what fits."""
    role: str = "*"
    """Glob over the principal's roles."""
    agent: str = "*"
    """Glob over agent ids."""
    event: str = "*"
    """Glob over event names."""


class Modes(Struct, frozen=True, kw_only=True):
    """The configured stance: a default and exceptions to it."""

    default: Mode = "observe"
    rules: tuple[ModeRule, ...] = ()

    def resolve(
        self, principal: Principal, *, proven: bool, agent: str, event: str, agent_bound: bool = True
    ) -> Mode:
        """The mode of one call.

        Without a valid credential the strictest mode configured for anything holds: a caller must not win a looser
        mode by losing his token. With several roles the strictest of their matches holds. What is not proven may only
        tighten: where the credential is bound to no agent (`agent_bound`), a line that names an agent counts, and so
        does what would hold without it; where the event cannot be read (""), any event the line names may have come.
        """
        if not proven:
            return self.strictest
        found: list[Mode] = []
        for role in principal.roles:
            found += self._for_role(role, agent, event, agent_bound=agent_bound)
        return _strictest(found)

    @property
    def strictest(self) -> Mode:
        """The strictest mode configured anywhere."""
        return _strictest([self.default, *(rule.mode for rule in self.rules)])

    def _for_role(self, role: str, agent: str, event: str, *, agent_bound: bool) -> list[Mode]:
        """The mode of the first line that surely matches, and of every line before it that only may."""
        found: list[Mode] = []
        for rule in self.rules:
            if not fnmatchcase(role, rule.role) or not fnmatchcase(agent, rule.agent):
                continue
            if event and not fnmatchcase(event, rule.event):
                continue
            found.append(rule.mode)
            if (agent_bound or rule.agent == "*") and (event or rule.event == "*"):
                return found
        return [*found, self.default]


def _strictest(modes: list[Mode]) -> Mode:
    return max(modes, key=MODES.index)
