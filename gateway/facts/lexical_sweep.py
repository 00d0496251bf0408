"""Guarded places and hosts that are named anywhere in a text that could not be read as commands.

Nothing is parsed: the text is taken apart at blanks, quotes and operators, with quotes and escapes off as well, so that a rule that
denies a place denies it behind a syntax error and behind the length at which the analysis stops. A place that is only
computed (`$x/id_rsa`, a pattern) is not named, and is what the opaque command is asked about.

The cost is that of the text, once; how many places and hosts are looked up is bounded, and a bound that is met is a limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from gateway.facts.hosts import Host, Hosts
from gateway.facts.operations import Findings

MAX_HOSTS: Final = 2_000
_TOKEN: Final = re.compile(r"[^\s'\"|;&<>()`{}=,]+")
_HIDING: Final = re.compile(r"['\"\\]")
_BEFORE_PLACE: Final = re.compile(r"[:@]")
_HOST_FORM: Final = re.compile(
    r"""
      [A-Za-z][A-Za-z0-9+.-]*:[/\\]{2}                          # a URL
    | \[[0-9A-Fa-f:.]+\] | [0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]*:      # IPv6
    | 0[xX][0-9A-Fa-f]{7} | [0-9]{9} | [0-9]+\.[0-9xX]           # IPv4 in any base
    | [^/:]+:[0-9]{1,5}(?:/|\Z)                                  # name:port
    """,
    re.VERBOSE,
)
_ADDRESS: Final = re.compile(r"(?P<name>\[[^\]]*\]|[^/:]+)(?::(?P<port>[0-9]{1,5}))?(?=/|\Z)")
_GUARDED_HOSTS: Final = frozenset({"metadata", "gateway_self"})


def sweep_text(text: str, findings: Findings, hosts: Hosts) -> None:
    """Put every guarded place and host that a text names among the findings: touched or contacted, perhaps. Total."""
    words = _words(text)
    findings.guarded_mentions(_places(words), ("read", "write"), via="shell")
    for number, word in enumerate(_addresses(words, hosts)):
        if number == MAX_HOSTS:
            findings.limits.append("hosts")
            return
        for host in _hosts_of(word, hosts):
            if not _GUARDED_HOSTS.isdisjoint(host.groups):
                findings.host(host, "connect", via="shell", certain=False)


def _words(text: str) -> dict[str, None]:
    """Every word once, as it stands and as it reads without quotes and escapes."""
    plain = text.replace("\\\n", "").replace("${HOME}", "$HOME")
    words = dict.fromkeys(_TOKEN.findall(plain))
    bare = _HIDING.sub("", plain)
    if bare != plain:
        words.update(dict.fromkeys(_TOKEN.findall(bare)))
    return words


def _places(words: Iterable[str]) -> dict[str, None]:
    """What of the words may be a path: each, what stands between `:` and `@` in it, and what an option has attached."""
    found: dict[str, None] = {}
    for word in words:
        if "://" in word and not word.startswith("file:"):
            continue
        found[word] = None
        if ":" in word or "@" in word:
            found.update(dict.fromkeys(_BEFORE_PLACE.split(word)))
        if word[0] == "-" and "/" in word:
            found[word[word.index("/") :]] = None
            if "~/" in word:
                found[word[word.index("~/") :]] = None
    found.pop("", None)
    return found


def _addresses(words: Iterable[str], hosts: Hosts) -> Iterator[str]:
    """The words that may be a host of interest."""
    return (
        word for word in words if _HOST_FORM.match(word) or hosts.is_metadata_name(word.partition("/")[0])
    )


def _hosts_of(word: str, hosts: Hosts) -> tuple[Host, ...]:
    if "://" in word or ":\\\\" in word:
        return hosts.of_url(word)
    found = _ADDRESS.match(word)
    if found is None:
        return (hosts.of_name(word.partition("/")[0]),)
    return (hosts.of_name(found["name"], int(found["port"] or 0)),)
