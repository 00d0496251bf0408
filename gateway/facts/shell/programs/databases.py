"""Database shells: destructive statements, meta-commands that run shells or touch files, files they open.

Source: the manuals of psql 17, mysql 8, sqlite3 and redis-cli.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Code, Contact, Effect, Touch, Trait
from gateway.facts.shell.models import Invocation, Model, option_effects
from gateway.facts.shell.options import Grammar, all_names, parse_arguments
from gateway.facts.shell.values import Field

_DROPS: Final = re.compile(
    r"""\b(?:
        drop\s+(?:table|database|schema|user|role|owned|collection|index|view|materialized|tablespace|keyspace|column|extension)
        | alter\s+table\s+\S+\s+drop
        | truncate(?:\s+table)?\s+\S
        | delete\s+from\s+\S+\s*(?:;|$|"|'|\)|where\s+(?:true|1\s*=\s*1))
        | update\s+\S+\s+set\s+(?:(?!\bwhere\b)[^;])*(?:;|$)
        | dropDatabase | drop\s*\( | flush(?:all|db)\b | debug\s+segfault
        | (?:deleteMany|remove|deleteOne)\(\s*(?:\{\s*\})?\s*\)
    )
    | \{\s*["']?drop(?:Database)?["']?\s*:""",
    re.IGNORECASE | re.VERBOSE,
)
_KEY_VALUE: Final = frozenset({"redis-cli", "valkey-cli", "keydb-cli"})
_SCRIPTED: Final = re.compile(r"\b(?:eval|evalsha|fcall)\b", re.IGNORECASE)
"""Statements that run code which the server holds or builds: what they delete cannot be told."""


_META: Final = re.compile(r"(?:^|\n|;)\s*(?:\\!\s*|(?:\.shell|\.system|system)\s+)(?P<code>[^\n]+)")


_FILE: Final = re.compile(
    r"(?:^|\n|;)\s*(?P<verb>\\i|\\ir|\\o|\\copy|\.read|\.import|\.output|\.once|\.backup|\.restore|\.open|\.save|source)\s+(?P<path>[^\s;]+)"
)


_COPY: Final = re.compile(
    r"\b(?:copy\s+\S+(?:\s*\([^)]*\))?\s+(?P<way>from|to)\s+(?P<program>program\s+)?'(?P<path>[^']+)'|(?P<read>pg_read_file|load_file|readfile|lo_import)\s*\(\s*'(?P<file>[^']+)'|into\s+(?:outfile|dumpfile)\s+'(?P<out>[^']+)')",
    re.IGNORECASE,
)


def database(invocation: Invocation, model: Model) -> list[Effect]:
    """Database shells: destructive statements, meta-commands that run shells or touch files, files they open."""
    arguments = parse_arguments(
        invocation.argv, Grammar(valued=all_names(model.options), single_dash=model.single_dash)
    )
    effects = option_effects(model, arguments)
    texts = arguments.values("-c", "--command", "-e", "--execute", "--eval", "-cmd", "-q", "-Q", "--query")
    operands = list(arguments.operands)
    if invocation.name in ("sqlite3", "duckdb") and operands:
        path = operands.pop(0)
        if path.text not in (":memory:", ""):
            effects.append(Touch(action="read", path=path))
            effects.append(Touch(action="write", path=path, possible=True))
        texts.extend(operands)
    elif invocation.name in _KEY_VALUE:
        texts.append(Field(" ".join(operand.text for operand in operands)))
        if any(_SCRIPTED.match(operand.text) for operand in operands[:1]) or arguments.has("--eval"):
            effects.append(Trait(name="irreversible"))
    else:
        for operand in operands:
            found = re.match(r"\w+(?:\+\w+)?://", operand.text)
            effects.extend([Contact(target=operand, sends_input=True)] if found else [])
    if invocation.stdin.text:
        texts.append(Field(invocation.stdin.text))
    for text in texts:
        effects.extend(statement_effects(text.text))
    return effects


def statement_effects(text: str) -> list[Effect]:
    """What a text of statements and meta-commands does beyond queries."""
    effects: list[Effect] = []
    if _DROPS.search(text):
        effects.extend((Trait(name="destructive"), Trait(name="irreversible")))
    effects.extend(
        Code(language="sh", text=Field(found["code"]), via="argument") for found in _META.finditer(text)
    )
    for found in _FILE.finditer(text):
        writes = found["verb"] in ("\\o", ".output", ".once", ".backup", ".save")
        effects.append(Touch(action="write" if writes else "read", path=Field(found["path"].strip("'\""))))
    for found in _COPY.finditer(text):
        if found["program"]:
            effects.append(Code(language="sh", text=Field(found["path"]), via="argument"))
        elif found["path"]:
            effects.append(
                Touch(action="read" if found["way"].lower() == "from" else "write", path=Field(found["path"]))
            )
        else:
            effects.append(
                Touch(action="write" if found["out"] else "read", path=Field(found["out"] or found["file"]))
            )
    return effects
