"""The shell commands in files that name them: recipes of a makefile, scripts of package.json. Text in, command lines out.

Source: GNU make 4.4 manual, chapters 4 to 6; npm 10, scripts(7).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

MAKEFILES: Final = ("GNUmakefile", "makefile", "Makefile")
PACKAGE_FILE: Final = "package.json"
MAX_COMMANDS: Final = 200
_RULE: Final = re.compile(r"(?P<targets>[^\s:=#][^:=#]*?)\s*::?(?!=)(?P<rest>[^=].*|)\Z")
_ASSIGNMENT: Final = re.compile(
    r"(?:export\s+|override\s+)?(?P<name>[\w.-]+)\s*(?P<how>::?:?=|\?=|\+=|!=|=)\s*(?P<value>.*)\Z"
)
_REFERENCE: Final = re.compile(r"\$(?:\((?P<round>[^()]*)\)|\{(?P<curly>[^{}]*)\}|(?P<one>[@<^?*+%|A-Za-z]))")
_SHELL_CALL: Final = re.compile(r"\$[({]shell\s+(?P<command>(?:[^()]|\([^()]*\))*)[)}]")
_SCRIPT_LINE: Final = re.compile(r'"(?P<name>(?:[^"\\]|\\.)*)"\s*:\s*(?P<value>"(?:[^"\\]|\\.)*")')
_USUAL: Final[Mapping[str, str]] = {
    "CC": "cc",
    "CXX": "c++",
    "CPP": "cc -E",
    "AR": "ar",
    "LD": "ld",
    "AS": "as",
    "RM": "rm -f",
    "MAKE": "make",
    "SHELL": "/bin/sh",
    "CURDIR": ".",
    "CFLAGS": "",
    "CXXFLAGS": "",
    "CPPFLAGS": "",
    "LDFLAGS": "",
    "LDLIBS": "",
    "MAKEFLAGS": "",
    "ARFLAGS": "rv",
}
_MAX_DEPTH: Final = 8
_LIFECYCLE: Final = (
    "preinstall",
    "install",
    "postinstall",
    "prepublish",
    "preprepare",
    "prepare",
    "postprepare",
)


def makefile_commands(text: str, target: str, *, whole: bool) -> list[str]:
    """The command lines that a target runs, its prerequisites' first; of a part of a makefile every recipe in it.

    A target that has no rule of its own may match a pattern: then every recipe counts. `default` is the first target.
    """
    lines = text.replace("\\\n", " ").split("\n")
    commands = [found["command"] for found in _SHELL_CALL.finditer(text)]
    variables = dict(_USUAL)
    rules: dict[str, tuple[list[str], list[str]]] = {}
    first = ""
    current: list[str] = []
    loose: list[str] = []
    for line in lines:
        if line.startswith("\t"):
            for name in current:
                rules[name][1].append(line[1:])
            if not current:
                loose.append(line[1:])
            continue
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        assigned = _ASSIGNMENT.match(stripped)
        if assigned:
            _assign(assigned, variables, commands)
            continue
        rule = _RULE.match(stripped)
        if rule is None:
            continue
        prerequisites, separator, recipe = rule["rest"].partition(";")
        current = _expanded(rule["targets"], variables).split()
        for name in current:
            known = rules.setdefault(name, ([], []))
            known[0].extend(_expanded(prerequisites, variables).split())
            if separator:
                known[1].append(recipe)
            if not first and not name.startswith(".") and "%" not in name:
                first = name
    wanted = first if target == "default" else target
    order = _reached(wanted, rules) if whole and wanted in rules else list(rules)
    for name in order:
        prerequisites = rules[name][0]
        own = {
            **variables,
            "@": name,
            "<": prerequisites[0] if prerequisites else "",
            "^": " ".join(prerequisites),
        }
        commands.extend(_command(line, own) for line in rules[name][1])
    commands.extend(_command(line, variables) for line in loose)
    return [command for command in commands if command][:MAX_COMMANDS]


def script_names(name: str) -> tuple[str, ...]:
    """The scripts that running one runs."""
    return (f"pre{name}", name, f"post{name}")


def lifecycle() -> tuple[str, ...]:
    """The scripts that installing runs."""
    return _LIFECYCLE


def scripts(text: str, names: tuple[str, ...], *, whole: bool) -> list[str]:
    """The scripts of these names in a package.json; of a part of one, or of one that is no JSON, every text in it."""
    if whole:
        try:
            found = msgspec.json.decode(text.encode("utf-8", "replace"))
        except (msgspec.MsgspecError, RecursionError):
            return [value for _, value in _loose(text)]
        table = found.get("scripts") if isinstance(found, dict) else None
        if not isinstance(table, dict):
            return []
        return [table[name] for name in names if isinstance(table.get(name), str)]
    return [value for name, value in _loose(text) if name in names or ":" in name]


def _loose(text: str) -> list[tuple[str, str]]:
    pairs = []
    for found in _SCRIPT_LINE.finditer(text):
        try:
            pairs.append(
                (found["name"], msgspec.json.decode(found["value"].encode("utf-8", "replace"), type=str))
            )
        except msgspec.MsgspecError:
            continue
    return pairs[:MAX_COMMANDS]


def _assign(assigned: re.Match[str], variables: dict[str, str], commands: list[str]) -> None:
    name, how, value = assigned["name"], assigned["how"], assigned["value"]
    if how == "!=":
        commands.append(value)
        variables.pop(name, None)
    elif how == "+=":
        variables[name] = f"{variables.get(name, '')} {value}".strip()
    elif how != "?=" or name not in variables:
        variables[name] = value


def _reached(target: str, rules: Mapping[str, tuple[list[str], list[str]]]) -> list[str]:
    """The targets that building one builds, prerequisites first."""
    found: dict[str, None] = {}
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name in seen or len(seen) > MAX_COMMANDS:
            return
        seen.add(name)
        for before in rules[name][0]:
            if before in rules:
                visit(before)
        found[name] = None

    visit(target)
    patterns = {name: None for name in rules if "%" in name}
    return list({**patterns, **found})


def _command(line: str, variables: Mapping[str, str]) -> str:
    """One recipe line as the shell gets it."""
    return _expanded(line.lstrip("@-+ \t"), variables).replace("$$", "$").strip()


def _expanded(text: str, variables: Mapping[str, str], depth: int = 0) -> str:
    """A text with make's references replaced; what is not known becomes a variable that no shell knows either."""

    def replaced(found: re.Match[str]) -> str:
        name = found["round"] or found["curly"] or found["one"] or ""
        if name in variables:
            return variables[name]
        return "$$__make_unknown" if found["one"] is None else f"$${name}" if name.isalpha() else ""

    if "$" not in text or depth > _MAX_DEPTH:
        return text
    marked = text.replace("$$", "\0")
    expanded = _REFERENCE.sub(replaced, marked)
    if expanded != marked and _REFERENCE.search(expanded.replace("$$", "\0")):
        expanded = _expanded(expanded.replace("\0", "$$"), variables, depth + 1)
    return expanded.replace("\0", "$$")
