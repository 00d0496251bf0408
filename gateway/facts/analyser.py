"""The analyser: an event to everything its call would do. Pure, total, and blind to the gateway's own machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from gateway.domain.events import HookEvent
from gateway.domain.operations import Analysis, Operation
from gateway.facts.groups import GroupData, PathGroups, Shape
from gateway.facts.hosts import host_of_url
from gateway.facts.operations import Findings, Place
from gateway.facts.project import ProjectFinder, ProjectRule
from gateway.facts.tool_data import FileRow, ToolData

ANALYZER = 0
"""Number of the shell analysis; 0 is none, so every shell command is opaque."""
_MAX_MCP_VALUES = 2000
_WORDS = re.compile(r"[A-Za-z][a-z]*|[A-Z]+(?![a-z])")
_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_WILD = re.compile(r"[*?\[{]")


class FactsSettings(Struct, frozen=True, kw_only=True):
    """What the operator says about places. `self_paths` and `self_ports` are the gateway's own."""

    project: ProjectRule = ProjectRule()
    extra: tuple[str, ...] = ()
    self_paths: tuple[str, ...] = ()
    self_ports: frozenset[int] = frozenset()


class CallAnalyser:
    """Implements the `Analyser` port for tools whose input names directly what they touch."""

    def __init__(self, settings: FactsSettings, tools: ToolData, groups: Mapping[str, GroupData]) -> None:
        self._settings = settings
        self._tools = tools
        self._known = tools.known
        self._groups = PathGroups(groups, settings.self_paths)
        self._projects = ProjectFinder(settings.project, self._groups)

    def analyse(self, event: HookEvent) -> Analysis:
        """What the call would do. Total: what has no known shape yields no operation and stays unknown."""
        project = self._projects.of(event)
        cwd = event.cwd if event.cwd.startswith("/") else project.directory
        findings = Findings(self._groups, Place(cwd=cwd, project=project, extra=self._settings.extra))
        self._operations(event, findings)
        operations, truncated = findings.ranked()
        everything = findings.all()
        certain = _union(everything, "groups")
        return Analysis(
            operations=operations,
            truncated=truncated,
            groups=certain,
            groups_may=tuple(name for name in _union(everything, "groups_may") if name not in certain),
            hosts=tuple(dict.fromkeys(operation.id for operation in everything if operation.kind == "host")),
            shell=self._shell(event),
            limits_hit=tuple(findings.limits),
            known_tool=self._is_known(event),
            project_dir=project.directory,
            project=project.found_by,
            home=project.home,
            flags=(*project.flags, *findings.flags),
        )

    def _is_known(self, event: HookEvent) -> bool:
        return not event.tool or event.tool in self._known or event.mcp_server is not None

    def _shell(self, event: HookEvent) -> dict[str, Any] | None:
        """Shell facts. Until commands are analysed every one is opaque: what it does is told by none of its fields."""
        if event.tool not in self._tools.shells:
            return None
        return {
            "analyzer": ANALYZER,
            "parsed": False,
            "opaque": True,
            "opaque_reasons": ["not_analysed"],
            "indirect": False,
            "inline_code": False,
            "unknown": False,
            "unknown_commands": [],
            "remote_code": False,
            "env_danger": [],
            "limits_hit": [],
            "dialect": "",
        }

    def _operations(self, event: HookEvent, findings: Findings) -> None:
        tool, given = event.tool, event.tool_input
        if event.event == "ConfigChange":
            path = event.payload.get("file_path")
            if isinstance(path, str) and event.payload.get("source") in self._tools.settings_sources:
                findings.file(path, ("write",), "path", via="config_change")
            return
        for row in self._tools.files.get(tool, ()):
            self._file(row, given, findings)
        if tool in self._tools.urls:
            url_row = self._tools.urls[tool]
            self._url(given.get(url_row.field), url_row.action, findings, via="tool")
        if tool in self._tools.hosts:
            host_row = self._tools.hosts[tool]
            findings.add(Operation("host", host_row.action, host_row.id, _service(host_row.id)))
        if tool in self._tools.subagents:
            subagent_row = self._tools.subagents[tool]
            kind = given.get(subagent_row.type)
            name = kind if isinstance(kind, str) and kind else subagent_row.default
            attr = {
                "type": name,
                "governed": True,
                "mode": event.permission_mode,
                "via": "tool",
                "certain": True,
            }
            findings.add(Operation("subagent", "spawn", name, attr))
        if tool in self._tools.resources:
            resource_row = self._tools.resources[tool]
            server, uri = given.get(resource_row.server), given.get(resource_row.uri)
            self._mcp_call(event, str(server), "resource", findings)
            if isinstance(uri, str):
                self._mcp_value("uri", uri, "read", findings)
        if event.mcp_server is not None:
            self._mcp(event, findings)

    def _file(self, row: FileRow, given: Mapping[str, Any], findings: Findings) -> None:
        text = given.get(row.path)
        if not isinstance(text, str) or not text:
            if row.default != "cwd":
                return
            text = "."
        shape: Shape = row.shape
        within = given.get(row.within) if row.within else None
        if isinstance(within, str) and within and not text.startswith(("/", "~")):
            text = f"{within.rstrip('/') or '/'}/{text}"
        narrow = given.get(row.narrow) if row.narrow else None
        if isinstance(narrow, str) and narrow:
            findings.file(text, [action for action in row.actions if action == "list"], shape, via="tool")
            narrowed = f"{text.rstrip('/')}/{narrow}" if "/" in narrow else f"{text.rstrip('/')}/**/{narrow}"
            findings.file(
                narrowed, [action for action in row.actions if action != "list"], "glob", via="tool"
            )
            return
        findings.file(text, row.actions, shape, via="tool")

    def _url(self, url: object, action: str, findings: Findings, *, via: str, certain: bool = True) -> None:
        if not isinstance(url, str):
            return
        if url[:5].lower() == "file:":
            findings.file(url, ("read",), "path", via=via, certain=certain)
            return
        host = host_of_url(url, self._settings.self_ports)
        if host is not None:
            findings.host(host, action, via=via, certain=certain)

    def _mcp(self, event: HookEvent, findings: Findings) -> None:
        assert event.mcp_server is not None
        tool = event.tool.removeprefix("mcp__").removeprefix(event.mcp_server.name).removeprefix("__")
        self._mcp_call(event, event.mcp_server.name, tool, findings)
        action = self._mcp_action(tool)
        for count, (name, value) in enumerate(_texts(event.tool_input)):
            if count == _MAX_MCP_VALUES:
                findings.limits.append("mcp_arguments")
                break
            self._mcp_value(name, value, action, findings)

    def _mcp_call(self, event: HookEvent, server: str, tool: str, findings: Findings) -> None:
        origin = event.mcp_server.source if event.mcp_server else "unknown"
        attr = {
            "server": server,
            "tool": tool,
            "source": origin,
            "known": origin in {"managed", "user"},
            "input": dict(event.tool_input),
            "via": "mcp",
            "certain": True,
        }
        findings.add(Operation("mcp_tool", "call", f"{server}/{tool}", attr))

    def _mcp_action(self, tool: str) -> str:
        words = {word.lower() for word in _WORDS.findall(tool.replace("_", " "))}
        rows = self._tools.mcp
        if words & rows.delete_words:
            return "delete"
        if words & rows.write_words:
            return "write"
        return "list" if words & rows.list_words else "read"

    def _mcp_value(self, name: str, value: str, action: str, findings: Findings) -> None:
        """A text among the arguments: a URL or path by its own form, or by the name of its field."""
        rows = self._tools.mcp
        if value[:5].lower() == "file:":
            findings.file(value, (action,), "path", via="mcp", certain=False)
        elif _URL.match(value) or (name in rows.url_fields - rows.path_fields and "." in value):
            self._url(value, "connect", findings, via="mcp", certain=False)
        elif (name in rows.path_fields and value) or (value.startswith(("/", "~/")) and "\n" not in value):
            shape: Shape = "glob" if _WILD.search(value) else "path"
            findings.file(value, (action,), shape, via="mcp", certain=False)


def _service(name: str) -> dict[str, Any]:
    return {
        "host": name,
        "port": 0,
        "scheme": "",
        "groups": ["public"],
        "sources": [],
        "source_groups": [],
        "source_groups_may": [],
        "via": "tool",
        "certain": True,
    }


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """Every text of a JSON value with the name of the nearest field around it."""
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        name, item = stack.pop()
        if isinstance(item, str):
            yield name, item
        elif isinstance(item, dict):
            stack.extend((str(key).lower(), below) for key, below in item.items())
        elif isinstance(item, list):
            stack.extend((name, below) for below in item)


def _union(operations: list[Operation], name: str) -> tuple[str, ...]:
    found = [group for operation in operations for group in operation.attr.get(name, ())]
    return tuple(dict.fromkeys(found))
