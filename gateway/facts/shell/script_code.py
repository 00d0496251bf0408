"""Code of other languages (JavaScript, Perl, Ruby, PHP): the calls whose literal argument tells what they touch.

No parser of these languages is here, so a text is complete only when every word of it does nothing by itself; patterns and
words stand in `code_calls.yaml`.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Final

import msgspec
import re2
import yaml
from msgspec import Struct

from gateway.facts.shell.effects import Code, Contact, Effect, PathAction, Run, Touch
from gateway.facts.shell.script_words import Lexicon
from gateway.facts.shell.values import Field

_SCRIPT: Final = re.compile(r"[\w./-]+\.rb")
_LITERAL: Final = r"""["'`]([^"'`\n]{1,400})["'`]"""


_WORD: Final = re.compile(r"""["'`]([^"'`\n]{1,400})["'`]""")


class Call(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pattern of a call up to its literal argument, and what the argument is: a path action, `shell`, `url`, or `words`.

    Of `words` the second group of the pattern holds the further literals, the arguments of the program.
    """

    pattern: str
    means: str


class Language(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The calls of one language, and texts that do nothing."""

    calls: tuple[Call, ...]
    harmless: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()


def read_script_code(language: str, text: str) -> tuple[list[Effect], bool]:
    """The effects that a text names with literals, and whether there can be no others."""
    known = _languages().get(language)
    if known is None:
        return [], False
    calls, harmless, lexicon = known
    if language == "ruby" and _SCRIPT.fullmatch(text):
        return [Touch(action="read", path=Field(text)), Touch(action="execute", path=Field(text))], True
    effects: list[Effect] = []
    for pattern, means in calls:
        effects.extend(_effect(means, *found.groups()) for found in pattern.finditer(text))
    complete = any(whole.fullmatch(text.strip()) for whole in harmless)
    return effects, complete or (lexicon is not None and lexicon.understands(text))


def _effect(means: str, argument: str, rest: str = "") -> Effect:
    argument = argument.replace("\\/", "/")
    if means == "words":
        words = [argument, *_WORD.findall(rest)]
        return Run(argv=tuple(Field(word) for word in words), via="argument")
    if means == "shell":
        return Code(language="sh", text=Field(argument), via="shell_c")
    if means == "url":
        return Contact(target=Field(argument))
    action: PathAction = msgspec.convert(means, PathAction)
    return Touch(action=action, path=Field(argument))


@cache
def _languages() -> dict[
    str, tuple[list[tuple[re.Pattern[str], str]], list[re.Pattern[str]], Lexicon | None]
]:
    text = resources.files("gateway.facts.shell").joinpath("code_calls.yaml").read_text("utf-8")
    tables = msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), dict[str, Language])
    return {
        name: (
            [(re2.compile(call.pattern.replace("LITERAL", _LITERAL)), call.means) for call in table.calls],
            [re2.compile(pattern) for pattern in table.harmless],
            Lexicon(name, table.words, table.files, table.modules, table.forbidden, table.closed)
            if table.words
            else None,
        )
        for name, table in tables.items()
    }
