"""What a command would do as a tree for people: one branch a kind of operation, and under each what a rule says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.text import Text
from rich.tree import Tree

from gateway.domain.decision import Decision, Reason
from gateway.domain.operations import Operation
from gateway.enforcement.obligations import printable

_FILES = (
    ("read", "read", "cyan"),
    ("write", "write", "yellow"),
    ("delete", "delete", "red"),
    ("list", "list", "dim"),
    ("execute", "execute files", "magenta"),
)
_STYLES = {"deny": "bold red", "ask": "bold yellow"}
_AS_DECISION = {"pass": "allow", "ask": "ask", "deny": "deny"}
_VERDICTS = {
    "deny": ("would be stopped", "bold red"),
    "ask": ("would be asked about", "bold yellow"),
    "allow": ("no rule objects", "green"),
    "no_policy": ("no rule speaks about it", "green"),
    "error": ("could not be decided", "bold red"),
}


class WhatTree:
    """Builds the tree. Everything that came from the command is shown as text."""

    def __init__(
        self,
        facts: dict[str, Any],
        operations: Sequence[Operation],
        decision: Decision,
        failure_policy: Mapping[str, str],
    ) -> None:
        self._failure_policy = failure_policy
        self._facts = facts
        self._operations = operations
        self._decision = decision
        self._told: set[int] = set()

    def build(self, command: str) -> Tree:
        """The whole tree, its root the command."""
        root = Tree(Text(printable(command), style="bold"))
        self._commands(root)
        for action, title, style in _FILES:
            self._branch(root, title, "file", style, _file, action)
        self._branch(root, "contact", "host", "blue", _host, "connect")
        self._branch(root, "send", "host", "bold blue", _host, "send")
        self._branch(root, "git", "git", "yellow", _git)
        self._branch(root, "packages", "package", "yellow", _package)
        self._branch(root, "credentials", "credential", "bold red", _credential)
        self._branch(root, "start another agent", "subagent", "bold red", lambda item: item.id)
        facts = self._facts
        _leaves(root, "project code", [_indirect(one) for one in facts["indirect"]], "magenta")
        _leaves(root, "not known to the command model", facts["unknown_commands"], "yellow")
        _leaves(root, "could not be told", [*facts["opaque_reasons"], *facts["limits_hit"]], "bold yellow")
        self._verdict(root)
        return root

    def _commands(self, root: Tree) -> None:
        shown = [_program(item) for item in self._facts["commands"]]
        if not shown:
            return
        branch = root.add(Text("run", style="dim"))
        for line, item in dict(zip(shown, self._facts["commands"], strict=True)).items():
            leaf = branch.add(Text(printable(line), style="green"))
            for operation in self._operations:
                if operation.kind == "command" and operation.attr["name"] == item["name"]:
                    self._say(leaf, operation)

    def _branch(
        self,
        root: Tree,
        title: str,
        kind: str,
        style: str,
        words: Callable[[Operation], str],
        action: str = "",
    ) -> None:
        items = [item for item in self._operations if item.kind == kind and action in ("", item.action)]
        if not items:
            return
        branch = root.add(Text(title, style="dim"))
        for item in items:
            line = Text(printable(words(item)), style=style)
            if not item.attr["certain"]:
                line.append("  perhaps", style="dim")
            groups = [*item.attr.get("groups", ())] if kind in ("file", "host", "git") else []
            if groups:
                line.append(f"  {', '.join(groups)}", style="dim")
            self._say(branch.add(line), item)

    def _say(self, leaf: Tree, item: Operation) -> None:
        """The rules that speak against one operation, under it."""
        for number, reason in enumerate(self._decision.reasons):
            about = (reason.kind, reason.action, reason.resource) == (item.kind, item.action, item.id)
            if about and reason.decision in _STYLES and number not in self._told:
                self._told.add(number)
                leaf.add(_rule(reason))

    def _verdict(self, root: Tree) -> None:
        decision = self._decision
        failure = self._failure_policy.get(decision.cause, "") if decision.cause else ""
        words, style = _VERDICTS[_AS_DECISION.get(failure, decision.word)]
        branch = root.add(Text(words, style=style))
        if failure:
            branch.add(Text(f"{failure} failure_policy.{decision.cause}: {printable(decision.detail)}"))
        for number, reason in enumerate(self._decision.reasons):
            if reason.decision in _STYLES and number not in self._told:
                branch.add(_rule(reason))


def _rule(reason: Reason) -> Text:
    line = Text(reason.decision, style=_STYLES[reason.decision])
    if reason.rule:
        line.append(f" {printable(reason.rule)}", style="bold")
    return line.append(f": {printable(reason.text)}" if reason.text else "", style="")


def _leaves(root: Tree, title: str, items: Iterable[str], style: str) -> None:
    found = list(dict.fromkeys(items))
    if found:
        branch = root.add(Text(title, style="dim"))
        for item in found:
            branch.add(Text(printable(item), style=style))


def _program(item: dict[str, Any]) -> str:
    words = " ".join("…" if word is None else word for word in item["argv"])
    return f"{words}  ({item['via']})" if item["via"] != "direct" else words


def _file(item: Operation) -> str:
    return item.id


def _host(item: Operation) -> str:
    port = item.attr["port"]
    name = f"{item.attr['host'] or 'unknown'}:{port}" if port else item.attr["host"] or "unknown"
    sources = item.attr["sources"]
    return f"{', '.join(sources)} → {name}" if sources else name


def _git(item: Operation) -> str:
    flags = [name for name in ("force", "delete") if item.attr[name]]
    return " ".join(part for part in (item.action, item.attr["remote"], *item.attr["refs"], *flags) if part)


def _package(item: Operation) -> str:
    source = f"(from {item.attr['source']})" if item.attr["source"] != "registry" else ""
    return " ".join(part for part in (item.action, *item.attr["names"], source) if part)


def _credential(item: Operation) -> str:
    names = item.attr["names"]
    return f"{item.attr['store']}: {', '.join(names)}" if names else item.attr["store"]


def _indirect(one: dict[str, Any]) -> str:
    return f"{one['kind'].replace('_', ' ')}: {one['name']}" if one["name"] else one["kind"].replace("_", " ")
