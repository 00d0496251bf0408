"""What the `facts` section says, checked: command models, path groups, protected refs, registries and MCP servers.

A name that nothing knows would silently mean nothing, so it is refused with the line where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from gateway.config import Config
from gateway.domain.vocabulary import FILE_GROUPS, SITE_GROUP
from gateway.errors import ConfigError
from gateway.facts.hosts import canonical_host
from gateway.facts.mcp_data import McpData, ServerModel
from gateway.facts.refs import ProtectedRefs
from gateway.facts.shell.model_check import as_model, problems_of
from gateway.facts.shell.models import Model, Models

Place = Callable[[str], str]
"""Where a path of the configuration was set: `file:line`, a variable, "" when nobody knows."""

_OWN_GROUP: Final = re.compile(rf"{SITE_GROUP}[a-z0-9][a-z0-9_]*\Z")
_PATTERN: Final = re.compile(r"(?:/|~/|\*\*/)")
_MODEL_PATH: Final = re.compile(r"`\$(?P<path>[^`]*)`")
_UNKNOWN: Final = re.compile(r"unknown field `(?P<name>[^`]+)`")


def check_facts(config: Config, place: Place, mcp: McpData, shipped: Models) -> None:
    """Raises ConfigError for anything in the section that can mean nothing."""
    command_models(config, shipped, place)
    path_groups(config, place)
    mcp_servers(config, mcp, place)
    for section in ("registries", "project_hosts"):
        for number, host in enumerate(getattr(config.facts, section)):
            if canonical_host(host.removeprefix("*.")) == "":
                raise ConfigError(
                    _at(f"{section}[{number}]", f"{host!r} is no host", place),
                    number=74,
                    remedy="Write a name: packages.example.com.",
                )


def command_models(config: Config, shipped: Models, place: Place = lambda _: "") -> dict[str, Model]:
    """The site's command models. Raises ConfigError for one that can mean nothing."""
    found = {name: _model(name, value, place) for name, value in config.facts.commands.items()}
    known = shipped.programs
    for name, problem in problems_of(found, knows=shipped.__contains__, programs=known):
        raise ConfigError(
            _at(f"commands.{name}.{problem.path}", problem.what, place), number=73, remedy=problem.remedy
        )
    return found


def path_groups(config: Config, place: Place = lambda _: "") -> Mapping[str, tuple[str, ...]]:
    """Patterns added to path groups, and groups of the site's own. Raises ConfigError for a group or pattern that is none."""
    for name, patterns in config.facts.groups.items():
        if name not in FILE_GROUPS and not _OWN_GROUP.match(name):
            raise ConfigError(
                _at(f"groups.{name}", "there is no group of this name", place),
                number=74,
                remedy=f"The shipped groups are {', '.join(FILE_GROUPS)}; call your own {SITE_GROUP}NAME.",
            )
        for number, pattern in enumerate(patterns):
            if not _PATTERN.match(pattern) or "\0" in pattern:
                raise ConfigError(
                    _at(f"groups.{name}[{number}]", f"{pattern!r} is no pattern of paths", place),
                    number=74,
                    remedy="Begin it with `/`, with `~/` for any home, or with `**/` for anywhere.",
                )
    return config.facts.groups


def mcp_servers(config: Config, data: McpData, place: Place = lambda _: "") -> dict[str, ServerModel]:
    """Models of the site's MCP servers. Raises ConfigError for a role no argument can have."""
    roles = data.all_roles
    for name, server in config.facts.mcp.items():
        used = {
            f"tools.{tool}.{argument}": role
            for tool, arguments in server.tools.items()
            for argument, role in arguments.items()
        }
        for at, role in [*used.items(), ("others", server.others)]:
            if role and role not in roles:
                raise ConfigError(
                    _at(f"mcp.{name}.{at}", f"there is no role {role!r}", place),
                    number=70,
                    remedy=f"The roles are {', '.join(sorted(roles))}.",
                )
    return {
        name: ServerModel(
            sources=server.sources,
            others=server.others,
            contacts=server.contacts,
            changes=server.changes,
            tools=server.tools,
        )
        for name, server in config.facts.mcp.items()
    }


def protected_refs(config: Config) -> ProtectedRefs:
    """Which branches are protected, and which deploy."""
    return ProtectedRefs(protected=config.facts.git.protected, deploys=config.facts.git.deploys)


def _model(name: str, value: Any, place: Place) -> Model:
    if not isinstance(value, Mapping):
        raise ConfigError(
            _at(f"commands.{name}", "a model is a mapping", place),
            number=73,
            remedy="Write {operands: read}, for one.",
        )
    try:
        return as_model(value)
    except msgspec.ValidationError as error:
        message = str(error)
    at = _MODEL_PATH.search(message)
    path = f"commands.{name}.{at.group('path').replace('[...]', '') if at else ''}".replace("..", ".").strip(
        "."
    )
    unknown = _UNKNOWN.search(message)
    if unknown:
        raise ConfigError(
            _at(f"{path}.{unknown.group('name')}", "there is no such key", place),
            number=73,
            remedy=f"A model's keys are {', '.join(Model.__struct_fields__)}.",
        )
    what = message.partition(" - at `")[0]
    raise ConfigError(_at(path, what, place), number=73, remedy="See docs/command-model.md.")


def _at(path: str, what: str, place: Place) -> str:
    at = place(f"facts.{path}")
    return f"{at}: facts.{path}: {what}." if at else f"facts.{path}: {what}."
