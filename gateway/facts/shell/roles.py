"""Roles: what a program does with one argument, as the command model's tables name it.

| role | the argument |
|---|---|
| `none` | means nothing to us: a pattern, a number, a name |
| `read` `write` `delete` `list` `execute` | a path to which this is done; with `-tree` to everything below it |
| `edit` | is read and written; `move` is read and deleted |
| `make` | a path that is created |
| `command` | begins another command with its own arguments |
| `shell` | shell code; `code:LANGUAGE` code of another language |
| `url` `host` | is contacted; `fetch` contacted, and what comes back is printed |
| `send` | a path whose content leaves the machine |
| `program` | the name of a program that is run without arguments |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.facts.shell.effects import Code, Contact, Effect, Note, PathAction, Run, Touch
from gateway.facts.shell.values import Field

_ACTIONS: Final[dict[str, tuple[PathAction, ...]]] = {
    "read": ("read",),
    "write": ("write",),
    "make": ("write",),
    "delete": ("delete",),
    "list": ("list",),
    "execute": ("read", "execute"),
    "edit": ("read", "write"),
    "move": ("read", "delete"),
}
ROLES: Final = (
    frozenset(_ACTIONS)
    | {f"{role}-tree" for role in _ACTIONS}
    | {
        "none",
        "command",
        "shell",
        "url",
        "host",
        "fetch",
        "send",
        "program",
    }
)
"""Every role but `code:LANGUAGE`."""


def by_role(role: str, field: Field | None, *, tree: bool = False, via: str = "direct") -> list[Effect]:
    """The effects of one argument in a role; `field` None stands for standard input."""
    base, _, suffix = role.partition("-")
    if base in _ACTIONS and suffix in ("", "tree"):
        if field is None or field.text == "-":
            return []
        whole = tree or suffix == "tree"
        effects: list[Effect] = [Touch(action=action, path=field, tree=whole) for action in _ACTIONS[base]]
        if whole and field.glob and base == "delete":
            # A glob names things themselves, beside what is below them.
            effects.append(Touch(action="delete", path=field))
        return effects
    if role == "shell":
        return [Code(language="sh", text=field, via="shell_c")]
    if role.startswith("code:"):
        return [Code(language=role.removeprefix("code:"), text=field, via="inline")]
    if field is None:
        return []
    if role in ("url", "host", "fetch"):
        if role == "host" and field.text.startswith("+"):
            return []  # an option of `dig`; no host is called that
        return [Contact(target=field, fetches=role == "fetch")]
    if role == "send":
        return [Touch(action="read", path=field), Note(reason="unknown_net_data", dimensions=())]
    if role == "program":
        return [Run(argv=(field,), via="argument")]
    if role == "command":
        return [Run(argv=(field,), via=via)]
    return []


def operand_effects(
    roles: str | Sequence[str], operands: Sequence[Field], *, tree: bool = False, via: str = "direct"
) -> list[Effect]:
    """The effects of operands.

    One role is for all of them. In a list each is for one position, and one of them may be for any number (`*read`):
    `["none", "*read"]` is grep's, `["*read", "write"]` is cp's. `command` takes the rest.
    """
    if isinstance(roles, str):
        roles = (roles,) if roles == "command" else (f"*{roles}",)
    effects: list[Effect] = []
    for role, field, rest in _assigned(list(roles), list(operands)):
        if role == "command":
            effects.append(Run(argv=tuple(rest), via=via))
        elif field is not None:
            effects.extend(by_role(role, field, tree=tree, via=via))
    return effects


def _assigned(roles: list[str], operands: list[Field]) -> list[tuple[str, Field | None, list[Field]]]:
    star = next((position for position, role in enumerate(roles) if role.startswith("*")), len(roles))
    before, after = roles[:star], roles[star + 1 :]
    found: list[tuple[str, Field | None, list[Field]]] = []
    for position, role in enumerate(before):
        if position >= len(operands):
            return found
        if role == "command":
            found.append((role, None, operands[position:]))
            return found
        found.append((role, operands[position], []))
    rest = operands[len(before) :]
    tail = rest[max(len(rest) - len(after), 0) :] if after else []
    middle = rest[: len(rest) - len(tail)]
    if star < len(roles):
        found.extend((roles[star][1:], field, []) for field in middle)
    found.extend((role, field, []) for role, field in zip(after[len(after) - len(tail) :], tail, strict=True))
    return found
