"""Policy sets written in a few words, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from gateway.domain.check import AuxData, Check, CheckRequest, Resource, ResourceDecision
from gateway.domain.principal import Principal
from gateway.policy.directory import SourceFile
from gateway.policy.engine import Engine, compile_policies
from gateway.policy.problems import PolicyProblem, PolicyProblems
from gateway.policy.settings import EngineSettings

API = "apiVersion: api.cerbos.dev/v1\n"
CONSENT = "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS"
NOON = 1_700_000_000_000_000_000
ALLOW, DENY = "EFFECT_ALLOW", "EFFECT_DENY"


def policy(kind: str, **fields: Any) -> str:
    """One policy as YAML."""
    return yaml.safe_dump({"apiVersion": "api.cerbos.dev/v1", kind: fields}, sort_keys=False)


def resource_policy(resource: str, *rules: Mapping[str, Any], **fields: Any) -> str:
    """A resource policy of version default."""
    return policy("resourcePolicy", resource=resource, version="default", rules=list(rules), **fields)


def rule(
    *actions: str,
    effect: str = ALLOW,
    roles: Sequence[str] = ("user",),
    when: str | Mapping[str, Any] = "",
    says: str = "",
    **fields: Any,
) -> dict[str, Any]:
    """A rule: `when` its condition, `says` its output."""
    found: dict[str, Any] = {"actions": list(actions), "effect": effect, **fields}
    if roles:
        found["roles"] = list(roles)
    if when:
        found["condition"] = {"match": {"expr": when} if isinstance(when, str) else dict(when)}
    if says:
        found["output"] = {"when": {"ruleActivated": says}}
    return found


def engine(*texts: str, schemas: Mapping[str, str] | None = None, **settings: Any) -> Engine:
    """The engine of some policy files."""
    files = [SourceFile(f"p{number}.yaml", text.encode()) for number, text in enumerate(texts)]
    files += [SourceFile(f"_schemas/{name}", text.encode(), name) for name, text in (schemas or {}).items()]
    return compile_policies(files, EngineSettings(**settings))


def problems(*texts: str, names: Sequence[str] = ()) -> tuple[PolicyProblem, ...]:
    """What is wrong with some policy files; empty when nothing is."""
    files = [
        SourceFile(names[number] if number < len(names) else f"p{number}.yaml", text.encode())
        for number, text in enumerate(texts)
    ]
    try:
        compile_policies(files, EngineSettings())
    except PolicyProblems as found:
        return found.problems
    return ()


def ask(
    of: Engine,
    kind: str,
    *actions: str,
    roles: Sequence[str] = ("user",),
    attr: Mapping[str, Any] | None = None,
    scope: str = "",
    version: str = "",
    jwt: Mapping[str, Any] | None = None,
    now: int = NOON,
    **principal: Any,
) -> ResourceDecision:
    """What an engine decides about one resource."""
    asked = Principal(roles=tuple(roles), **{"id": "p1", **principal})
    check = Check(Resource(kind, "r1", attr or {}, version, scope), actions)
    aux = AuxData(jwt) if jwt is not None else None
    return of.check(CheckRequest(principal=asked, checks=(check,), aux_data=aux), now).results[0]


def effects(decision: ResourceDecision) -> dict[str, str]:
    """`ALLOW` or `DENY` by action."""
    return {action: found.effect.removeprefix("EFFECT_") for action, found in decision.actions.items()}


def effect(*args: Any, **kwargs: Any) -> str:
    """The one effect of an `ask`."""
    return next(iter(effects(ask(*args, **kwargs)).values()))
