"""`mount` and `getent`.

Source: mount(8), getent(1).
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Effect, Link, Note, Touch, Trait
from gateway.facts.shell.models import Invocation, Model, option_effects
from gateway.facts.shell.options import Grammar, all_names, parse_arguments

_DATABASES = {
    "passwd": "/etc/passwd",
    "shadow": "/etc/shadow",
    "group": "/etc/group",
    "gshadow": "/etc/gshadow",
    "hosts": "/etc/hosts",
    "services": "/etc/services",
}


def mount(invocation: Invocation, model: Model) -> list[Effect]:
    """`mount --bind source target`: from now on the target leads to the source."""
    arguments = parse_arguments(invocation.argv, Grammar(valued=all_names(model.options)))
    effects = option_effects(model, arguments)
    if len(arguments.operands) < 2:
        return effects
    source, target = arguments.operands[:2]
    bound = arguments.has("--bind", "--rbind", "-B", "-R") or any(
        "bind" in value.text for value in arguments.values("-o", "--options")
    )
    effects.append(Touch(action="write", path=target))
    effects.append(Note(reason="privileged_ns", dimensions=() if bound else ("read", "write")))
    return [*effects, Link(target=source, name=target)] if bound else effects


_SETS_ID: Final = re.compile(r"(?:[ugoa]*[+=][rwxXt]*s|0?[2-7][0-7]{3}$)")


def permissions(invocation: Invocation, model: Model) -> list[Effect]:
    """`chmod mode files`: files are changed, trees with `-R`; a set-user-ID bit hands out its owner's rights."""
    modes = [field for field in invocation.argv if _MODE.fullmatch(field.text)]
    argv = tuple(field for field in invocation.argv if field not in modes[:1])
    arguments = parse_arguments(argv, Grammar(valued=all_names(model.options)))
    tree = arguments.has("-R", "--recursive")
    operands = arguments.operands if modes or arguments.has("--reference") else arguments.operands[1:]
    effects = [*option_effects(model, arguments), Trait(name="changes_permissions")]
    effects.extend(Touch(action="write", path=path, tree=tree) for path in operands)
    if any(_SETS_ID.match(mode.text) for mode in modes[:1]):
        effects.append(Trait(name="raises_rights"))
    return effects


_MODE: Final = re.compile(r"[0-7]{1,5}|[ugoa]*[-+=][rwxXstugo]*(?:,[ugoa]*[-+=][rwxXstugo]*)*")


def getent(invocation: Invocation, model: Model) -> list[Effect]:
    """`getent database [key]` prints a file of the system."""
    del model
    words = [field.text for field in invocation.argv if not field.text.startswith("-")]
    path = _DATABASES.get(words[0]) if words else None
    return [Touch(action="read", path=type(invocation.argv[0])(path))] if path else []
