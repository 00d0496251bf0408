"""The script language of `sed`: commands that read (`r`, `R`), write (`w`, `W`, `s///w`) and run (`e`, `s///e`).

Source: GNU sed 4.9 manual, chapters 3 and 4.
"""

from __future__ import annotations

from gateway.facts.shell.effects import Code, Effect, Note, Touch
from gateway.facts.shell.values import Field


def read_sed(field: Field) -> list[Effect]:
    """What a script would touch. An unreadable script is noted as `sed_exec`."""
    text = field.text
    effects: list[Effect] = []
    pos = 0
    while pos < len(text):
        pos = _address(text, pos)
        if pos >= len(text):
            break
        command = text[pos]
        pos += 1
        if command in "\n;{}! \t":
            continue
        if command == "#":
            pos = _line_end(text, pos)
        elif command in "rRwW":
            end = _line_end(text, pos)
            path = Field(text[pos:end].strip())
            effects.append(Touch(action="read" if command in "rR" else "write", path=path))
            pos = end
        elif command == "e":
            end = _line_end(text, pos)
            code = text[pos:end].strip()
            effects.append(
                Code(language="sh", text=Field(code), via="argument") if code else Note(reason="sed_exec")
            )
            pos = end
        elif command in "sy":
            pos = _substitution(text, pos, command, effects)
        elif command in "aic":
            pos = _text_end(text, pos)
        elif command in ":btTqQlLF=dDgGhHnNpPxzv":
            pos = _argument_end(text, pos, label=command in ":btTv")
        else:
            effects.append(Note(reason="sed_exec", dimensions=("read", "write")))
            break
    return effects


def _address(text: str, pos: int) -> int:
    """Past the addresses before a command."""
    while pos < len(text):
        char = text[pos]
        if char in " \t\n;" or char.isdecimal() or char in "$,~+":
            pos += 1
        elif char == "/" or (char == "\\" and pos + 1 < len(text)):
            delimiter = char if char == "/" else text[pos + 1]
            pos = _delimited(text, pos + (1 if char == "/" else 2), delimiter)
            while pos < len(text) and text[pos] in "IM":
                pos += 1
        else:
            break
    return pos


def _delimited(text: str, pos: int, delimiter: str) -> int:
    """Past the next unescaped delimiter that is outside brackets."""
    bracket = False
    while pos < len(text):
        char = text[pos]
        if char == "\\":
            pos += 2
            continue
        if char == "[" and not bracket:
            bracket = True
            pos += 2 if text[pos + 1 : pos + 2] in ("]", "^") else 1
            continue
        if char == "]":
            bracket = False
        elif char == delimiter and not bracket:
            return pos + 1
        pos += 1
    return pos


def _substitution(text: str, pos: int, command: str, effects: list[Effect]) -> int:
    if pos >= len(text):
        return pos
    delimiter = text[pos]
    pos = _delimited(text, pos + 1, delimiter)
    start = pos
    while pos < len(text) and text[pos] != delimiter:
        pos += 2 if text[pos] == "\\" else 1
    replacement = text[start:pos]
    pos += 1
    if command == "y":
        return pos
    while pos < len(text) and text[pos] in "gpIiMm0123456789ew":
        flag = text[pos]
        pos += 1
        if flag == "e":
            effects.append(Note(reason="sed_exec", dimensions=("exec", "read", "write")))
            if "&" not in replacement and "\\" not in replacement:
                effects.append(Code(language="sh", text=Field(replacement), via="argument"))
        elif flag == "w":
            end = _line_end(text, pos)
            effects.append(Touch(action="write", path=Field(text[pos:end].strip())))
            return end
    return pos


def _line_end(text: str, pos: int) -> int:
    end = text.find("\n", pos)
    return len(text) if end < 0 else end


def _text_end(text: str, pos: int) -> int:
    """Past the text of `a`, `i` and `c`, whose lines a backslash joins."""
    while True:
        end = _line_end(text, pos)
        if end == len(text) or text[end - 1 : end] != "\\":
            return end
        pos = end + 1


def _argument_end(text: str, pos: int, *, label: bool) -> int:
    while pos < len(text) and text[pos] not in ("\n" if label and text[pos - 1] == ":" else ";\n}"):
        pos += 1
    return pos
