"""The configuration as values: one struct a section, defaults that make zero configuration work.

Sources and precedence stand in `gateway.config_sources`. Every key is documented in docs/configuration.md; a test compares.
No key and no word value is a YAML 1.1 boolean (`on`, `yes`, `no`, `off`), which loaders and charts turn into others.
Unknown keys are refused in every section: a misspelt one must not be silently off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from gateway.domain.modes import ModeRule
from gateway.domain.principal import CredentialClass
from gateway.domain.vocabulary import FAILURE_DEFAULTS, FailureAnswer, Mode

Port = Annotated[int, Meta(ge=1, le=65535)]
Milliseconds = Annotated[int, Meta(ge=1, le=600_000)]


class Server(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Listeners and their limits."""

    listen: str = "127.0.0.1:8787"
    """Where agents post their hooks, `host:port`."""
    admin_listen: str = "127.0.0.1:8788"
    """Where `/metrics`, `/livez` and `/readyz` are."""
    workers: Annotated[int, Meta(ge=1, le=1)] = 1
    """Hooks are served by exactly one process; more than one is refused."""
    hosts: tuple[str, ...] = ()
    """Further names under which clients reach the listeners (`Host` header), beside loopback and the listen address."""
    deadline_ms: Milliseconds = 4000
    """Longest time a hook may take; keep it below the client's own timeout (5 s in the settings we write)."""
    drain_seconds: Annotated[float, Meta(ge=0, le=600)] = 10.0
    """How long a graceful stop waits for calls in flight."""


class Cerbos(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A remote Cerbos PDP, used with `backend: cerbos`."""

    url: str = "http://127.0.0.1:3592"
    timeout_ms: Milliseconds = 2000
    connections: Annotated[int, Meta(ge=1, le=1024)] = 32
    insecure: bool = False
    """Allows plain `http` beyond loopback, where anybody in between could answer ALLOW."""
    revision: str = ""
    """What to call the PDP's policy set; a PDP does not tell. A changed value starts every cache empty."""


class Projects(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which directories count as a project."""

    roots: tuple[str, ...] = ()
    """Only directories under these may be a project; empty: anywhere but `/`, a home or a system directory."""
    default: str = ""
    """The project of a call that names none."""
    extra: tuple[str, ...] = ()
    """Directories outside the project in which agents may work as inside it."""


class McpServerSection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one MCP server's arguments are, for a server that is not described in the shipped table."""

    sources: tuple[str, ...] = ()
    """Where the client may say it is defined (`project`, `dynamic`, ...), beside what only the person writes."""
    others: str = ""
    """Role of every argument of tools not listed in `tools`; unset: those tools are unknown."""
    tools: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Tool to argument to role: `text`, `read`, `write`, `edit`, `delete`, `list`, `url`, `host`, `command`, ..."""


class FactsSection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the operator knows of this site, for telling what a call would do."""

    homes: tuple[str, ...] = ()
    """Where homes are beside the usual places, as patterns: `/data/people/*`."""
    mcp: Mapping[str, McpServerSection] = field(default_factory=dict)
    """MCP servers by the name they are configured under. A server described here is known and no longer asked about."""


class Token(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"credential_class": "class"}
):
    """One credential. Only its hash is kept: `ostiary token new` prints both."""

    hash: str
    user: str
    roles: tuple[str, ...] = ()
    attr: Mapping[str, Any] = field(default_factory=dict)
    credential_class: CredentialClass = "agent"
    agents: tuple[str, ...] = ()
    """Agent ids (globs) the credential may be used for; empty: every one."""
    expires: str = ""
    """ISO 8601 time after which it is refused."""


class DefaultPrincipal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who a loopback caller of the gateway's own user is, while no credential is configured."""

    id: str = "local"
    roles: tuple[str, ...] = ("engineer",)
    attr: Mapping[str, Any] = field(default_factory=dict)


class HeaderIdentity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Identity from `X-Claude-User`, `X-Claude-Roles` and `X-Cerbos-Scope`: anybody can send a header, so off."""

    enabled: bool = False
    trusted_peers: tuple[str, ...] = ()
    """Networks (CIDR) whose word is taken."""


class IdentitySection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may ask."""

    tokens: tuple[Token, ...] = ()
    default: DefaultPrincipal = DefaultPrincipal()
    headers: HeaderIdentity = HeaderIdentity()


class NoPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it means that no policy speaks about something."""

    operation: FailureAnswer | None = None
    """Unset means `pass`; saying `pass` also lets a gateway enforce with a backend that has no policy at all."""
    unknown_tool: FailureAnswer = "ask"


class QuotaSection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much each principal may ask in a minute, 0 for no limit. The default principal has no quota."""

    requests: Annotated[int, Meta(ge=0)] = 6000
    bytes: Annotated[int, Meta(ge=0)] = 256 * 1024 * 1024
    anonymous_records: Annotated[int, Meta(ge=0)] = 100
    """Anonymous calls of a minute that get a record each; further ones are counted."""


class SkipPrompt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a policy's `skip_prompt` obligation may answer the agent's own permission prompt."""

    enabled: bool = False


class Messages(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Texts for people."""

    contact: str = ""
    """Where a stopped person finds help: a URL, a channel, an address."""
    recorded: str = "every tool call, secrets erased; `ostiary why --last` shows one"
    """What is recorded, in words or as a URL: told to the person at the start of a session."""


class Audit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The record."""

    durability: Literal["memory", "os", "disk"] = "os"
    """What has happened before an answer leaves: handed over, write(2) returned, fdatasync returned."""
    segment_bytes: Annotated[int, Meta(ge=65536)] = 64 * 1024 * 1024
    """Size at which a journal file is closed and the next begins."""


DROPPED_ATTRIBUTES = (
    "tool_use_id",
    "prompt_id",
    "transcript_path",
    "tool_input.content",
    "tool_input.new_string",
    "tool_input.old_string",
    "tool_response",
)


class CheckSection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a call becomes a question to the policy backend."""

    kind_prefix: str = ""
    """Put before every resource kind, for a PDP shared with applications."""
    drop_attributes: tuple[str, ...] = DROPPED_ATTRIBUTES
    """Attributes of the call resource that policies do not see; `/ext/claude` drops none."""


class TelemetrySection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Logs of the gateway itself (not the audit)."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"
    """`auto`: console on a terminal, JSON lines elsewhere."""


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole configuration."""

    version: Literal[1] = 1
    mode: Mode = "observe"
    modes: tuple[ModeRule, ...] = ()
    posture: Literal["detect", "held", "advisory"] = "detect"
    """`held` refuses to start where the governed user could change configuration, policies, keys or data."""
    server: Server = Server()
    data_dir: str = ""
    """Default `$XDG_STATE_HOME/ostiary`."""
    policies: tuple[str, ...] = ()
    """Further policy directories beside the shipped packs."""
    packs: Mapping[str, bool] = field(default_factory=dict)
    """`<pack>: false` or `<pack>.<rule>: false` switches rules off by name."""
    backend: Literal["local", "cerbos"] = "local"
    cerbos: Cerbos = Cerbos()
    layers: tuple[str, ...] = ()
    """Scopes that a remote PDP holds beside the packs (`site`, `site.payments`); the local engine knows its own."""
    projects: Projects = Projects()
    facts: FactsSection = FactsSection()
    identity: IdentitySection = IdentitySection()
    failure_policy: Mapping[str, FailureAnswer] = field(default_factory=lambda: dict(FAILURE_DEFAULTS))
    no_policy: NoPolicy = NoPolicy()
    quota: QuotaSection = QuotaSection()
    skip_prompt: SkipPrompt = SkipPrompt()
    messages: Messages = Messages()
    audit: Audit = Audit()
    check: CheckSection = CheckSection()
    telemetry: TelemetrySection = TelemetrySection()
