"""Redirections as the grammar meets them.

Source: Bash Reference Manual 5.2, 3.6 (Redirections).
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.quoting import delimiter
from gateway.facts.shell.source import Source
from gateway.facts.shell.tree import Redirect
from gateway.facts.shell.words import read_word

_REDIRECTS: Final = ("<<<", "<<-", "<<", "<&", "<>", "<", "&>>", "&>", ">>", ">&", ">|", ">")
_DESCRIPTOR: Final = re.compile(
    r"(?:(?P<number>[0-9]+)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\[[^]\n]*\])?)\})(?=[<>])"
)


def read_redirects(source: Source) -> tuple[Redirect, ...]:
    """Every redirection that follows a compound command."""
    found: list[Redirect] = []
    while True:
        source.blanks()
        redirect = read_redirect(source)
        if redirect is None:
            return tuple(found)
        found.append(redirect)


def read_redirect(source: Source) -> Redirect | None:
    """The redirection at the position, None when there is none."""
    here = source.pos
    descriptor: int | str | None = None
    found = _DESCRIPTOR.match(source.text, here)
    if found:
        descriptor = int(found["number"][:9]) if found["number"] else found["name"]
        source.pos = found.end()
    elif source.char not in "<>&" or not source.char:
        return None
    if source.text.startswith(("<(", ">("), source.pos):
        source.pos = here
        return None
    operator = source.operator(*_REDIRECTS)
    if not operator:
        source.pos = here
        return None
    source.count()
    source.blanks()
    start = source.pos
    target = read_word(source)
    if target is None:
        raise source.fail(f"`{operator}` has no target")
    redirect = Redirect(operator=operator, target=target, descriptor=descriptor)
    if operator in ("<<", "<<-"):
        text, literal = delimiter(source.text[start : source.pos])
        redirect.target = None
        source.pending.append((redirect, text, literal))
    return redirect
