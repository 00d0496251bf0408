"""The tool table: which field of which tool names what it touches."""

from __future__ import annotations

from importlib import resources
from typing import Literal

import msgspec
import yaml
from msgspec import Struct

from gateway.facts.groups import Shape
from gateway.facts.left import LeavesRow


class FileRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One path-bearing field of a tool."""

    path: str
    actions: tuple[str, ...]
    shape: Shape
    default: Literal["", "cwd"] = ""
    within: str = ""
    """Field with the directory of a relative pattern."""
    narrow: str = ""
    """Field with globs that narrow what is read in a tree."""


class UrlRow(Struct, frozen=True, forbid_unknown_fields=True):
    """A URL-bearing field; `within` names the field whose object holds it."""

    field: str
    action: str
    within: str = ""


class HostRow(Struct, frozen=True, forbid_unknown_fields=True):
    """A tool that always contacts the same thing."""

    id: str
    action: str


class SubagentRow(Struct, frozen=True, forbid_unknown_fields=True):
    """A tool that starts a sub-agent."""

    type: str
    default: str


class ResourceRow(Struct, frozen=True, forbid_unknown_fields=True):
    """A tool that reads a resource of an MCP server."""

    server: str
    uri: str


class ToolData(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole table."""

    files: dict[str, tuple[FileRow, ...]]
    leaves: dict[str, LeavesRow]
    urls: dict[str, UrlRow]
    hosts: dict[str, HostRow]
    subagents: dict[str, SubagentRow]
    resources: dict[str, ResourceRow]
    shells: dict[str, str]
    dialects: dict[str, str]
    harmless: frozenset[str]
    settings_sources: frozenset[str]

    @property
    def known(self) -> frozenset[str]:
        """Every tool of the table."""
        tables = (self.files, self.urls, self.hosts, self.subagents, self.resources, self.shells)
        return self.harmless.union(*tables)


def tool_data() -> ToolData:
    """The shipped table."""
    text = resources.files("gateway.facts").joinpath("tools.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), ToolData)
