"""TeX: documents that read and write files, and run programs where the shell escape is on.

Source: web2c manual (shell escapes, -output-directory), LaTeX2e reference (input, openin, openout).
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Code, Effect, Indirect, Note, Touch
from gateway.facts.shell.models import Invocation, Model, option_effects
from gateway.facts.shell.options import Grammar, all_names, parse_arguments
from gateway.facts.shell.values import Field

_READS: Final = re.compile(
    r"\\(?:input|include|verbatiminput|lstinputlisting|InputIfFileExists)\s*\{?\s*(?P<path>[^\s{}\\]+)"
    r"|\\openin\s*\\?\w+\s*=?\s*(?P<opened>[^\s{}\\]+)"
)
_WRITES: Final = re.compile(r"\\openout\s*\\?\w+\s*=?\s*(?P<path>[^\s{}\\]+)")
_ESCAPES: Final = re.compile(
    r"\\(?:immediate\s*\\)?write18\s*\{(?P<code>[^{}]*)\}|\\(?:input|@@input)\s*\|\s*\"?(?P<piped>[^\"}]+)"
)


def typesetting(invocation: Invocation, model: Model) -> list[Effect]:
    """`pdflatex document` or TeX text; what a document's own macros do is code of the project."""
    arguments = parse_arguments(
        invocation.argv, Grammar(valued=all_names(model.options), single_dash=model.single_dash)
    )
    effects = option_effects(model, arguments)
    text = " ".join(field.text for field in arguments.operands)
    if arguments.has("-shell-escape", "--shell-escape", "-enable-write18", "--enable-write18"):
        effects.append(Note(reason="program_option:latex", dimensions=("exec", "write")))
    if "\\" not in text:
        effects.extend(Touch(action="read", path=path) for path in arguments.operands[:1])
        return [*effects, Indirect(kind="build_tool", name="latex")]
    for found in _READS.finditer(text):
        effects.append(Touch(action="read", path=Field(found["path"] or found["opened"])))
    effects.extend(Touch(action="write", path=Field(found["path"])) for found in _WRITES.finditer(text))
    effects.extend(
        Code(language="sh", text=Field(found["code"] or found["piped"]), via="argument")
        for found in _ESCAPES.finditer(text)
    )
    return effects
