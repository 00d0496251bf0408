"""A call and its operations as one batch of Cerbos resources, each asked once a layer.

Layers are asked separately and never inherited, so that a site can tighten the shipped rules and never loosen them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import UNSET, Struct, structs

from gateway.domain.check import Check, CheckRequest, Resource
from gateway.domain.events import HookEvent
from gateway.domain.operations import MAX_OPERATIONS, Analysis, Operation
from gateway.domain.ports import Pdp
from gateway.domain.principal import Principal
from gateway.domain.vocabulary import GUARD_EVENTS, RESERVED_ATTRIBUTES, VOCABULARY

NO_TOOL_ACTION = "event"
_RESERVED = frozenset(RESERVED_ATTRIBUTES)


class CheckSettings(Struct, frozen=True, kw_only=True):
    """What the operator fixed about questions. `rules_off` are full rule names, `dropped` dotted attribute paths."""

    kind_prefix: str = ""
    dropped: tuple[str, ...] = ()
    rules_off: tuple[str, ...] = ()


class Asked(Struct, frozen=True):
    """One check of a batch and what it stands for: an operation, or the call itself (None)."""

    check: Check
    layer: str
    operation: Operation | None = None
    scope_must_match: bool = False
    """The scope came with the principal, so that no policy for it is a failure and not *no policy*."""


class Question(Struct, frozen=True, kw_only=True):
    """A batch, and what is positively unmatched without asking: the backend says it holds no policy for these."""

    request: CheckRequest
    asked: tuple[Asked, ...]
    unmatched: tuple[Operation, ...] = ()


class Questions:
    """Builds the question of a call for one backend."""

    def __init__(self, settings: CheckSettings, pdp: Pdp) -> None:
        self._settings = settings
        self._pdp = pdp
        self._dropped = tuple(tuple(path.split(".")) for path in settings.dropped)
        self._rules_off = list(settings.rules_off)

    def replace_rules_off(self, names: Iterable[str]) -> None:
        """Another policy set has other rules under the names that are switched off."""
        self._rules_off = list(names)

    def ask(self, event: HookEvent, analysis: Analysis, principal: Principal, request_id: str) -> Question:
        """Every check of a call, in a fixed order: the call first, then its operations as analysed."""
        asked: list[Asked] = []
        unmatched: list[Operation] = []
        call = self._call(event, analysis, principal)
        self._add(asked, call, event.tool or NO_TOOL_ACTION, guarded=event.event in GUARD_EVENTS)
        for operation in analysis.operations[:MAX_OPERATIONS]:
            attr = {**operation.attr, "agent": event.agent, "v": VOCABULARY, "rules_off": self._rules_off}
            resource = Resource(
                self._settings.kind_prefix + operation.kind, operation.id or operation.kind, attr
            )
            if not self._add(asked, resource, operation.action, operation):
                unmatched.append(operation)
        request = CheckRequest(
            principal=principal, checks=tuple(item.check for item in asked), request_id=request_id
        )
        return Question(request=request, asked=tuple(asked), unmatched=tuple(unmatched))

    def _add(
        self,
        asked: list[Asked],
        resource: Resource,
        action: str,
        operation: Operation | None = None,
        *,
        guarded: bool = False,
    ) -> bool:
        """One check a layer that may hold a policy of the kind; whether there was any."""
        found = False
        for layer in ("", *self._pdp.layers):
            of_principal = bool(resource.scope) and not layer
            if of_principal or self._pdp.holds(resource.kind, layer):
                scoped = structs.replace(resource, scope=layer) if layer else resource
                must = of_principal and guarded
                asked.append(Asked(Check(scoped, (action,)), layer, operation, must))
                found = True
        return found

    def _call(self, event: HookEvent, analysis: Analysis, principal: Principal) -> Resource:
        """The call resource, as Cerbos Synapse maps hooks: kind = event, id = call id, attributes = the payload.

        Names the gateway adds are taken out of the payload first, so that no client can set one.
        """
        payload = {name: value for name, value in event.payload.items() if name not in _RESERVED}
        attr = payload if event.legacy_route else _without(payload, self._dropped)
        attr.update(call_attributes(event, analysis))
        attr["rules_off"] = self._rules_off
        keeps_id = event.legacy_route or ("tool_use_id",) not in self._dropped
        identifier = (event.call_id if keeps_id else "") or event.tool or event.event
        scope = principal.scope if event.legacy_route else ""
        return Resource(self._settings.kind_prefix + event.event, identifier, attr, scope=scope)


def call_attributes(event: HookEvent, analysis: Analysis) -> dict[str, Any]:
    """What the gateway knows of a call beside its payload: every one of these names is always set."""
    subagent = event.subagent
    return {
        "v": VOCABULARY,
        "agent": event.agent,
        "client": {name: value for name, value in structs.asdict(event.claims).items() if value},
        "project_dir": analysis.project_dir,
        "project": analysis.project,
        "home": analysis.home,
        "shell": None if analysis.shell is None else dict(analysis.shell),
        "groups": list(analysis.groups),
        "groups_may": list(analysis.groups_may),
        "hosts": list(analysis.hosts),
        "operations_truncated": analysis.truncated,
        "limits_hit": list(analysis.limits_hit),
        "subagent": None if subagent is None else {"id": subagent.id, "type": subagent.type},
        "known_tool": analysis.known_tool,
        "flags": list(analysis.flags),
    }


def reserved_in(payload: Mapping[str, Any]) -> bool:
    """Whether a payload carries a name that only the gateway may set."""
    return not _RESERVED.isdisjoint(payload)


def _without(payload: dict[str, Any], paths: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    """The payload without dotted paths; what is on the way is copied, the caller's value stays as it is."""
    for path in paths:
        if payload.get(path[0], UNSET) is UNSET:
            continue
        payload = _drop(payload, path)
    return payload


def _drop(value: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    if len(path) == 1:
        return {name: item for name, item in value.items() if name != path[0]}
    below = value.get(path[0])
    if not isinstance(below, dict):
        return value
    return {**value, path[0]: _drop(below, path[1:])}
