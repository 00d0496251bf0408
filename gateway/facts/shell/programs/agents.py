"""Starting another coding agent: its calls come through no hook of this session.

The names stand in `agents.yaml`; runners of packages (`npx`, `uvx`), `python -m`, scripts and containers come here too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

import msgspec
import yaml
from msgspec import Struct

from gateway.facts.shell.effects import Agent, Effect, Touch
from gateway.facts.shell.models import Invocation, Model
from gateway.facts.shell.values import Field

_VERSION: Final = re.compile(r"(?:@|==|>=|~=|-)?v?[0-9][0-9A-Za-z.+-]*\Z|@[a-z]+\Z|\[[a-z,]*\]\Z")
_GENERIC: Final = "cli"
"""The last part of many packages' names (`@angular/cli`), which says nothing of what they are."""
_IMAGE: Final = re.compile(r"(?:.*/)?(?P<name>[^/:@]+)(?::[^/@]*)?(?:@.*)?\Z")


class Start(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one agent is started."""

    programs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    starts: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()


class Agents(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data file. `harmless` first words start nothing; `changes` are words of `mcp` and `config` that change settings."""

    harmless: frozenset[str]
    changes: frozenset[str]
    agents: Mapping[str, Start]


@cache
def agents() -> Agents:
    """The shipped data file."""
    text = resources.files("gateway.facts.shell").joinpath("agents.yaml").read_text("utf-8")
    return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), Agents)


@cache
def agent_programs() -> Mapping[str, str]:
    """Names under which an agent runs, those of its packages among them, to the agent."""
    return {
        name.rpartition("/")[2]: agent
        for agent, start in agents().agents.items()
        for name in (*start.packages, *start.programs)
        if name.rpartition("/")[2] != _GENERIC
    }


def package_program(package: str) -> str:
    """The program that a package of npm, named as for `npx` (`@scope/name@1.2`), brings along."""
    scope, separator, name = package.removeprefix("@").rpartition("/")
    name = name.partition("@")[0]
    if name == _GENERIC and separator and package.startswith("@"):
        full = f"@{scope}/{name}"
        return next((start.programs[0] for start in agents().agents.values() if full in start.packages), name)
    return name


def agent(invocation: Invocation, model: Model) -> list[Effect]:
    """`claude`, `codex`, …: only their first word can make them harmless, whatever else stands in a prompt."""
    del model
    data = agents()
    kind = agent_programs().get(invocation.name.removesuffix(".exe"), "") or agent_named(invocation.name)
    start = data.agents.get(kind, Start())
    words = [field.text for field in invocation.argv]
    if words and (words[0] in start.others or (start.starts and words[0] not in start.starts)):
        return []
    if words[:1] in (["mcp"], ["config"]) and "serve" not in words[1:2]:
        if not data.changes.intersection(words[1:2]):
            return []
        return [Touch(action="write", path=Field(_in_some_home(path))) for path in start.settings]
    if (words[:1] and words[0] in data.harmless) or words == ["-v"]:
        return []
    return [Agent(type=kind or invocation.name)]


def _in_some_home(path: str) -> str:
    """A path under `~` as one under a home nobody named, which is guarded like every other."""
    return f"/home/{path}" if path.startswith("~/") else path


def agent_named(name: str) -> str:
    """The agent that a program or package of a name with its version starts, "" for none."""
    plain = name.rpartition("/")[2].lower().removesuffix(".exe")
    found = agent_programs()
    return found.get(plain, "") or found.get(_VERSION.sub("", plain), "")


def agent_module(module: str) -> str:
    """The agent that `python -m` of a module starts, "" for none."""
    base = module.partition(".")[0]
    return next((name for name, start in agents().agents.items() if base in start.modules), "")


def agent_image(image: str) -> str:
    """The agent in a container image, "" for none."""
    found = _IMAGE.match(image)
    last = found["name"].lower() if found else ""
    return next((name for name, start in agents().agents.items() if last in start.images), "")


def agent_script(path: str) -> str:
    """The agent whose own script a path is (`node_modules/@scope/name/cli.js`), "" for none."""
    return next(
        (
            name
            for name, start in agents().agents.items()
            if any(f"/{package}/" in f"/{path}" for package in start.packages if "/" in package)
            or any(f"site-packages/{module}/" in path for module in start.modules)
        ),
        "",
    )
