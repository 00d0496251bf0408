"""The configuration as values: one struct a section, defaults that make zero configuration work.

Sources and precedence stand in `gateway.configuration.sources`. Every key is documented in docs/configuration.md; a test compares.
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
from gateway.facts.refs import DEPLOYS, PROTECTED

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
    """Where its HTTP API is."""
    timeout_ms: Milliseconds = 2000
    """Longest time one question may take; after it the PDP counts as unavailable."""
    connections: Annotated[int, Meta(ge=1, le=1024)] = 32
    """Connections kept open to it."""
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
    contacts: tuple[str, ...] = ()
    """Hosts that every one of its tools contacts."""
    changes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Tool to the files it changes beside its arguments, such as the server's own configuration."""
    tools: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Tool to argument to role: `text`, `read`, `write`, `edit`, `delete`, `list`, `url`, `host`, `command`, ..."""


class GitSection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Branches that matter, as patterns of their names."""

    protected: tuple[str, ...] = PROTECTED
    """Branches nobody pushes to without being asked. A list replaces the shipped one."""
    deploys: tuple[str, ...] = DEPLOYS
    """Branches whose push deploys. A list replaces the shipped one."""


class FactsSection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the operator knows of this site, for telling what a call would do."""

    homes: tuple[str, ...] = ()
    """Where homes are beside the usual places, as patterns: `/data/people/*`."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Path group to patterns that are added to it: `secrets: ["/srv/keys/**"]`. Groups of your own are called `site_NAME`."""
    commands: Mapping[str, Any] = field(default_factory=dict)
    """Program to its model (docs/command-model.md). What it says of a program with a shipped model is added to that one."""
    git: GitSection = GitSection()
    registries: tuple[str, ...] = ()
    """Hosts of package registries (`*.example.com` for all below) that an install may name: any other is asked about."""
    project_hosts: tuple[str, ...] = ()
    """Hosts that are the project's own (`*.example.com` for all below): policies see them in the group `project`."""
    mcp: Mapping[str, McpServerSection] = field(default_factory=dict)
    """MCP servers by the name they are configured under. A server described here is known and no longer asked about."""
    resolve_symlinks: bool = False
    """Look every path up on this machine's disk, and judge where its links lead as well. Only where agents share that disk."""


class Token(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"credential_class": "class"}
):
    """One credential. Only its hash is kept: `ostiary token new` prints both."""

    hash: str
    """`sha256:` and 64 hex digits."""
    user: str
    """Whose it is: the principal's id in policies and records."""
    roles: tuple[str, ...] = ()
    """The principal's roles in policies."""
    attr: Mapping[str, Any] = field(default_factory=dict)
    """What policies see as `P.attr`: team, department, …"""
    credential_class: CredentialClass = "agent"
    """What it opens: `agent` its hooks, `application` the Cerbos API, `viewer` own records, `auditor` all, `operator` all."""
    agents: tuple[str, ...] = ()
    """Agent ids (globs) the credential may be used for; empty: every one."""
    expires: str = ""
    """ISO 8601 time after which it is refused."""


class DefaultPrincipal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who a loopback caller of the gateway's own user is, while no credential is configured."""

    id: str = "local"
    """His name in policies and records."""
    roles: tuple[str, ...] = ("engineer",)
    """His roles in policies."""
    attr: Mapping[str, Any] = field(default_factory=dict)
    """What policies see as `P.attr`."""


class HeaderIdentity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Identity from `X-Claude-User`, `X-Claude-Roles` and `X-Cerbos-Scope`: anybody can send a header, so off."""

    enabled: bool = False
    """Take these headers from `trusted_peers`."""
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
    """What a tool gets that neither the gateway knows nor a policy speaks about."""


class QuotaSection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much each principal may ask in a minute, 0 for no limit. The default principal has no quota."""

    requests: Annotated[int, Meta(ge=0)] = 6000
    """Calls."""
    bytes: Annotated[int, Meta(ge=0)] = 256 * 1024 * 1024
    """Bytes of calls."""
    anonymous_records: Annotated[int, Meta(ge=0)] = 100
    """Anonymous calls of a minute that get a record each; further ones are counted."""


class SkipPrompt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a policy's `skip_prompt` obligation may answer the agent's own permission prompt."""

    enabled: bool = False
    """Only where policies are trusted to speak for people."""


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
    """The least important lines that are written."""
    log_format: Literal["auto", "json", "console"] = "auto"
    """`auto`: console on a terminal, JSON lines elsewhere."""


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole configuration."""

    version: Literal[1] = 1
    """The version of this file's keys."""
    mode: Mode = "observe"
    """`observe` records what policy would decide and lets everything pass; `enforce` does what policy says."""
    modes: tuple[ModeRule, ...] = ()
    """Exceptions from `mode` by role, agent and event; the first that fits holds, of several roles the strictest."""
    posture: Literal["detect", "held", "advisory"] = "detect"
    """`held` refuses to start where the governed user could change configuration, policies, keys or data."""
    server: Server = Server()
    data_dir: str = ""
    """Where the record and the keys are kept; default `$XDG_STATE_HOME/ostiary`."""
    policies: tuple[str, ...] = ()
    """Further policy directories beside the shipped packs."""
    watch_policies: bool = False
    """Load policies anew once their files changed and then stayed the same for a second. SIGHUP does so in any case."""
    packs: Mapping[str, bool | Literal["local", "backend"]] = field(default_factory=dict)
    """Switches for packs (`git_safety: false`) and single rules (`strict.public_host: true`); `ostiary config packs`.

    `evaluate: local` asks the packs and `policies` in process even if `backend` is a remote PDP; the stricter answer counts.
    """
    backend: Literal["local", "cerbos"] = "local"
    """Who decides: the embedded engine, or a Cerbos PDP."""
    cerbos: Cerbos = Cerbos()
    layers: tuple[str, ...] = ()
    """Scopes that a remote PDP holds beside the packs (`site`, `site.payments`); the local engine knows its own."""
    projects: Projects = Projects()
    facts: FactsSection = FactsSection()
    identity: IdentitySection = IdentitySection()
    failure_policy: Mapping[str, FailureAnswer] = field(default_factory=lambda: dict(FAILURE_DEFAULTS))
    """In enforce, what a call gets when it could not be decided or recorded, by cause (docs/failure-modes.md)."""
    no_policy: NoPolicy = NoPolicy()
    quota: QuotaSection = QuotaSection()
    skip_prompt: SkipPrompt = SkipPrompt()
    messages: Messages = Messages()
    audit: Audit = Audit()
    check: CheckSection = CheckSection()
    telemetry: TelemetrySection = TelemetrySection()
