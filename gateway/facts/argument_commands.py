"""Commands and program texts among the arguments of a tool: analysed like the shell's own, so that a tool that is a shell is one.

What a model calls a command is one; what only its name makes one (`cmd`, `script`, `code`) is so perhaps.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from gateway.domain.events import HookEvent
from gateway.facts.operations import Findings
from gateway.facts.place import Place
from gateway.facts.shell_commands import ShellCommands

MAX_TEXTS: Final = 16
"""Texts of one call that are analysed; more is a limit."""
_CODE: Final = "code"
_ARGUMENTS: Final = ("args", "arguments", "argv", "params")
_DIRECTORIES: Final = (
    "cwd",
    "workdir",
    "working_dir",
    "working_directory",
    "workingDirectory",
    "directory",
    "dir",
)
_SCRIPT: Final = re.compile(r"=>|\bfunction\b|\b(?:const|let|var)\s+\w+\s*=|\bawait\b|\brequire\s*\(|;\s*\Z")
_MIXED: Final = ("opaque", "indirect", "inline_code", "remote_code")
_LISTED: Final = ("opaque_reasons", "unknown_commands", "env_danger", "limits_hit")


class Text(Struct, frozen=True):
    """A text that runs. `language` "" is a shell's, `code` one nobody names; `certain` when a model says that it runs."""

    language: str
    text: str
    certain: bool


def language_of(role: str) -> str:
    """The language that a role names: "" for `command`, `code` where nobody says which."""
    return role.partition(":")[2] or (_CODE if role.startswith(_CODE) else "")


def texts_of(value: Any, beside: Mapping[str, Any], language: str, *, certain: bool) -> list[Text]:
    """What an argument runs: a text, with the arguments and the directory that stand beside it; or a list of words or texts."""
    if isinstance(value, str):
        whole = value
        if language == "":
            for name in _ARGUMENTS:
                words = beside.get(name)
                if isinstance(words, list) and words and all(isinstance(word, str) for word in words):
                    whole = f"{value} {shlex.join(words)}"
            for name in _DIRECTORIES:
                directory = beside.get(name)
                if isinstance(directory, str) and directory and "\n" not in directory:
                    whole = f"cd {shlex.quote(directory)} && {whole}"
                    break
        return [Text(language, whole, certain)]
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        if language:
            return [Text(language, item, certain) for item in value]
        # A list may be the words of one command, or several commands.
        return [Text("", shlex.join(value), certain), *(Text("", item, certain=False) for item in value)]
    return []


class ArgumentCommands:
    """Analyses what a call runs, and puts it among the findings."""

    def __init__(self, commands: ShellCommands) -> None:
        self._commands = commands

    def analyse(
        self, texts: Sequence[Text], event: HookEvent, place: Place, findings: Findings
    ) -> dict[str, Any] | None:
        """Facts of all of them together, `R.attr.shell`; None when there are none, or more work than is allowed."""
        facts: list[dict[str, Any]] = []
        wanted = list(dict.fromkeys(texts))
        for text in wanted[:MAX_TEXTS]:
            for language, doubtful in _readings(text):
                findings.tentative = not text.certain or doubtful
                found = self._commands.call(text.text, event, place, findings, dialect=language)
                findings.tentative = False
                if found is None:
                    return None
                facts.append(found)
        if len(wanted) > MAX_TEXTS:
            findings.limits.append("mcp_arguments")
        return _together(facts) if facts else None


def _readings(text: Text) -> list[tuple[str, bool]]:
    """The languages a text may be in, as dialects of the analysis, and whether that is a guess."""
    if text.language != _CODE:
        return [(f"code:{text.language}" if text.language else "", False)]
    found = [("code:node", True)]
    if _is_python(text.text):
        found.append(("code:python", True))
    if not text.certain and not _SCRIPT.search(text.text):
        # A few words can be a command as well: `cat /etc/shadow` divides three numbers in Python.
        found.append(("", True))
    return found


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _together(facts: list[dict[str, Any]]) -> dict[str, Any]:
    if len(facts) == 1:
        return facts[0]
    first = facts[0]
    return {
        **first,
        "parsed": all(one["parsed"] for one in facts),
        **{name: any(one[name] for one in facts) for name in _MIXED},
        **{name: list(dict.fromkeys(item for one in facts for item in one[name])) for name in _LISTED},
        "unknown": {name: any(one["unknown"][name] for one in facts) for name in first["unknown"]},
    }
