"""The analyser: an event to everything its call would do. Pure, total, and blind to the gateway's own machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from gateway.domain.events import HookEvent
from gateway.domain.operations import Analysis, Operation
from gateway.domain.remembered import NOTHING_REMEMBERED, Remembered
from gateway.facts.argument_commands import ArgumentCommands
from gateway.facts.globs import listed
from gateway.facts.groups import GroupData, PathGroups, Shape, group_data
from gateway.facts.hosts import HostData, Hosts, host_data
from gateway.facts.left import left_by
from gateway.facts.mcp import McpCalls
from gateway.facts.mcp_data import McpData, McpModels, ServerModel, mcp_data
from gateway.facts.operations import Findings
from gateway.facts.place import Place, Places
from gateway.facts.project import ProjectRule
from gateway.facts.ranking import worst_first
from gateway.facts.refs import ProtectedRefs
from gateway.facts.shell.catalogue import shipped_models
from gateway.facts.shell.models import Model, Models
from gateway.facts.shell_commands import ShellCommands
from gateway.facts.shell_memo import TraceMemo
from gateway.facts.tool_data import FileRow, ToolData, tool_data


class FactsSettings(Struct, frozen=True, kw_only=True):
    """What the operator says about places. `self_paths`, `self_ports` and `self_hosts` are the gateway's own.

    `homes` are patterns of homes beside the usual ones (`/data/people/*`), `groups` patterns added to path groups,
    `commands` and `mcp_servers` models of further programs and servers; `registries` and `project_hosts` are hosts of
    packages and of the project.
    """

    project: ProjectRule = ProjectRule()
    extra: tuple[str, ...] = ()
    homes: tuple[str, ...] = ()
    self_paths: tuple[str, ...] = ()
    self_ports: frozenset[int] = frozenset()
    self_hosts: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    commands: Mapping[str, Model] = field(default_factory=dict)
    mcp_servers: Mapping[str, ServerModel] = field(default_factory=dict)
    registries: tuple[str, ...] = ()
    project_hosts: tuple[str, ...] = ()
    refs: ProtectedRefs = ProtectedRefs()


class FactsData(Struct, frozen=True, kw_only=True):
    """The tables the analysis reads."""

    tools: ToolData
    groups: Mapping[str, GroupData]
    hosts: HostData
    mcp: McpData
    commands: Models


def facts_data() -> FactsData:
    """The shipped tables."""
    return FactsData(
        tools=tool_data(), groups=group_data(), hosts=host_data(), mcp=mcp_data(), commands=shipped_models()
    )


class CallAnalyser:
    """Implements the `Analyser` port for tools whose input names directly what they touch."""

    def __init__(self, settings: FactsSettings, data: FactsData) -> None:
        self._tools = data.tools
        self._known = data.tools.known
        self._groups = PathGroups(data.groups, settings.self_paths, settings.homes, settings.groups)
        self._places = Places(settings.project, settings.extra, self._groups)
        self._hosts = Hosts(
            data.hosts,
            settings.self_ports,
            settings.self_hosts,
            project=settings.project_hosts,
            registries=settings.registries,
        )
        models = data.commands.extended(settings.commands) if settings.commands else data.commands
        self._commands = ShellCommands(models, self._hosts, settings.refs)
        self._mcp = McpCalls(
            McpModels(data.mcp, settings.mcp_servers), self._hosts, ArgumentCommands(self._commands)
        )

    def analyse(self, event: HookEvent, remembered: Remembered = NOTHING_REMEMBERED) -> Analysis:
        """What the call would do. Total: what has no known shape yields no operation and stays unknown."""
        place = self._places.of(event)
        return self._analysis(event, place, Findings(self._groups, place, remembered))

    def analyse_now(self, event: HookEvent, remembered: Remembered) -> Analysis | None:
        """The same, or None where a command of the call needs too much work for the loop that answers others."""
        place = self._places.of(event)
        findings = Findings(self._groups, place, remembered)
        findings.effort = "inline"
        found = self._analysis(event, place, findings)
        return None if findings.deferred else found

    def cut_short(self, event: HookEvent, remembered: Remembered, reason: str) -> Analysis:
        """What is known of a call whose command could not be analysed: `reason` is the limit that was hit."""
        place = self._places.of(event)
        findings = Findings(self._groups, place, remembered)
        findings.effort, findings.reason = "none", reason
        return self._analysis(event, place, findings)

    @property
    def kept(self) -> TraceMemo:
        """The analyses of commands that are kept, with their counts."""
        return self._commands.kept

    def _analysis(self, event: HookEvent, place: Place, findings: Findings) -> Analysis:
        project = place.project
        shell = self._operations(event, place, findings)
        everything = findings.all()
        left = findings.left
        if event.tool and event.tool not in self._tools.shells:
            left = [*left, *left_by(self._tools.leaves.get(event.tool), event.tool_input, everything)]
        operations, truncated = worst_first(everything)
        certain = _union(everything, "groups")
        may = _union(everything, "groups_may")
        return Analysis(
            operations=operations,
            truncated=truncated,
            groups=certain,
            groups_may=tuple(name for name in may if name not in certain) if may else (),
            hosts=tuple(dict.fromkeys([item.attr["host"] for item in everything if item.kind == "host"])),
            shell=shell if shell is not None else _opaque() if findings.shell else None,
            limits_hit=tuple(findings.limits),
            known_tool=not event.tool or event.tool in self._known or event.mcp_server is not None,
            project_dir=project.directory,
            project=project.found_by,
            home=project.home,
            flags=(*project.flags, *findings.flags),
            left=tuple(left),
            consulted=tuple(findings.consulted),
        )

    def _operations(self, event: HookEvent, place: Place, findings: Findings) -> dict[str, Any] | None:
        """Find the operations of a call; the value is `R.attr.shell` where a command was analysed."""
        tool, given, tools = event.tool, event.tool_input, self._tools
        if event.mcp_server is not None:
            return self._mcp.call(event, place, findings)
        if event.event == "ConfigChange":
            path, source = event.payload.get("file_path"), event.payload.get("source")
            if isinstance(path, str) and not (
                isinstance(source, str) and source not in tools.settings_sources
            ):
                findings.file(path, ("write",), "path", via="config_change")
            return None
        if tool and tool not in self._known:
            return self._mcp.unknown(event, place, findings)
        for row in tools.files.get(tool, ()):
            self._file(row, given, findings)
        if tool in tools.urls:
            url_row = tools.urls[tool]
            holder = given.get(url_row.within) if url_row.within else given
            if isinstance(holder, Mapping):
                self._url(holder.get(url_row.field), url_row.action, findings)
        if tool in tools.shells:
            command = given.get(tools.shells[tool])
            if isinstance(command, str):
                dialect = tools.dialects.get(tool, "")
                return self._commands.call(command, event, place, findings, dialect=dialect)
            findings.shell = command is not None
        elif tool in tools.hosts:
            host_row = tools.hosts[tool]
            findings.add(Operation("host", host_row.action, host_row.id, _service(host_row.id)))
        elif tool in tools.subagents:
            subagent_row = tools.subagents[tool]
            kind = given.get(subagent_row.type)
            name = kind if isinstance(kind, str) and kind else subagent_row.default
            findings.add(Operation("subagent", "spawn", name, _subagent(name, event.permission_mode)))
        elif tool in tools.resources:
            resource_row = tools.resources[tool]
            self._mcp.resource(event, given.get(resource_row.server), given.get(resource_row.uri), findings)
        return None

    def _file(self, row: FileRow, given: Mapping[str, Any], findings: Findings) -> None:
        text = given.get(row.path)
        if not isinstance(text, str) or not text:
            if row.default != "cwd":
                return
            text = "."
        shape: Shape = row.shape
        within = given.get(row.within) if row.within else None
        if isinstance(within, str) and within:
            # A pattern that is absolute itself ignores the directory; so do the drive and home spellings.
            text = text if text.startswith(("/", "~")) else f"{within.rstrip('/') or '/'}/{text}"
        narrow = given.get(row.narrow) if row.narrow else None
        if isinstance(narrow, str) and narrow.strip():
            self._narrowed(row, text, narrow, findings)
            return
        findings.file(text, row.actions, shape, via="tool")

    @staticmethod
    def _narrowed(row: FileRow, directory: str, globs: str, findings: Findings) -> None:
        """A search in a tree that reads only what globs name: the tree is listed, the globs are read."""
        findings.file(
            directory, [action for action in row.actions if action == "list"], row.shape, via="tool"
        )
        reads = [action for action in row.actions if action != "list"]
        wanted, _ = listed(globs)
        base = directory.rstrip("/")
        for glob in wanted:
            plain = glob.lstrip("/")
            # A glob without a slash holds at any depth (gitignore), one with a slash from the directory on.
            pattern = f"{base}/{plain}" if "/" in glob.rstrip("/") else f"{base}/**/{plain}"
            findings.file(pattern, reads, "glob", via="tool")
        if wanted:
            # A file named directly is searched whatever the globs say.
            findings.guarded_file(directory, reads, via="tool")
        else:
            findings.file(directory, reads, row.shape, via="tool")

    def _url(self, url: object, action: str, findings: Findings) -> None:
        if not isinstance(url, str) or not url:
            return
        if url.lstrip()[:5].lower() == "file:":
            findings.file(url, ("read",), "path", via="tool")
            return
        for at, host in enumerate(self._hosts.of_url(url)):
            findings.host(host, action, via="tool", certain=at == 0)


def _opaque() -> dict[str, Any]:
    """Shell facts of a command among other arguments, whose text is not analysed: nothing tells what it does."""
    return {
        "analyzer": "",
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


def _subagent(name: str, mode: str) -> dict[str, Any]:
    return {"type": name, "governed": True, "mode": mode, "via": "tool", "certain": True}


def _service(name: str) -> dict[str, Any]:
    return {
        "host": name,
        "port": 0,
        "scheme": "",
        "groups": ["public"],
        "sources": [],
        "source_groups": [],
        "source_groups_may": [],
        "runs": False,
        "sources_outside": False,
        "via": "tool",
        "certain": True,
    }


def _union(operations: Sequence[Operation], name: str) -> tuple[str, ...]:
    if len(operations) == 1:
        return tuple(operations[0].attr.get(name, ()))
    return tuple(dict.fromkeys([group for item in operations for group in item.attr.get(name, ())]))
