"""The test of a new rule: what the whole set decides about its examples, so that the test holds beside every other rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from gateway.domain.check import ALLOW, DENY, Check, CheckRequest, Effect, Resource
from gateway.domain.principal import Principal
from gateway.errors import PolicyError
from gateway.policy.authoring.examples import Example, operation_attributes
from gateway.policy.authoring.sentence import Wish
from gateway.policy.authoring.targets import Target
from gateway.policy.engine import Engine


class MootError(PolicyError):
    """The rule would change nothing, since another one decides before it."""

    exit_status = 2


class Expected(Struct, frozen=True):
    """What is decided about one principal and one resource: an effect an action, and the actions that the rule speaks for."""

    effects: Mapping[str, Effect]
    spoken: tuple[str, ...]


class Trial(Struct, frozen=True, kw_only=True):
    """The principals and resources of the test, and what is decided about each pair."""

    principals: Mapping[str, tuple[str, ...]]
    resources: Mapping[str, Example]
    decided: Mapping[tuple[str, str], Expected]


def prove(
    wish: Wish, target: Target, name: str, scope: str, known_roles: tuple[str, ...], engine: Engine
) -> Trial:
    """Try a rule on its examples. Raises MootError when it does not stop what it means, or what it asks is denied anyway."""
    met, unmet = _roles(wish, known_roles)
    principals = {"somebody": met} | ({"somebody_else": unmet} if unmet else {})
    resources = {"meant": target.hit} | ({"not_meant": target.miss} if target.miss is not None else {})
    decided: dict[tuple[str, str], Expected] = {}
    for principal, roles in principals.items():
        for resource, example in resources.items():
            decided[principal, resource] = _decide(target, name, scope, principal, roles, example, engine)
    hit = decided["somebody", "meant"]
    wanted = ALLOW if wish.effect == "ask" else DENY
    if any(effect != wanted for effect in hit.effects.values()):
        said = (
            "denied by another rule already, so nobody would be asked"
            if wish.effect == "ask"
            else "still allowed"
        )
        raise MootError(
            f"With the rule {name!r}, {target.label} is {said}.",
            number=105,
            remedy="A layer only tightens: change the other rule instead (`ostiary policy explain` names it).",
        )
    return Trial(principals=principals, resources=resources, decided=decided)


def _decide(
    target: Target,
    name: str,
    scope: str,
    principal: str,
    roles: tuple[str, ...],
    example: Example,
    engine: Engine,
) -> Expected:
    attr: dict[str, Any] = operation_attributes(example)
    request = CheckRequest(
        principal=Principal(id=principal, roles=roles),
        checks=(Check(Resource(target.kind, example.identifier, attr, scope=scope), target.actions),),
    )
    result = engine.check(request, 0).results[0]
    return Expected(
        {action: result.actions[action].effect for action in target.actions},
        tuple(output.action for output in result.outputs if output.src.endswith(f"#{name}")),
    )


def _roles(wish: Wish, known: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Roles of somebody the rule holds for, and of somebody it does not, () when there is nobody."""
    if not wish.role:
        return (known[0],), ()
    other = next(role for role in known if role != wish.role)
    return ((other,), (wish.role,)) if wish.others else ((wish.role,), (other,))
