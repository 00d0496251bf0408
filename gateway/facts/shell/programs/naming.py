"""`mktemp` and `date`: what they print is put into the names of files.

Source: mktemp(1) and date(1) of GNU coreutils 9.1.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Effect, Output, Touch
from gateway.facts.shell.models import Invocation, Model, option_effects
from gateway.facts.shell.options import Grammar, all_names, parse_arguments
from gateway.facts.shell.values import Field, append_fields

_DRAWN: Final = re.compile(r"X{3,}(?=[^/X]*$)")
_ANY: Final = Field("*", glob=True)
# Directives whose result has slashes or can be empty of what a name needs: `%D` is `%m/%d/%y`, `%n` a line's end.
_DIRECTIVE: Final = re.compile(r"%[-_0^#]*\d*:{0,3}(?P<kind>[A-Za-z%+])")
_UNNAMEABLE: Final = frozenset("DxcrnhtZ+E")


def mktemp(invocation: Invocation, model: Model) -> list[Effect]:
    """`mktemp [template]` makes a file or directory and prints its path; only the drawn characters are not known."""
    arguments = parse_arguments(
        invocation.argv, Grammar(valued=all_names(model.options), optional=all_names(model.optional))
    )
    template = arguments.operands[0] if arguments.operands else Field("tmp.XXXXXXXXXX")
    directory = arguments.value("-p", "--tmpdir")
    if not template.known or (directory is not None and not directory.known):
        path = directory or template
        return [Touch(action="write", path=path, tree=True)]
    drawn = Field(_DRAWN.sub("*", template.text), glob=bool(_DRAWN.search(template.text)))
    suffix = arguments.value("--suffix")
    if suffix is not None:
        drawn = append_fields(drawn, suffix)
    if directory is not None or arguments.has("-t", "--tmpdir") or not arguments.operands:
        place = directory.text.rstrip("/") if directory is not None else "/tmp"  # noqa: S108  # its default
        drawn = append_fields(Field(f"{place}/"), drawn)
    if arguments.has("-u", "--dry-run"):
        return [Output(names=(drawn,))]
    return [Touch(action="write", path=drawn), Output(names=(drawn,))]


def date(invocation: Invocation, model: Model) -> list[Effect]:
    """`date [+format]`: words without slashes, as far as the format tells."""
    arguments = parse_arguments(
        invocation.argv, Grammar(valued=all_names(model.options), optional=all_names(model.optional))
    )
    effects = option_effects(model, arguments)
    shape = next((word for word in arguments.operands if word.text.startswith("+")), None)
    if shape is None:
        told = all(word.known for word in arguments.operands)
        return [*effects, Output(names=(_ANY,))] if told else effects
    kinds = [found["kind"] for found in _DIRECTIVE.finditer(shape.text)]
    if not shape.known or not kinds or _UNNAMEABLE.intersection(kinds):
        return effects
    return [*effects, Output(names=(Field(_DIRECTIVE.sub("*", shape.text[1:]), glob=True),))]
