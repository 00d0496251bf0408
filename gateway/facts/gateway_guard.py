"""Commands aimed at the gateway itself: its processes, its unit, its ports and its own CLI (`gateway_self` among the traits).

Its files and addresses are found as every other file and host; here is what no path and no URL tells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources

import msgspec
import yaml
from msgspec import Struct

from gateway.facts.hosts import Hosts
from gateway.facts.shell.trace import CommandFact

_PIECES = re.compile(r"[:=,@\s]+")
_PARTS = re.compile(r"[:=,@/\[\]\s]+")
_LEAST_ADDRESS = 1 << 24
"""Smaller numbers are ports and counts rather than addresses."""


class GuardData(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data file: names of programs."""

    names: tuple[str, ...]
    modules: frozenset[str]
    aimed: frozenset[str]
    finders: frozenset[str]
    killers: frozenset[str]
    connect: frozenset[str]


def guard_data() -> GuardData:
    """The shipped data file."""
    text = resources.files("gateway.facts").joinpath("gateway_self.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), GuardData)


class GatewayGuard:
    """Tells commands that are aimed at the gateway. `hosts` knows where it listens."""

    def __init__(self, data: GuardData, hosts: Hosts) -> None:
        self._data = data
        self._hosts = hosts
        words = [re.escape(name) for name in data.names]
        ports = [rf"(?<![0-9]){port}(?![0-9])" for port in sorted(hosts.own_ports)]
        self._named = re.compile("|".join([*words, *ports]))

    def aimed(self, commands: Sequence[CommandFact]) -> frozenset[int]:
        """The positions of the commands that are aimed at the gateway; most scripts name it nowhere."""
        named = [at for at, fact in enumerate(commands) if self._names(fact)]
        if not named:
            return frozenset()
        data = self._data
        found = {at for at in named if self._is_aimed(commands[at])}
        if any(commands[at].name in data.finders for at in named):
            # Who it was that a finder printed is not known: what is killed with words nobody knows may be it.
            found.update(
                at
                for at, fact in enumerate(commands)
                if fact.name in data.killers and any(word is None for word in fact.argv[1:])
            )
        return frozenset(found)

    def paths(self, fact: CommandFact) -> list[str]:
        """Paths in the arguments of a connecting program (`UNIX-CONNECT:/run/x.sock`), which may be the gateway's."""
        if fact.name not in self._data.connect:
            return []
        pieces = (piece for word in fact.argv[1:] if word and "/" in word for piece in _PIECES.split(word))
        return [piece for piece in pieces if piece.startswith("/") and not piece.startswith("//")]

    def _names(self, fact: CommandFact) -> bool:
        # No name has a line break in it: one search through all the words finds what one through each would.
        words = "\n".join([word for word in fact.argv if word is not None])
        return self._named.search(words) is not None or self._is_own(fact)

    def _is_own(self, fact: CommandFact) -> bool:
        """Its own CLI, by its name or as a module of Python."""
        if fact.name in self._data.names:
            return True
        if "-m" not in fact.argv:
            return False
        modules = self._data.modules
        pairs = zip(fact.argv, fact.argv[1:], strict=False)
        return any(flag == "-m" and module in modules for flag, module in pairs)

    def _is_aimed(self, fact: CommandFact) -> bool:
        data = self._data
        if self._is_own(fact) or fact.name in data.aimed or {"kills", "services"}.intersection(fact.traits):
            return True
        return fact.name in data.connect and self._connects(fact)

    def _connects(self, fact: CommandFact) -> bool:
        """Whether arguments name an address and a port of the gateway, together or apart."""
        parts = {part for word in fact.argv[1:] if word for part in _PARTS.split(word) if part}
        ports = [
            int(part)
            for part in parts
            if part.isdecimal() and len(part) < 12 and int(part) in self._hosts.own_ports
        ]
        return any(
            "gateway_self" in self._hosts.of_name(part, port).groups
            for port in ports
            for part in parts
            if not part.isdecimal() or (len(part) > 7 and int(part[:12]) >= _LEAST_ADDRESS)
        ) or (bool(ports) and any(word is not None and "::1" in word for word in fact.argv))
