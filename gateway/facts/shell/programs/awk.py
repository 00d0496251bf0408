"""`awk`: files it names in its text, pipes and `system` that run shells.

Source: gawk 5.2 manual, POSIX awk.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Code, Contact, Effect, Note, Touch
from gateway.facts.shell.models import Invocation, Model
from gateway.facts.shell.options import Grammar, parse_arguments
from gateway.facts.shell.values import Field

_GRAMMAR: Final = Grammar(
    valued=frozenset(
        {
            "-F",
            "-f",
            "-v",
            "-i",
            "-e",
            "-l",
            "-o",
            "-E",
            "--field-separator",
            "--file",
            "--assign",
            "--include",
            "--source",
            "--load",
            "--exec",
        }
    )
)
_STRING: Final = r'"((?:[^"\\\n]|\\.)*)"'
_SYSTEM: Final = re.compile(rf"\bsystem\s*\(\s*{_STRING}\s*\)")
_ANY_SYSTEM: Final = re.compile(r"\bsystem\s*\(")
_PIPE_IN: Final = re.compile(rf"{_STRING}\s*\|&?\s*getline")
_PIPE_OUT: Final = re.compile(rf"\|&?\s*{_STRING}")
_ANY_PIPE: Final = re.compile(r'(?<![|"])\|&?(?!\|)\s*(?:getline\b|[A-Za-z_(])')
_READ: Final = re.compile(rf"getline(?:\s+[A-Za-z_]\w*)?\s*<\s*{_STRING}")
_WRITE: Final = re.compile(rf"(?:print|printf)\b[^;}}\n]*?>>?\s*{_STRING}")
_COMPUTED: Final = re.compile(
    r"getline(?:\s+[A-Za-z_]\w*)?\s*<\s*[^\"\s]|(?:print|printf)\b[^;}\n\"]*>>?\s*[A-Za-z_$(]"
)
_NETWORK: Final = re.compile(r"/inet[46]?/(?:tcp|udp)/[^/]*/([^/\"]+)/")
_LITERALS: Final = re.compile(rf"{_STRING}|/(?:[^/\\\n]|\\.)+/|#[^\n]*")


def awk(invocation: Invocation, model: Model) -> list[Effect]:
    """`awk [-f file | text] [name=value] files`."""
    del model
    arguments = parse_arguments(invocation.argv, _GRAMMAR)
    operands = list(arguments.operands)
    included = arguments.values("-i", "--include")
    in_place = any(library.text == "inplace" for library in included)
    files = [
        *arguments.values("-f", "--file", "-E", "--exec"),
        *(library for library in included if library.text != "inplace"),
    ]
    effects: list[Effect] = [Touch(action="read", path=path) for path in files]
    texts = arguments.values("-e", "--source")
    if files:
        effects.append(Note(reason="awk_io", dimensions=("exec", "read", "write")))
    if arguments.has("-l", "--load"):
        effects.append(Note(reason="loads_object"))
    if not files and not texts and operands:
        texts = [operands.pop(0)]
    assigned = {
        name: value
        for field in arguments.values("-v", "--assign")
        for name, separator, value in [field.text.partition("=")]
        if separator
    }
    for text in texts:
        effects.extend(_read(text, assigned) if text.known else [Note(reason="awk_io")])
    for operand in operands:
        name, separator, _ = operand.text.partition("=")
        if not (separator and name.isidentifier()):
            effects.append(Touch(action="read", path=operand))
            if in_place:
                effects.append(Touch(action="write", path=operand))
    return effects


def _read(field: Field, assigned: dict[str, str]) -> list[Effect]:
    text = field.text
    for name, value in assigned.items():
        text = re.sub(rf"\b{re.escape(name)}\b", lambda _found, value=value: f'"{value}"', text)  # type: ignore[misc]
    effects: list[Effect] = []
    for pattern in (_SYSTEM, _PIPE_IN, _PIPE_OUT):
        effects.extend(
            Code(language="sh", text=Field(_unescaped(one)), via="argument") for one in pattern.findall(text)
        )
    effects.extend(Touch(action="read", path=Field(_unescaped(one))) for one in _READ.findall(text))
    effects.extend(Touch(action="write", path=Field(_unescaped(one))) for one in _WRITE.findall(text))
    effects.extend(Contact(target=Field(host)) for host in _NETWORK.findall(text))
    bare = _LITERALS.sub('""', text)
    if len(_ANY_SYSTEM.findall(bare)) > len(_SYSTEM.findall(text)) or _ANY_PIPE.search(
        _PIPE_IN.sub("", bare)
    ):
        effects.append(Note(reason="awk_io", dimensions=("exec", "read", "write")))
    elif _COMPUTED.search(bare):
        effects.append(Note(reason="awk_io", dimensions=("read", "write")))
    return effects


def _unescaped(text: str) -> str:
    return text.replace('\\"', '"').replace("\\\\", "\\")
