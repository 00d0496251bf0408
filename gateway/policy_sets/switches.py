"""Which shipped rules are switched off: packs ship on or off, and the operator switches packs and single rules by name.

The gateway sends the names to the policies (`R.attr.rules_off`), so that a switch works the same on every backend.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.errors import ConfigError


class Pack(Struct, frozen=True, forbid_unknown_fields=True):
    """A shipped pack: its name, whether it ships switched on, and one line about it."""

    name: str
    enabled: bool
    about: str


class _Packs(Struct, frozen=True, forbid_unknown_fields=True):
    packs: tuple[Pack, ...]


def known_packs() -> tuple[Pack, ...]:
    """The shipped packs in the order of the data file."""
    data = Path(__file__).with_name("packs.yaml").read_bytes()
    return msgspec.yaml.decode(data, type=_Packs).packs


def plain_name(name: str) -> str:
    """The one spelling of a pack's or rule's name: `git-safety` and `git_safety` are one."""
    return name.replace("-", "_")


def pack_of(rule: str) -> str:
    """The pack of a rule, by its name."""
    return rule.partition(".")[0]


def rules_switched_off(
    switches: Mapping[str, bool], rules: Iterable[str], packs: Iterable[Pack]
) -> tuple[str, ...]:
    """The full names of the rules that are off, sorted: a rule's own switch, else its pack's, else as its pack ships.

    `switches` has `<pack>` and `<pack>.<rule>` as keys, `rules` are all there are, shipped or a site's own.
    Raises ConfigError for a key that no rule has, and for one that is given twice with different values.
    """
    known = sorted(set(rules))
    given: dict[str, bool] = {}
    for name, on in switches.items():
        plain = plain_name(name)
        if given.setdefault(plain, on) != on:
            raise ConfigError(
                f"packs.{name}: the switch is given twice, on and off.",
                number=31,
                remedy="`-` and `_` are one in these names; leave one of them.",
            )
        if not any(plain_name(rule) == plain or plain_name(rule).startswith(f"{plain}.") for rule in known):
            raise ConfigError(
                f"packs.{name}: no rule has this name.",
                number=31,
                remedy=f"The packs are {', '.join(dict.fromkeys(map(pack_of, known)))}; "
                "`ostiary config packs` lists their rules.",
            )
    shipped = {pack.name: pack.enabled for pack in packs}

    def is_on(rule: str) -> bool:
        plain = plain_name(rule)
        pack = pack_of(plain)
        return given.get(plain, given.get(pack, shipped.get(pack, True)))

    return tuple(rule for rule in known if not is_on(rule))
