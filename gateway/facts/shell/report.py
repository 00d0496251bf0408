"""The facts of one command in their public shape (docs/command-facts.md): what `ostiary facts shell` prints.

Names are fixed: policies read some of them as `R.attr.shell.*`, tools read the rest.
"""

from __future__ import annotations

import hashlib
from typing import Any

from gateway.facts.shell.analysis import ANALYZER
from gateway.facts.shell.trace import Trace

_DIMENSIONS = ("exec", "read", "write", "delete", "net", "git")


def facts(command: str, trace: Trace) -> dict[str, Any]:
    """Every fact, sorted, as JSON data."""
    names = sorted({name for fact in trace.commands for name in (fact.name, *fact.wrappers) if name})
    executes = sorted(trace.paths["execute"])
    return {
        "analyzer": str(ANALYZER),
        "bytes": len(command.encode("utf-8", "surrogatepass")),
        "sha256": hashlib.sha256(command.encode("utf-8", "surrogatepass")).hexdigest(),
        "parsed": "syntax" not in trace.reasons and not trace.limits,
        "commands": [_command(fact) for fact in trace.commands],
        "names": names,
        "reads": _paths(trace, "read"),
        "writes": _paths(trace, "write"),
        "deletes": _paths(trace, "delete"),
        "lists": _paths(trace, "list"),
        "executes": executes,
        "execs": sorted({*names, *executes}),
        "hosts": sorted(trace.hosts),
        "urls": sorted(trace.urls),
        "network": bool(trace.hosts) or "net" in trace.unknown,
        "sends": [{"source": source, "host": host} for source, host in sorted(trace.sends)],
        "remote_code": trace.remote_code,
        "git": [_git(operation) for operation in trace.git],
        "packages": [
            {"manager": one.manager, "action": one.action, "names": list(one.names), "source": one.source}
            for one in trace.packages
        ],
        "credentials": [
            {"store": one.store, "names": list(one.names), "all": one.all} for one in trace.credentials
        ],
        "env_set": dict(sorted(trace.environment.items())),
        "env_used": sorted(trace.environment_used),
        "env_danger": sorted(trace.environment_danger),
        "inline_code": [
            {"lang": language, "sha256": digest, "resolved": resolved}
            for language, digest, resolved in trace.inline
        ],
        "unknown_commands": sorted(trace.unknown_commands),
        "may_writes": sorted(trace.may_write),
        "indirect": [{"kind": kind, "name": name} for kind, name in trace.indirect],
        "privileged": trace.privileged,
        "background": trace.background,
        "persistence": sorted(trace.persistence),
        "unknown": {dimension: dimension in trace.unknown for dimension in _DIMENSIONS},
        "opaque": opaque(trace),
        "opaque_reasons": list(trace.reasons),
        "limits_hit": list(trace.limits),
    }


def opaque(trace: Trace) -> bool:
    """Whether something could not be told from the text, beyond project code that is named."""
    return bool(trace.unknown) or not {"syntax", "nul"}.isdisjoint(trace.reasons)


def _paths(trace: Trace, action: Any) -> list[str]:
    return sorted(trace.paths[action])


def _command(fact: Any) -> dict[str, Any]:
    return {
        "name": fact.name,
        "program": fact.program,
        "argv": list(fact.argv),
        "wrappers": list(fact.wrappers),
        "via": fact.via,
        "background": fact.background,
        "remote": fact.remote,
        "cwd": list(fact.directories),
        "traits": list(fact.traits),
    }


def _git(operation: Any) -> dict[str, Any]:
    return {
        "sub": operation.sub,
        "remote": operation.remote,
        "refs": list(operation.refs),
        "default_ref": operation.default_ref,
        "force": operation.force,
        "delete": operation.delete,
        "all": operation.all,
        "hard": operation.hard,
    }
