"""HTTPie and its like: a method, a URL, and items that may send files.

Source: HTTPie 3 documentation (request items), xh(1).
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Contact, Effect, Touch
from gateway.facts.shell.models import Invocation, Model, option_effects
from gateway.facts.shell.options import Grammar, all_names, parse_arguments
from gateway.facts.shell.values import Field

_METHOD: Final = re.compile(r"[A-Za-z]+$")
_FILE_ITEM: Final = re.compile(r"[^=:@]+(?::=@|=@|@)(?P<path>.+)")


def httpie(invocation: Invocation, model: Model) -> list[Effect]:
    """`http [METHOD] URL [items]`: `name@file` and `name=@file` send files, input is the body."""
    arguments = parse_arguments(invocation.argv, Grammar(valued=all_names(model.options)))
    effects = option_effects(model, arguments)
    operands = list(arguments.operands)
    if len(operands) > 1 and _METHOD.match(operands[0].text) and operands[0].text.lower() != "localhost":
        operands.pop(0)
    if not operands:
        return effects
    sent = [
        Field(found["path"].partition(";")[0], item.glob)
        for item in operands[1:]
        if (found := _FILE_ITEM.match(item.text))
    ]
    effects.extend(Touch(action="read", path=path) for path in sent)
    target = operands[0]
    if target.text.startswith(":"):
        target = Field("localhost" + (target.text if target.text[1:2].isdecimal() else target.text[1:]))
    body = not arguments.has("--ignore-stdin", "-I")
    effects.append(Contact(target=target, sends=tuple(sent), sends_input=body, fetches=True))
    return effects
