"""What is known of MCP servers: the roles of their tools' arguments, and how the arguments of others are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources

import msgspec
import yaml
from msgspec import Struct

from gateway.facts.groups import Shape

TEXT = "text"
COMMAND_ROLES = frozenset(
    {"command", "code", "code:python", "code:node", "code:ruby", "code:perl", "code:php"}
)
"""Roles of texts that run: a shell's, or a program's in a language one knows or does not."""
_WORDS = re.compile(r"[A-Za-z][a-z]*|[A-Z]+(?![a-z])")
_AFFIXES = re.compile(r"^(?:mcp-server-|server-|mcp-)|(?:-mcp-server|-server|-mcp)$")
_APART = re.compile(r"[^a-z0-9]+")


class PathRole(Struct, frozen=True, forbid_unknown_fields=True):
    """A role of an argument that names files."""

    actions: tuple[str, ...]
    shape: Shape = "path"


class ServerModel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One server. `others`: the role of every argument of tools that are not listed, "" when those tools are unknown."""

    also: tuple[str, ...] = ()
    """Further names under which people configure it."""
    sources: tuple[str, ...] = ()
    """Sources that count as the person's own for this server, beside the trusted ones."""
    others: str = ""
    contacts: tuple[str, ...] = ()
    """Hosts that every one of its tools contacts."""
    changes: Mapping[str, tuple[str, ...]] = {}
    """Tool to the files it changes beside its arguments: what guards the server itself."""
    tools: Mapping[str, Mapping[str, str]] = {}
    """Tool to argument to role."""


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    """Words in a tool's name and what they make of a path among its arguments."""

    words: frozenset[str]
    actions: tuple[str, ...]


class Fields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names of arguments that tell what their values are."""

    path: frozenset[str]
    path_endings: tuple[str, ...]
    url: frozenset[str]
    host: frozenset[str]
    command: frozenset[str]
    code: frozenset[str]

    def runs(self, name: str) -> str | None:
        """The language of an argument that is run, "" for a shell, `code` for one nobody names; None: it is not run."""
        name = name.lower()
        return "" if name in self.command else "code" if name in self.code else None


class McpData(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data file."""

    sources: Mapping[str, str]
    trusted: frozenset[str]
    roles: Mapping[str, PathRole]
    fields: Fields
    verbs: tuple[Words, ...]
    servers: Mapping[str, ServerModel]

    @property
    def all_roles(self) -> frozenset[str]:
        """Every role an argument can have."""
        return frozenset({*self.roles, TEXT, "url", "host", *COMMAND_ROLES})

    def source(self, said: str) -> str:
        """Where a server's definition came from: `managed`, `user`, `project`, or `unknown`."""
        return self.sources.get(said, "unknown")

    def actions(self, tool: str) -> tuple[str, ...]:
        """What a tool does to a path that its model does not speak about, by the words of its name."""
        words = {word.lower() for word in _WORDS.findall(tool.replace("_", " "))}
        for verb in self.verbs:
            if words & verb.words:
                return verb.actions
        return ("read",)


class McpModels:
    """Server models found by the name people gave a server. The name decides roles only, never trust."""

    def __init__(self, data: McpData, further: Mapping[str, ServerModel] | None = None) -> None:
        self.data = data
        self._models: dict[str, ServerModel] = {}
        for name, model in {**data.servers, **(further or {})}.items():
            for spelling in (name, *model.also):
                self._models[_plain(spelling)] = model

    def of(self, server: str) -> ServerModel | None:
        """The model of a server, None for one nobody described."""
        plain = _plain(server)
        return self._models.get(plain) or self._models.get(_AFFIXES.sub("", plain))

    def trusts(self, model: ServerModel | None, source: str, said: str) -> bool:
        """Whether a server of this source is the one the model describes: a repository can call its own by any name."""
        return source in self.data.trusted or (model is not None and said in model.sources)


def mcp_data() -> McpData:
    """The shipped data file."""
    text = resources.files("gateway.facts").joinpath("mcp.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), McpData)


def _plain(name: str) -> str:
    return _APART.sub("-", name.lower()).strip("-")
