"""Sentences to wishes. What is not one of the known forms is refused with the forms; nothing is guessed.

no agent reads /data/customers            a denial for everybody
no marketing agent writes *.sql           a denial for a role
only engineers run terraform              a denial for everybody without the role
ask before writing to infra/**            a person decides
ask marketing before contacting crm.example.com
… because customer data is regulated      the reason, shown to the agent
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from gateway.errors import PolicyError

FORMS = (
    "no agent reads /data/customers",
    "no marketing agent writes *.sql",
    "only engineers run terraform",
    "nobody deletes migrations/** or *.sql",
    "agents never contact hosts other than github.com or docs.python.org",
    "no agent pushes to main",
    "no agent installs packages",
    "no agent calls github/create_issue",
    "ask before writing to infra/**",
    "ask marketing before contacting crm.example.com",
    "ask before running terraform destroy because it cannot be undone",
)
_MAX_LENGTH = 400
_BECAUSE = re.compile(r"\s*,?\s+because\s+", re.IGNORECASE)
_ROLE = re.compile(r"[a-z][a-z0-9_-]*\Z")
_PREFIXES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"ask\s+before\s+", re.IGNORECASE), "ask"),
    (re.compile(r"ask\s+(?P<who>[\w-]+?)(?:\s+agents?)?\s+before\s+", re.IGNORECASE), "ask"),
    (
        re.compile(r"only\s+(?P<only>[\w-]+?)(?:\s+agents?)?(?:\s+(?:may|can))?\s+(?=\w)", re.IGNORECASE),
        "deny",
    ),
    (re.compile(r"no\s+agents?\s+(?:may\s+|can\s+)?", re.IGNORECASE), "deny"),
    (re.compile(r"no\s+agents?\s+of\s+(?P<who>[\w-]+)\s+(?:may\s+|can\s+)?", re.IGNORECASE), "deny"),
    (re.compile(r"no\s+(?P<who>[\w-]+)\s+agents?\s+(?:may\s+|can\s+)?", re.IGNORECASE), "deny"),
    (re.compile(r"no\s+(?P<who>[\w-]+)\s+(?:may\s+|can\s+)?", re.IGNORECASE), "deny"),
    (re.compile(r"(?:nobody|no\s+one|never|do\s+not|don't)\s+(?:may\s+|can\s+)?", re.IGNORECASE), "deny"),
    (
        re.compile(r"agents\s+(?:never|do\s+not|don't|must\s+not|may\s+not|cannot|can't)\s+", re.IGNORECASE),
        "deny",
    ),
    (
        re.compile(
            r"(?P<who>[\w-]+?)(?:\s+agents)?\s+(?:never|do\s+not|don't|must\s+not|may\s+not|cannot|can't)\s+",
            re.IGNORECASE,
        ),
        "deny",
    ),
)


class SentenceError(PolicyError):
    """A sentence that is none of the known forms; its author must write another."""

    exit_status = 2


class Wish(Struct, frozen=True, kw_only=True):
    """What a sentence asks for. `role`: only for this role, or (`others`) for everybody but it; "" for everybody."""

    effect: Literal["deny", "ask"]
    verb: str
    objects: tuple[str, ...]
    other_than: bool = False
    """Whether everything but the objects is meant."""
    role: str = ""
    others: bool = False
    because: str = ""
    text: str = ""


def refuse(message: str) -> SentenceError:
    """The error that shows every form."""
    forms = "".join(f"\n  {form}" for form in FORMS)
    return SentenceError(message, number=102, remedy=f"These forms are understood:{forms}")


def parse_sentence(text: str, verbs: Mapping[str, tuple[str, ...]], everybody: frozenset[str]) -> Wish:
    """The wish of a sentence. Raises SentenceError."""
    plain = " ".join(text.split()).rstrip(".!")
    if len(plain) > _MAX_LENGTH or not plain.isprintable():
        raise refuse("The sentence is too long or has characters that cannot be printed.")
    said, *reasons = _BECAUSE.split(plain, maxsplit=1)
    for pattern, effect in _PREFIXES:
        match = pattern.match(said)
        if match is None:
            continue
        found = _verb(said[match.end() :], verbs)
        if found is None:
            continue
        verb, rest = found
        names = match.groupdict()
        role = (names.get("only") or names.get("who") or "").lower()
        if role in everybody:
            role = ""
        elif role and not _ROLE.match(role):
            raise refuse(f"{role!r} is no role.")
        other_than, objects = _objects(rest)
        return Wish(
            effect="ask" if effect == "ask" else "deny",
            verb=verb,
            objects=objects,
            other_than=other_than,
            role=role,
            others=bool(names.get("only")) and bool(role),
            because=reasons[0] if reasons else "",
            text=plain,
        )
    raise refuse(f"The sentence {plain!r} cannot be read.")


def _verb(text: str, verbs: Mapping[str, tuple[str, ...]]) -> tuple[str, str] | None:
    """The verb a text begins with, the longest of several, and the rest."""
    found: tuple[int, str] = (0, "")
    lowered = text.lower()
    for verb, spellings in verbs.items():
        for spelling in spellings:
            if lowered.startswith(f"{spelling} ") and len(spelling) > found[0]:
                found = (len(spelling), verb)
    return (found[1], text[found[0] :].strip()) if found[0] else None


_OTHER_THAN = re.compile(
    r"(?:hosts?|any\s+host|anything|anywhere|packages?|tools?|programs?|branches)?\s*(?:other\s+than|except|but)\s+",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+")
_QUOTED = re.compile(r"""(["'])(.+?)\1\Z""")


def _objects(text: str) -> tuple[bool, tuple[str, ...]]:
    match = _OTHER_THAN.match(text)
    if match is not None:
        text = text[match.end() :]
    names = tuple(_unquoted(part) for part in _BETWEEN.split(text) if part)
    if not names:
        raise refuse("The sentence names nothing that is done something to.")
    return match is not None, names


def _unquoted(text: str) -> str:
    match = _QUOTED.match(text.strip())
    return match.group(2) if match else text.strip()
