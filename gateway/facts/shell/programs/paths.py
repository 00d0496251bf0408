"""`basename`, `dirname` and `test`: words about paths.

Source: POSIX basename, dirname, test.
"""

from __future__ import annotations

import itertools
import posixpath

from gateway.facts.shell.effects import Credential, Effect, Output, Touch
from gateway.facts.shell.models import Invocation, Model


def basename(invocation: Invocation, model: Model) -> list[Effect]:
    """`basename path [suffix]`."""
    del model
    words = [field for field in invocation.argv if not field.text.startswith("-")]
    if not words or not words[0].known:
        return []
    name = words[0].text.rstrip("/").rpartition("/")[2] or "/"
    if len(words) > 1 and words[1].known and name != words[1].text:
        name = name.removesuffix(words[1].text)
    return [Output(text=f"{name}\n")]


def dirname(invocation: Invocation, model: Model) -> list[Effect]:
    """`dirname path`."""
    del model
    words = [field for field in invocation.argv if not field.text.startswith("-")]
    if not words or not all(word.known for word in words):
        return []
    return [Output(text="".join(f"{posixpath.dirname(word.text.rstrip('/')) or '.'}\n" for word in words))]


def test(invocation: Invocation, model: Model) -> list[Effect]:
    """`test` and `[`: unary file operators look at a path."""
    del model
    words = list(invocation.argv)
    effects: list[Effect] = []
    for operator, operand in itertools.pairwise(words):
        if (
            len(operator.text) == 2
            and operator.text[0] == "-"
            and operator.text[1] in "abcdefghkprstuwxLNOGS"
        ):
            effects.append(Touch(action="list", path=operand))
    return [*effects, Output(text="")]


def printenv(invocation: Invocation, model: Model) -> list[Effect]:
    """`printenv [names]` prints variables of the environment, all of them without a name."""
    del model
    names = tuple(field.text for field in invocation.argv if not field.text.startswith("-"))
    return [Credential(store="env", names=names, all=not names)]
