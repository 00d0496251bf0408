"""Settings that connect an agent to the gateway: what is asked for, what comes out, and what is found in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, get_args

from msgspec import Struct

Stage = Literal["observe", "enforce", "lockdown"]
"""How far a roll-out went; each stage holds what the ones before it hold."""
STAGES: tuple[Stage, ...] = get_args(Stage)
SettingsFormat = Literal["json", "plist", "registry"]
FORMATS: tuple[SettingsFormat, ...] = get_args(SettingsFormat)
Tier = Literal["managed", "user", "project", "local"]
"""Who wrote a settings file; the agent lets earlier ones win."""


class SettingsRequest(Struct, frozen=True, kw_only=True):
    """What the settings are to do. Texts are taken literally; nothing in them is interpreted by a shell."""

    stage: Stage = "observe"
    format: SettingsFormat = "json"
    url: str
    """Where hooks are posted."""
    seconds: int = 5
    """How long the agent waits for an answer; longer than the gateway's own deadline."""
    token: bool = False
    """Whether hooks send the bearer token of `$OSTIARY_TOKEN`."""
    token_file: str = ""
    """A file with the whole `Authorization` header, for hooks that are commands; empty: the system's usual place."""
    curl: str = ""
    no_proxy: tuple[str, ...] = ()
    proxy: str = ""
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    model_url: str = ""
    allow_mcp: tuple[str, ...] = ()
    allow_marketplace: tuple[str, ...] = ()
    keep_permissions: bool = False
    keep_skill_shell: bool = False
    keep_readable: tuple[str, ...] = ()
    """Rules of `permissions.deny` to leave out."""


class KeyNote(Struct, frozen=True, kw_only=True):
    """Keys of the settings with one purpose: what they close and what developers lose by it."""

    keys: tuple[str, ...]
    closes: str
    costs: str


class Target(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an operating system's client reads settings that its user cannot change."""

    system: str
    format: SettingsFormat
    path: str
    drop_in: str
    managed: str = ""
    curl: str
    token_file: str


class AgentSettings(Struct, frozen=True, kw_only=True):
    """A settings document, what its keys do, what the next stages would add, and what to be careful about."""

    document: Mapping[str, Any]
    keys: tuple[KeyNote, ...]
    later: Mapping[Stage, tuple[str, ...]]
    warnings: tuple[str, ...]
    targets: tuple[Target, ...]
    token_file: str = ""


class SettingsFile(Struct, frozen=True, kw_only=True):
    """One settings file as it was found. `content` is None where it cannot be read."""

    tier: Tier
    path: str
    content: bytes | None


class HookInForce(Struct, frozen=True, kw_only=True):
    """One hook that reaches the gateway: for which event, from which file, and whether its failure stops anything."""

    event: str
    tier: Tier
    path: str
    url: str
    blocks: bool
    command: bool
    seconds: float


class InForce(Struct, frozen=True, kw_only=True):
    """What the settings files of an agent amount to. `problems` are sentences, each with what to do."""

    hooks: tuple[HookInForce, ...]
    missing: tuple[str, ...]
    """Events that should be posted and are not."""
    problems: tuple[tuple[str, str], ...]
    minimum_version: str
    managed: bool
    """Whether any managed file exists."""


class SettingsGenerator(Protocol):
    """Knows the settings of one agent. Pure: files are read and written by the caller."""

    @property
    def agent(self) -> str:
        """The agent's id."""
        ...

    @property
    def minimum_version(self) -> str:
        """The oldest client that stops when a hook fails."""
        ...

    @property
    def targets(self) -> tuple[Target, ...]:
        """Where managed settings are read from."""
        ...

    def managed(self, request: SettingsRequest) -> AgentSettings:
        """Settings for a roll-out. Raises ConfigError for a request that cannot be met."""
        ...

    def project(self, request: SettingsRequest) -> Mapping[str, Any]:
        """Settings to merge into one project's, its first key saying that they are advisory. Raises ConfigError."""
        ...

    def merge(self, existing: bytes | None, added: Mapping[str, Any]) -> str:
        """A project's settings (None where it has none) with ours in them and nothing of its own lost. Raises ConfigError."""
        ...

    def encode(self, document: Mapping[str, Any], to: SettingsFormat) -> str:
        """The document as text of a format."""
        ...

    def in_force(self, files: Sequence[SettingsFile], url: str) -> InForce:
        """What settings files amount to for hooks that are posted to `url`; `files` in the order they win."""
        ...
