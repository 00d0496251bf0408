"""From the facts of a shell command to operations: the same resources that any other tool would yield.

Design §2.2 and engineering.md 10 and 20 give the kinds and attributes. What a policy reads of the command as a whole is
`R.attr.shell`; what it reads, writes, runs or contacts is operations only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from gateway.domain.operations import Operation
from gateway.facts.gateway_guard import GatewayGuard
from gateway.facts.groups import Shape
from gateway.facts.hosts import Hosts, canonical_host
from gateway.facts.operations import Findings
from gateway.facts.refs import ProtectedRefs
from gateway.facts.shell.analysis import analyzer
from gateway.facts.shell.effects import Package, PathAction
from gateway.facts.shell.report import opaque
from gateway.facts.shell.trace import CommandFact, Trace
from gateway.facts.shell.values import has_glob

_ACTIONS: tuple[PathAction, ...] = ("read", "write", "delete", "list", "execute")
_SOCKET = re.compile(r"/dev/(?:tcp|udp)/(?P<host>[^/*?]+)/(?P<port>[0-9]+)\Z")
"""A path that bash opens as a connection (bash manual, Redirections)."""
_OTHERS = frozenset({"read", "write", "delete", "exec", "net", "git"})


class Site(Struct, frozen=True):
    """What one installation knows of hosts, of branches, and of itself."""

    hosts: Hosts
    refs: ProtectedRefs
    guard: GatewayGuard


def add_shell_operations(
    trace: Trace, findings: Findings, site: Site, *, dialect: str, models: str
) -> dict[str, Any]:
    """Put what a command does among the findings; the value is `R.attr.shell`. `models` is the command model's revision."""
    hosts, refs = site.hosts, site.refs
    for path in trace.worktrees:
        findings.adopt(path)
    for path, certain, actions in _by_path(trace):
        socket = _SOCKET.match(path)
        if socket is not None:
            host = hosts.of_name(socket["host"], int(socket["port"][:6]))
            findings.host(host, "send" if "write" in actions else "connect", via="shell", certain=certain)
            continue
        shape, text = _shape(path)
        findings.file(text, actions, shape, via="shell", certain=certain)
    _add_hosts(trace, findings, hosts)
    aimed = site.guard.aimed(trace.commands)
    for at, fact in enumerate(trace.commands):
        findings.add(_command(fact, trace, own=at in aimed))
        for path in site.guard.paths(fact):
            findings.guarded_file(path, ("read", "write"), via="shell")
    for operation, certain in trace.git.items():
        attr = {
            "remote": operation.remote,
            "refs": list(operation.refs),
            "default_ref": operation.default_ref,
            "groups": list(refs.groups(operation.refs, every=operation.all)),
            "force": operation.force,
            "delete": operation.delete,
            "discards": operation.discards,
            "via": "shell",
            "certain": certain,
        }
        findings.add(Operation("git", operation.sub, operation.remote or "repo", attr))
    for package, certain in trace.packages.items():
        attr = {
            "manager": package.manager,
            "names": list(package.names),
            "source": _package_source(package, hosts),
            "via": "shell",
            "certain": certain,
        }
        findings.add(Operation("package", package.action, package.manager, attr))
    for credential, certain in trace.credentials.items():
        attr = {
            "store": credential.store,
            "names": list(credential.names),
            "all": credential.all,
            "via": "shell",
            "certain": certain,
        }
        findings.add(Operation("credential", "read", credential.store, attr))
    for name in trace.agents:
        attr = {"type": name, "governed": False, "mode": "", "via": "shell", "certain": True}
        findings.add(Operation("subagent", "spawn", name, attr))
    findings.limits.extend(trace.limits)
    return shell_attributes(trace, dialect, models)


def shell_attributes(trace: Trace, dialect: str, models: str) -> dict[str, Any]:
    """`R.attr.shell` (engineering.md 20)."""
    return {
        "analyzer": analyzer(models),
        "parsed": "syntax" not in trace.reasons,
        "opaque": opaque(trace),
        "opaque_reasons": list(trace.reasons),
        "indirect": bool(trace.indirect),
        "inline_code": bool(trace.inline),
        "unknown": {dimension: dimension in trace.unknown for dimension in sorted(_OTHERS)},
        "unknown_commands": sorted(trace.unknown_commands),
        "remote_code": trace.remote_code,
        "env_danger": sorted(trace.environment_danger),
        "limits_hit": list(trace.limits),
        "dialect": dialect,
    }


def _package_source(package: Package, hosts: Hosts) -> str:
    """Where packages come from: an option that names a registry nobody here uses makes it an address like any other."""
    known = all(hosts.is_registry(host) for host in package.registries)
    return package.source if known or package.source != "registry" else "url"


def _by_path(trace: Trace) -> Iterable[tuple[str, bool, list[PathAction]]]:
    """Every path with what is done to it: certain actions apart from possible ones."""
    found: dict[tuple[str, bool], list[PathAction]] = {}
    for action in _ACTIONS:
        for path, certain in trace.paths[action].items():
            found.setdefault((path, certain), []).append(action)
    return [(path, certain, actions) for (path, certain), actions in found.items()]


def _shape(path: str) -> tuple[Shape, str]:
    """A path of the facts as its shape and text: `dir/**` is a tree, special characters make a glob."""
    if path.endswith("/**"):
        base = path[:-3] or "/"
        return ("glob", path) if has_glob(base) else ("tree", base)
    return ("glob" if has_glob(path) else "path"), path


def _add_hosts(trace: Trace, findings: Findings, hosts: Hosts) -> None:
    ports = _ports(trace)
    for name, certain in trace.hosts.items():
        sources = sorted(source for source, host in trace.sends if host == name)
        host = hosts.of_name(name, *ports.get(name, (0, "")))
        action = "send" if sources else "connect"
        findings.host(
            host,
            action,
            via="shell",
            certain=certain,
            sources=sources,
            runs=trace.remote_code and not sources,
        )


def _ports(trace: Trace) -> Mapping[str, tuple[int, str]]:
    """Port and scheme of the hosts that URLs name."""
    found: dict[str, tuple[int, str]] = {}
    for url in trace.urls:
        scheme, separator, rest = url.partition("://")
        authority = (rest if separator else url).partition("/")[0]
        port = authority.rpartition(":")[2]
        name = authority.rpartition(":")[0] if port.isdecimal() else authority
        number = int(port) if port.isdecimal() and len(port) < 6 else 0
        name = name.strip("[]").lower()
        found[canonical_host(name) or name] = (number, scheme.lower() if separator else "")
    return found


def _command(fact: CommandFact, trace: Trace, *, own: bool) -> Operation:
    """A program that runs; `own` when it is aimed at the gateway."""
    attr = {
        "name": fact.name,
        "argv": list(fact.argv[:64]),
        "wrappers": list(fact.wrappers),
        "privileged": fact.privileged,
        "known": fact.known and fact.name not in trace.unknown_commands,
        "indirect": bool(fact.indirect),
        "traits": [*fact.traits, *(("gateway_self",) if own else ())],
        "agent_written": fact.agent_written,
        "via": fact.via if fact.via != "direct" else "shell",
        "certain": fact.certain,
    }
    return Operation("command", "execute", fact.name or "unknown", attr)
