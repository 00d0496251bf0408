"""Example operations of a test, each with every attribute the gateway sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from gateway.domain.vocabulary import VOCABULARY


class Example(Struct, frozen=True, kw_only=True):
    """A resource of a test."""

    identifier: str
    attr: Mapping[str, Any]


def file_example(path: str, *, in_project: bool = True, groups: list[str] | None = None) -> Example:
    """A file operation with every attribute."""
    name = path.rpartition("/")[2]
    return Example(
        identifier=path,
        attr={
            "path": path,
            "shape": "path",
            "name": name,
            "ext": name.rpartition(".")[2] if "." in name[1:] else "",
            "groups": groups or [],
            "groups_may": [],
            "in_project": in_project,
            "may_leave_project": not in_project,
            "resolved": False,
        },
    )


def command_example(argv: list[str]) -> Example:
    """A command operation."""
    return Example(
        identifier=argv[0],
        attr={
            "name": argv[0],
            "argv": argv,
            "wrappers": [],
            "privileged": False,
            "known": True,
            "indirect": False,
            "traits": [],
            "agent_written": False,
        },
    )


def host_example(host: str, groups: list[str] | None = None) -> Example:
    """A host operation."""
    return Example(
        identifier=host,
        attr={
            "host": host,
            "port": 443,
            "scheme": "https",
            "groups": groups if groups is not None else ["public"],
            "sources": [],
            "source_groups": [],
            "source_groups_may": [],
            "runs": False,
            "sources_outside": False,
        },
    )


def git_example(ref: str, *, groups: list[str] | None = None, force: bool = False) -> Example:
    """A git operation on one ref."""
    return Example(
        identifier="origin",
        attr={
            "remote": "origin",
            "refs": [ref],
            "default_ref": False,
            "groups": groups or [],
            "force": force,
            "delete": False,
            "discards": False,
        },
    )


def package_example(name: str) -> Example:
    """A package operation."""
    return Example(identifier="npm", attr={"manager": "npm", "names": [name], "source": ""})


def mcp_example(server: str, tool: str) -> Example:
    """A call of an MCP tool."""
    return Example(
        identifier=f"{server}/{tool}",
        attr={"server": server, "tool": tool, "source": "managed", "known": True, "input": {}},
    )


def subagent_example(name: str) -> Example:
    """The start of a sub-agent."""
    return Example(identifier=name, attr={"type": name, "governed": True, "mode": "default"})


def operation_attributes(example: Example) -> dict[str, Any]:
    """The attributes of an example with what the gateway adds to every operation."""
    return {
        "v": VOCABULARY,
        "agent": "claude-code",
        "rules_off": [],
        **example.attr,
        "via": "tool",
        "certain": True,
    }
