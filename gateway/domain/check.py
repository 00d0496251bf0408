"""The question put to a policy backend and its answer: Cerbos' CheckResources, as values.

Source of the shapes: Cerbos API 0.55, `POST /api/check/resources`. Answers join their question by position.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field

from gateway.domain.principal import Principal

Effect = Literal["EFFECT_ALLOW", "EFFECT_DENY"]
ALLOW: Effect = "EFFECT_ALLOW"
DENY: Effect = "EFFECT_DENY"

NO_MATCH = "NO_MATCH"
"""`matchedPolicy` of an action for whose resource no policy exists (Cerbos 0.55)."""


class Resource(Struct, frozen=True):
    """One thing an action is asked of. Numbers in `attr` may be int or float; a backend treats both as doubles."""

    kind: str
    id: str
    attr: Mapping[str, Any] = field(default_factory=dict)
    policy_version: str = ""
    scope: str = ""


class Check(Struct, frozen=True):
    """One resource and the actions asked of it."""

    resource: Resource
    actions: tuple[str, ...]


class AuxData(Struct, frozen=True):
    """Side data of a check: verified JWT claims, as `request.auxData.jwt` in conditions.

    `jwts` holds several tokens by name, each `{"claims": {...}}`, as `request.auxData.jwts`.
    """

    jwt: Mapping[str, Any] = field(default_factory=dict)
    jwts: Mapping[str, Any] = field(default_factory=dict)


class CheckRequest(Struct, frozen=True, kw_only=True):
    """One batch: everything a backend may read when it decides."""

    principal: Principal
    checks: tuple[Check, ...]
    aux_data: AuxData | None = None
    request_id: str = ""


class RulePlace(Struct, frozen=True):
    """Where a rule stands: policy key (`resource.file.vdefault`), rule name, file and line (1-based; 0 = unknown)."""

    policy: str = ""
    rule: str = ""
    file: str = ""
    line: int = 0


class Output(Struct, frozen=True):
    """One output of a rule: `src` is `<policy key>#<rule name>`, `val` a JSON value, `error` set when it failed."""

    src: str
    val: Any = None
    action: str = ""
    error: str = ""


class AbsorbedError(Struct, frozen=True):
    """An evaluation error that Cerbos counts as `false`. `kind` as in `gateway.policy.cel.EvaluationError.kind`.

    A hook check treats a type error or a limit in a DENY rule's condition as a failure, never as a condition that did
    not hold: the adversary would otherwise choose the type that switches the rule off.
    """

    expression: str
    message: str
    kind: str
    effect: Effect
    action: str = ""
    place: RulePlace = RulePlace()


class ActionDecision(Struct, frozen=True):
    """What the backend decided for one action, and by which policy. `place` is known to the local engine only."""

    effect: Effect
    matched_policy: str = ""
    matched_scope: str = ""
    place: RulePlace | None = None


class ResourceDecision(Struct, frozen=True, kw_only=True):
    """The answer for one `Check`, in the order asked."""

    kind: str
    id: str
    actions: Mapping[str, ActionDecision]
    outputs: tuple[Output, ...] = ()
    effective_derived_roles: tuple[str, ...] = ()
    validation_errors: tuple[ValidationError, ...] = ()
    absorbed: tuple[AbsorbedError, ...] = ()


class ValidationError(Struct, frozen=True):
    """A schema violation: `source` is `SOURCE_PRINCIPAL` or `SOURCE_RESOURCE`, `path` a JSON pointer."""

    path: str
    message: str
    source: str


class CheckAnswer(Struct, frozen=True, kw_only=True):
    """The answer to a `CheckRequest`: one `ResourceDecision` a `Check`, and the policy revision that gave them."""

    results: tuple[ResourceDecision, ...]
    revision: str = ""
    call_id: str = ""
