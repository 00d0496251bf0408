"""The notation of the scripts: one step a line, what belongs to a step indented under it.

    $ pytest -q 2>&1 | tail -20         a shell command (further lines of it indented)
    & npm run dev                       one in the background
    Read src/app.py offset=40           a tool: its main argument, then others by name
    + Grep 'def main' glob=*.py         a step the model makes in the same turn as the one before
    Edit src/app.py                     old lines begin with `-`, new ones with `+`
    Agent Explore "find the caller"     the steps of the sub-agent indented under it
    @ commit                            the steps of a part, see `parts.yaml`

`«name»` stands for a word of the story. Paths are relative to the project, or to the worktree after EnterWorktree.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.client.script import Call, Script, Turn

MAIN_ARGUMENT = {
    "Agent": "subagent_type",
    "Edit": "file_path",
    "EnterWorktree": "name",
    "ExitWorktree": "action",
    "Glob": "pattern",
    "Grep": "pattern",
    "Monitor": "command",
    "NotebookEdit": "notebook_path",
    "Read": "file_path",
    "ReadMcpResourceTool": "server",
    "Skill": "skill",
    "TaskCreate": "subject",
    "TaskStop": "task_id",
    "TaskUpdate": "taskId",
    "ToolSearch": "query",
    "WebFetch": "url",
    "WebSearch": "query",
    "Write": "file_path",
}
BODY_ARGUMENT = {"Write": "content", "NotebookEdit": "new_source", "ExitPlanMode": "plan"}
_PATHS = frozenset({"file_path", "notebook_path", "path"})
_TEXTS = frozenset({"pattern", "query", "taskId", "subject", "cell_id", "task_id", "prompt", "description"})
_WORD = re.compile("«([^»]*)»")
_STATES = {" ": "pending", ">": "in_progress", "x": "completed"}


@dataclass(frozen=True)
class Place:
    """Where a project lies and whose home it is under."""

    project: str
    home: str


@dataclass
class _Step:
    line: str
    body: list[str] = field(default_factory=list)


class Steps:
    """Turns the steps of one session into the conversations that the fake model plays.

    `words` are the story's; `parts` the shared texts by name. Raises ValueError with the line that cannot be read.
    """

    def __init__(self, place: Place, words: Mapping[str, str], parts: Mapping[str, str]) -> None:
        self._place = place
        self._words = {**words, "P": place.project, "H": place.home}
        self._parts = parts
        self._here = place.project
        self._others: dict[str, list[Call | list[Call]]] = {}
        self._count = 0

    def script(self, text: str) -> Script:
        """The conversations of a session."""
        main: list[Turn | Call | list[Call]] = [*self._conversation(text)]
        return Script(main, **self._others)

    def _conversation(self, text: str) -> list[list[Call]]:
        turns: list[list[Call]] = []
        for step in self._steps(text):
            line, together = step.line, step.line.startswith("+ ")
            call = self._call(line[2:] if together else line, step.body)
            if together:
                turns[-1].append(call)
            else:
                turns.append([call])
        return turns

    def _steps(self, text: str) -> Iterator[_Step]:
        """The steps of a text, parts put in their place."""
        for step in _split(text):
            if step.line.startswith("@ "):
                name = step.line[2:].strip()
                if name not in self._parts:
                    raise ValueError(f"no part is called {name!r}")
                yield from self._steps(self._parts[name])
            else:
                yield _Step(self._said(step.line), [self._said(line) for line in step.body])

    def _said(self, text: str) -> str:
        def word(found: re.Match[str]) -> str:
            if found[1] not in self._words:
                raise ValueError(f"the story has no word {found[1]!r}: {text}")
            return str(self._words[found[1]])

        # Words may hold words of their own.
        while _WORD.search(text):
            text = _WORD.sub(word, text)
        return text

    def _call(self, line: str, body: list[str]) -> Call:
        self._count += 1
        tool, _, rest = line.partition(" ")
        if tool in {"$", "&"}:
            command = "\n".join([rest, *body])
            given: dict[str, Any] = {"command": command, "description": _description(command)}
            if tool == "&":
                given["run_in_background"] = True
            return Call(str(self._count), "Bash", given)
        if not re.fullmatch(r"[A-Z]\w+|mcp__\w[\w-]*", tool):
            raise ValueError(f"not a step: {line}")
        given = self._arguments(tool, rest)
        self._put_body(tool, given, body)
        if tool == "EnterWorktree":
            self._here = f"{self._place.project}/.claude/worktrees/{given['name']}"
        elif tool == "ExitWorktree":
            self._here = self._place.project
        return Call(str(self._count), tool, given)

    def _arguments(self, tool: str, rest: str) -> dict[str, Any]:
        given: dict[str, Any] = {}
        names = iter(["subagent_type", "description"] if tool == "Agent" else [MAIN_ARGUMENT.get(tool, "")])
        for word in shlex.split(rest):
            name, equals, value = word.partition("=")
            if equals and re.fullmatch(r"-?[A-Za-z_]+", name):
                given[name] = value if name in _TEXTS else _value(value)
            else:
                given[next(names)] = word
        return {name: self._path(value) if name in _PATHS else value for name, value in given.items()}

    def _path(self, path: str) -> str:
        if path.startswith("~/"):
            return f"{self._place.home}/{path[2:]}"
        return path if path.startswith("/") else f"{self._here}/{path}".removesuffix("/.")

    def _put_body(self, tool: str, given: dict[str, Any], body: list[str]) -> None:
        text = "\n".join(body)
        if tool == "Edit":
            for name, mark in (("old_string", "-"), ("new_string", "+")):
                given[name] = "\n".join(line[1:] for line in body if line.startswith(mark))
        elif tool == "Agent":
            marker = f"HELPER{len(self._others)}"
            self._others[marker] = []  # taken before its own helpers are counted
            given.setdefault("description", "Look around")
            given["prompt"] = f"{marker}: {given['description']}. Report what you find, with file names."
            given.setdefault("run_in_background", False)
            self._others[marker] = [*self._conversation(text)]
        elif tool == "TodoWrite":
            given["todos"] = [_todo(line) for line in body]
        elif tool == "AskUserQuestion":
            given["questions"] = [_question(text)]
        elif tool in BODY_ARGUMENT:
            given[BODY_ARGUMENT[tool]] = text + ("\n" if tool == "Write" else "")
        elif tool.startswith("mcp__") and body:
            given.update(yaml.safe_load(text))
        elif body:
            raise ValueError(f"{tool} takes no further lines: {text}")


def _value(text: str) -> Any:
    return yaml.safe_load(text) if re.fullmatch(r"true|false|\d+", text) else text


def _split(text: str) -> Iterator[_Step]:
    step: _Step | None = None
    for line in text.splitlines():
        if line.startswith("  "):
            if step is None:
                raise ValueError(f"a line that belongs to no step: {line}")
            step.body.append(line[2:])
        elif not line.strip() and step is not None and step.body:
            step.body.append("")
        elif line.strip() and not line.startswith("#"):
            if step is not None:
                yield _whole(step)
            step = _Step(line)
    if step is not None:
        yield _whole(step)


def _whole(step: _Step) -> _Step:
    while step.body and not step.body[-1]:
        step.body.pop()
    return step


def _description(command: str) -> str:
    last = command.rpartition("&&")[2]
    return "Run " + " ".join(re.findall(r"[A-Za-z][\w.-]*", last)[:3])


def _todo(line: str) -> dict[str, str]:
    state, text = _STATES[line[1]], line[4:]
    return {"content": text, "status": state, "activeForm": f"Working: {text}"}


def _question(text: str) -> dict[str, Any]:
    question, *options = text.splitlines()
    labels = [{"label": option, "description": option} for option in options]
    return {"question": question, "header": "Choice", "options": labels, "multiSelect": False}
