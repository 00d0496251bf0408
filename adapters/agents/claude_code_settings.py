"""The settings of Claude Code that connect it to the gateway, in the stages of a roll-out. Pure: bytes are the caller's.

What each stage holds, closes and costs stands in claude_code_settings.yaml; here it is put together.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any, Literal

import msgspec
import yaml
from msgspec import Struct

from adapters.agents import settings_formats
from adapters.agents.claude_code import AGENT
from adapters.agents.claude_code_in_force import in_force
from adapters.agents.claude_code_project import merged_text
from adapters.agents.hook_url import check_path, check_text, check_url, host_of, origin_of
from gateway.domain.agent_settings import (
    STAGES,
    AgentSettings,
    InForce,
    KeyNote,
    SettingsFile,
    SettingsFormat,
    SettingsRequest,
    Stage,
    Target,
)
from gateway.errors import ConfigError

TOKEN_VARIABLE = "OSTIARY_TOKEN"  # noqa: S105 - the name of a variable, not a token
ADVISORY_KEY = "_ostiary"
ADVISORY = (
    "Advisory: added by `ostiary try` to show what Ostiary sees. Whoever edits this file, the agent included, ends it; "
    "`ostiary try --undo` restores what was here. `ostiary agent-settings` makes settings that hold."
)
NOTICE_HEADER = "X-Ostiary-Notice: session"
_SERVER_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/(?:[A-Za-z0-9_.-]+|\*)\Z")


class EventRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one event is sent."""

    sent: Literal["http", "command"]
    stops: bool = False
    seconds: int = 0


class Pin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"source": "from"}):
    """Variables of the client's environment that get one value, literal or from a flag."""

    names: tuple[str, ...]
    stage: Stage
    value: str = ""
    source: str = ""
    closes: str
    costs: str


class KeyRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key. `keep` names the flag that leaves it out."""

    name: str
    stage: Stage
    keep: str = ""
    closes: str
    costs: str


class SettingsData(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data file."""

    minimum_version: str
    tested_version: str
    events: dict[str, EventRule]
    claims: dict[str, str]
    pins: tuple[Pin, ...]
    keys: tuple[KeyRule, ...]
    denied_reads: tuple[str, ...]
    targets: tuple[Target, ...]


def settings_data() -> SettingsData:
    """The shipped data."""
    text = resources.files(__package__).joinpath("claude_code_settings.yaml").read_text("utf-8")
    return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), SettingsData)


class ClaudeCodeSettings:
    """Implements `SettingsGenerator` for Claude Code."""

    agent = AGENT

    def __init__(self, data: SettingsData) -> None:
        self._data = data

    @property
    def minimum_version(self) -> str:
        """The oldest client that knows `onFailure`."""
        return self._data.minimum_version

    @property
    def targets(self) -> tuple[Target, ...]:
        """Where managed settings are read from."""
        return self._data.targets

    def managed(self, request: SettingsRequest) -> AgentSettings:
        """Settings for a roll-out. Raises ConfigError for a request that cannot be met."""
        request = self._checked(request)
        pins, keys = tuple(self._pins(request)), tuple(self._keys(request))
        names = {key.name for key in keys}
        available: dict[str, Any] = {
            "requiredMinimumVersion": self._data.minimum_version,
            "allowManagedHooksOnly": True,
            "allowManagedPermissionRulesOnly": True,
            "allowManagedMcpServersOnly": True,
            "allowedMcpServers": [_server(text) for text in request.allow_mcp],
            "strictKnownMarketplaces": [_marketplace(text) for text in request.allow_marketplace],
            "disableSkillShellExecution": True,
            "allowedHttpHookUrls": [f"{origin_of(request.url)}/*"],
            "httpHookAllowedEnvVars": self._variables(request),
        }
        document = {name: value for name, value in available.items() if name in names}
        document["env"] = {name: _pinned(pin, request) for pin in pins for name in pin.names}
        permissions: dict[str, Any] = {}
        if "permissions.disableBypassPermissionsMode" in names:
            permissions["disableBypassPermissionsMode"] = "disable"
        if "permissions.deny" in names:
            permissions["deny"] = [
                rule for rule in self._data.denied_reads if rule not in request.keep_readable
            ]
        if permissions:
            document["permissions"] = permissions
        document["hooks"] = self._hooks(request)
        notes = [KeyNote(keys=(key.name,), closes=key.closes, costs=key.costs) for key in keys]
        notes += [
            KeyNote(keys=tuple(f"env.{name}" for name in pin.names), closes=pin.closes, costs=pin.costs)
            for pin in pins
        ]
        return AgentSettings(
            document=document,
            keys=tuple(notes),
            later=self._later(request),
            warnings=tuple(_warnings(request)),
            targets=self._data.targets,
            token_file=request.token_file if request.token else "",
        )

    def project(self, request: SettingsRequest) -> Mapping[str, Any]:
        """Hooks for one project's settings, in observe: nothing is pinned, nothing is taken away."""
        request = self._checked(msgspec.structs.replace(request, stage="observe", format="json"))
        return {ADVISORY_KEY: ADVISORY, "hooks": self._hooks(request)}

    def merge(self, existing: bytes | None, added: Mapping[str, Any]) -> str:
        """A project's settings with ours in them and nothing of its own lost. Raises ConfigError."""
        return merged_text(existing, added)

    def encode(self, document: Mapping[str, Any], to: SettingsFormat) -> str:
        """The document as text of a format."""
        return settings_formats.encode(document, to)

    def in_force(self, files: Sequence[SettingsFile], url: str) -> InForce:
        """What settings files amount to for hooks that are posted to `url`."""
        return in_force(files, url, tuple(self._data.events), tuple(self._data.claims.values()))

    def _checked(self, request: SettingsRequest) -> SettingsRequest:
        """The request with its defaults filled in and every text looked at."""
        target = next(target for target in self._data.targets if target.format == request.format)
        for name in ("proxy", "model_url"):
            check_text(getattr(request, name), f"--{name.replace('_', '-')}")
        for name in ("ca_file", "client_cert", "client_key"):
            if getattr(request, name):
                check_path(getattr(request, name), f"--{name.replace('_', '-')}")
        for host in request.no_proxy:
            check_text(host, "--no-proxy")
        unknown = set(request.keep_readable) - set(self._data.denied_reads)
        if unknown:
            raise ConfigError(
                f"--keep-readable: {min(unknown)!r} is no rule of permissions.deny.",
                number=52,
                remedy=f"The rules are {', '.join(self._data.denied_reads)}.",
            )
        token_file = request.token_file or (target.token_file if request.token else "")
        return msgspec.structs.replace(
            request,
            url=check_url(request.url, AGENT),
            curl=check_path(request.curl or target.curl, "--curl"),
            token_file=check_path(token_file, "--token-file") if token_file else "",
        )

    def _hooks(self, request: SettingsRequest) -> dict[str, Any]:
        headers = {header: f"${variable}" for header, variable in self._data.claims.items()}
        if request.token:
            headers["Authorization"] = f"Bearer ${TOKEN_VARIABLE}"
        blocks = request.stage != "observe"
        found: dict[str, Any] = {}
        for event, rule in self._data.events.items():
            seconds = rule.seconds or request.seconds
            hook: dict[str, Any]
            if rule.sent == "command":
                hook = {"type": "command", "timeout": seconds, "command": self._line(request, seconds - 1)}
            else:
                hook = {"type": "http", "url": request.url, "timeout": seconds}
                if blocks and rule.stops:
                    hook["onFailure"] = "block"
                hook |= {"headers": dict(headers), "allowedEnvVars": self._variables(request)}
            found[event] = [{"hooks": [hook]}]
        return found

    def _line(self, request: SettingsRequest, seconds: int) -> str:
        """The command of the events that take no http hook. It prints the reply, so that the person is told."""
        claims = {header: f"${variable}" for header, variable in self._data.claims.items()}
        return settings_formats.curl_line(
            request.curl,
            request.url,
            headers=("Content-Type: application/json", NOTICE_HEADER),
            claims=claims | {"X-Ostiary-Project-Dir": "${CLAUDE_PROJECT_DIR:-$PWD}"},
            header_file=request.token_file,
            ca_file=request.ca_file,
            seconds=max(seconds, 1),
        )

    def _variables(self, request: SettingsRequest) -> list[str]:
        return [*self._data.claims.values(), *((TOKEN_VARIABLE,) if request.token else ())]

    def _pins(self, request: SettingsRequest) -> Iterator[Pin]:
        """The pins of a stage, and those of later stages that a flag gives a value."""
        for pin in self._data.pins:
            given = pin.source and pin.source != "no_proxy" and getattr(request, pin.source)
            if _reached(request.stage, pin.stage) or given:
                yield pin

    def _keys(self, request: SettingsRequest) -> Iterator[KeyRule]:
        for key in self._data.keys:
            if _reached(request.stage, key.stage) and not (key.keep and getattr(request, key.keep)):
                yield key

    def _later(self, request: SettingsRequest) -> dict[Stage, tuple[str, ...]]:
        """What each stage after this one adds."""
        later: dict[Stage, tuple[str, ...]] = {}
        for stage in STAGES:
            if not _reached(request.stage, stage):
                keys = [key.name for key in self._data.keys if key.stage == stage]
                pins = [name for pin in self._data.pins if pin.stage == stage for name in pin.names]
                later[stage] = (*keys, *pins)
        return later


def _reached(now: Stage, wanted: Stage) -> bool:
    return STAGES.index(now) >= STAGES.index(wanted)


def _pinned(pin: Pin, request: SettingsRequest) -> str:
    if pin.source == "no_proxy":
        return ",".join(dict.fromkeys((host_of(request.url), "127.0.0.1", "localhost", *request.no_proxy)))
    return str(getattr(request, pin.source)) if pin.source else pin.value


def _server(text: str) -> dict[str, Any]:
    """An entry of `allowedMcpServers`: a URL pattern, `command:WORDS`, or a name. Raises ConfigError."""
    check_text(text, "--allow-mcp")
    if "://" in text:
        return {"serverUrl": text}
    if text.startswith("command:"):
        try:
            words = shlex.split(text.removeprefix("command:"))
        except ValueError as error:
            words, text = [], f"{text} ({error})"
        if words:
            return {"serverCommand": words}
    elif _SERVER_NAME.match(text):
        return {"serverName": text}
    raise ConfigError(
        f"--allow-mcp: {text!r} is no server.",
        number=53,
        remedy="Write a URL pattern, 'command:npx -y PACKAGE', or a name of letters, digits, - and _.",
    )


def _marketplace(text: str) -> dict[str, Any]:
    """An entry of `strictKnownMarketplaces`: `owner/repo`, `owner/*`, a git URL, a URL, `npm:PACKAGE`. Raises ConfigError."""
    check_text(text, "--allow-marketplace")
    if text.startswith("npm:") and len(text) > len("npm:"):
        return {"source": "npm", "package": text.removeprefix("npm:")}
    if "://" in text or text.startswith("git@"):
        return {"source": "git" if text.endswith(".git") else "url", "url": text}
    if _REPOSITORY.match(text):
        return {"source": "github", "repo": text}
    raise ConfigError(
        f"--allow-marketplace: {text!r} is no marketplace.",
        number=54,
        remedy="Write owner/repo, owner/*, a URL, or npm:PACKAGE.",
    )


def _warnings(request: SettingsRequest) -> Iterator[str]:
    names = [text for text in request.allow_mcp if "://" not in text and not text.startswith("command:")]
    if names and request.stage == "lockdown":
        yield (
            f"--allow-mcp {' '.join(names)}: a name proves nothing, a project can give it to any command; "
            "a URL or command:… does."
        )
    if request.url.startswith("http:"):
        yield (
            "Plain http on loopback: whoever takes the port while the gateway is away answers in its place; "
            "docs/threat-model.md says what this means."
        )
    if request.token:
        yield (
            f"The client reads the token from {TOKEN_VARIABLE} in its environment, and the agent can read it there too: "
            "give it a credential of class agent, which opens hooks and nothing else."
        )
