"""Containers that a command starts and removes again: what it made itself nobody else needs.

Only names that the command gives count. Volumes with a name stay when a container goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import structs

from gateway.facts.shell.trace import CommandFact

_ENGINES: Final = frozenset({"docker", "podman", "nerdctl"})
_FORCED: Final = frozenset({"-f", "--force", "-v", "--volumes", "-fv", "-vf"})


def without_own_containers(commands: Iterable[CommandFact]) -> list[CommandFact]:
    """The commands in their order; one that removes only what an earlier one certainly started destroys nothing."""
    started: set[str] = set()
    found = []
    for fact in commands:
        words = _words(fact)
        if words[:1] in (["run"], ["create"]) and fact.certain:
            started.update(_named(words))
        elif words[:1] in (["rm"], ["kill"], ["remove"]) and "destructive" in fact.traits:
            names = [word for word in words[1:] if word not in _FORCED]
            if names and started.issuperset(names):
                kept = tuple(trait for trait in fact.traits if trait != "destructive")
                fact = structs.replace(fact, traits=kept)  # noqa: PLW2901  # the same command without the trait
            started.difference_update(names)
        found.append(fact)
    return found


def _words(fact: CommandFact) -> list[str | None]:
    """What stands behind the program, where it is a container engine of this machine; `docker container rm` as `docker rm`."""
    if fact.name not in _ENGINES or fact.remote:
        return []
    words = list(fact.argv[1:])
    return words[1:] if words[:1] == ["container"] else words


def _named(words: list[str | None]) -> list[str]:
    """The name that a container gets, where it is known."""
    for at, word in enumerate(words[1:], 1):
        if word == "--name" and at + 1 < len(words):
            name = words[at + 1]
            return [name] if name else []
        if word is not None and word.startswith("--name="):
            return [word.removeprefix("--name=")]
    return []
