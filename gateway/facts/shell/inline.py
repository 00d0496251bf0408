"""Program text in other languages, handed to a command (`python3 -c`, `node -e`, `perl -e`).

Python is read with its own parser; other languages by the calls that open, delete, run or contact something with a literal
argument. What is left is `inline_code`, which is never taken for harmless.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from msgspec import structs

from gateway.facts.shell.context import Call, Context
from gateway.facts.shell.effects import Code, Contact, Effect, Indirect, Note, Run, Touch
from gateway.facts.shell.python_code import read_python
from gateway.facts.shell.python_values import HOME
from gateway.facts.shell.script_code import read_script_code
from gateway.facts.shell.values import SOMETHING, Field, Stream

if TYPE_CHECKING:
    from gateway.facts.shell.walk import Walk

_MAX_TEXT: Final = 65_536


def read_code(walk: Walk, call: Call, effect: Code, text: str, context: Context) -> Stream:
    """Note what a program text would do."""
    language = effect.language
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    if len(text) > _MAX_TEXT:
        walk.trace.limit("too_long")
        return SOMETHING
    found, complete = (
        read_python(text, effect.arguments) if language == "python" else read_script_code(language, text)
    )
    walk.trace.inline.setdefault((language, digest, complete))
    walk.runner.application.inline_code()
    if not complete:
        walk.trace.note(f"inline_code:{language}")
    inner = structs.replace(call, context=context)
    return walk.runner.application.apply(walk, inner, [_under_home(one, call) for one in _in_place(found)])


def _under_home(effect: Effect, call: Call) -> Effect:
    """The effect with the home that the program asked for; where nobody knows it, a home as such."""
    if type(effect) is Touch and HOME in effect.path.text:
        known = call.state.variables.get("HOME", ())
        home = known[0].text if len(known) == 1 and known[0].known else "/home/~"
        return structs.replace(effect, path=Field(effect.path.text.replace(HOME, home), effect.path.glob))
    return effect


def _in_place(effects: list[Effect]) -> list[Effect]:
    """The effects that a text may have; only these kinds come from code."""
    return [effect for effect in effects if isinstance(effect, (Touch, Contact, Run, Code, Note, Indirect))]


def literal(text: str) -> Field:
    """A text of the program as an argument."""
    return Field(text)
