"""MCP calls: which server and tool, and every path, host and command among the arguments.

Arguments are walked whole, within bounds: a tool that nobody described can name its argument anything, nest JSON in a text,
or take directory and name apart. What only looks like a path is kept as an operation that is not certain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.domain.events import HookEvent
from gateway.domain.operations import Operation
from gateway.facts.argument_commands import ArgumentCommands, Text, language_of, texts_of
from gateway.facts.argument_walk import ArgumentWalk
from gateway.facts.globs import is_glob
from gateway.facts.hosts import Hosts
from gateway.facts.mcp_data import COMMAND_ROLES, TEXT, McpModels, PathRole, ServerModel
from gateway.facts.operations import Findings
from gateway.facts.place import Place

_MARK = "mcp__"
_OPENED = frozenset({"file", "http", "https", "ws", "wss", "ftp"})
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


class McpCalls:
    """Finds the operations of MCP calls."""

    def __init__(self, models: McpModels, hosts: Hosts, commands: ArgumentCommands) -> None:
        self._models = models
        self._hosts = hosts
        self._commands = commands

    def call(self, event: HookEvent, place: Place, findings: Findings) -> dict[str, Any] | None:
        """The operations of `mcp__<server>__<tool>`; a name that can be split in several ways is every one of them.

        The value is `R.attr.shell` where something among the arguments runs.
        """
        texts: list[Text] = []
        for server, tool in names_of(event):
            texts += self._one(event, server, tool, findings)
        return self._commands.analyse(texts, event, place, findings)

    def unknown(self, event: HookEvent, place: Place, findings: Findings) -> dict[str, Any] | None:
        """The operations of a tool nobody knows, as far as its arguments look like what it touches."""
        data = self._models.data
        walk = ArgumentWalk(findings, self._hosts, data.fields, data.actions(event.tool), via="tool")
        for name, value in event.tool_input.items():
            walk.guess(name, value)
        walk.siblings(event.tool_input)
        walk.runs(event.tool_input)
        return self._commands.analyse(walk.texts_that_run, event, place, findings)

    def resource(self, event: HookEvent, server: object, uri: object, findings: Findings) -> None:
        """The reading of a server's resource: the client's own tool does it, so it is known; its URI may be a file."""
        name = server if isinstance(server, str) and server else "unknown"
        self._add(event, name, "resource", findings, source="unknown", known=True)
        if not isinstance(uri, str):
            return
        walk = ArgumentWalk(findings, self._hosts, self._models.data.fields, ("read",))
        scheme, separator, rest = uri.strip().partition("://")
        if separator and scheme.lower() not in _OPENED:
            # A scheme of the server's own: what follows is no host, and may be a path.
            findings.guarded_file(rest, ("read",), via="mcp")
            findings.guarded_file(f"/{rest.lstrip('/')}", ("read",), via="mcp")
        else:
            walk.guess("uri", uri)

    def _one(self, event: HookEvent, server: str, tool: str, findings: Findings) -> list[Text]:
        """Put one reading of a tool's name among the findings; the texts that it runs."""
        said = event.mcp_server.source if event.mcp_server is not None else "unknown"
        source = self._models.data.source(said)
        model = self._models.of(server)
        arguments = None if model is None else model.tools.get(tool)
        described = arguments is not None or bool(model and model.others)
        walk = ArgumentWalk(findings, self._hosts, self._models.data.fields, self._models.data.actions(tool))
        texts: list[Text] = []
        for name, value in event.tool_input.items():
            role = self._role(model, arguments, name)
            if role == "":
                described = False
                walk.guess(name, value)
            elif role == TEXT:
                walk.guess(name, value, strict=True)
            elif role in COMMAND_ROLES:
                findings.shell = True
                walk.guess(name, value, strict=True)
                texts += texts_of(value, event.tool_input, language_of(role), certain=True)
            else:
                self._argument(role, name, value, walk, findings)
        if described is False:
            walk.siblings(event.tool_input)
            walk.runs(event.tool_input)
        if model is not None:
            for host in model.contacts:
                findings.host(self._hosts.of_name(host, 443, "https"), "connect", via="mcp")
            for path in model.changes.get(tool, ()):
                findings.file(path, ("write",), "path", via="mcp")
        known = described and self._models.trusts(model, source, said)
        self._add(event, server, tool, findings, source=source, known=known)
        return [*texts, *walk.texts_that_run]

    @staticmethod
    def _role(model: ServerModel | None, arguments: Mapping[str, str] | None, name: str) -> str:
        if arguments is not None:
            return arguments.get(name, "")
        return model.others if model is not None else ""

    def _argument(self, role: str, name: str, value: Any, walk: ArgumentWalk, findings: Findings) -> None:
        path_role: PathRole | None = self._models.data.roles.get(role)
        if path_role is None:
            walk.guess(name, value, strict=True)
        for text in walk.texts(value):
            if role == "host":
                findings.host(self._hosts.of_name(text), "connect", via="mcp")
            elif path_role is None or (text.lstrip()[:4].lower() == "http" and "://" in text):
                walk.url(text, certain=True)
            else:
                self._path(path_role, name, text, walk, findings)

    @staticmethod
    def _path(role: PathRole, name: str, text: str, walk: ArgumentWalk, findings: Findings) -> None:
        findings.file(text, role.actions, role.shape, via="mcp")
        if role.shape == "path" and is_glob(text):
            # The server may take it for a name or for a glob, or unwrap it first.
            findings.file(text, role.actions, "glob", via="mcp", certain=False)
            walk.guess(name, text, strict=True)

    @staticmethod
    def _add(
        event: HookEvent, server: str, tool: str, findings: Findings, *, source: str, known: bool
    ) -> None:
        attr: dict[str, Any] = {
            "server": server,
            "tool": tool,
            "source": source,
            "known": known,
            "input": dict(event.tool_input),
            "via": "mcp",
            "url": event.mcp_server.url if event.mcp_server is not None else "",
            "command": event.mcp_server.command if event.mcp_server is not None else "",
            "certain": True,
        }
        findings.add(Operation("mcp_tool", "call", f"{server}/{tool}", attr))


def names_of(event: HookEvent) -> tuple[tuple[str, str], ...]:
    """Server and tool as the client tells them, else every way in which the tool's name can be split."""
    text = event.tool.removeprefix(_MARK)
    server = event.mcp_server
    if server is not None and server.source != "unknown":
        prefix = _UNSAFE.sub("_", server.name) + "__"
        if text.startswith(prefix):
            return ((server.name, text[len(prefix) :]),)
        return ((server.name, text),)
    ways: list[tuple[str, str]] = []
    at = text.find("__", 1)
    while at >= 0:
        if text[at + 2 :]:
            ways.append((text[:at], text[at + 2 :]))
        at = text.find("__", at + 1)
    if server is not None and not ways:
        return ((server.name or text, ""),)
    return tuple(ways) or ((text, ""),)
