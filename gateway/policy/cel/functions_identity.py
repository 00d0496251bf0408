"""Cerbos's hierarchies and SPIFFE IDs (SPIFFE-ID specification, sections 2.1 and 2.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gateway.policy.cel.activation import Activation
from gateway.policy.cel.errors import EvaluationError, no_such_overload
from gateway.policy.cel.json_output import no_text
from gateway.policy.cel.spiffe import parse_domain, parse_id
from gateway.policy.cel.values import Hierarchy, SpiffeId, SpiffeMatcher, SpiffeTrustDomain


def hierarchy(ctx: Activation, value: Any, delimiter: str = ".") -> Hierarchy:
    """`hierarchy(value, delimiter)`."""
    if type(value) is Hierarchy:
        return value
    ctx.budget.charge(1 + len(value))
    if type(value) is str:
        return Hierarchy(tuple(value.split(delimiter)) if delimiter else tuple(value))
    for part in value:
        if type(part) is not str:
            raise EvaluationError(f"failed to convert list to string slice: {no_text(part)}", "type")
    return Hierarchy(tuple(value))


def _ancestor(upper: Hierarchy, lower: Hierarchy) -> bool:
    return len(lower.parts) > len(upper.parts) and lower.parts[: len(upper.parts)] == upper.parts


def _parent(upper: Hierarchy, lower: Hierarchy) -> bool:
    return len(lower.parts) == len(upper.parts) + 1 and _ancestor(upper, lower)


def common_ancestors(_ctx: Activation, left: Hierarchy, right: Hierarchy) -> Hierarchy:
    """`left.commonAncestors(right)`."""
    limit = min(len(left.parts), len(right.parts))
    if len(left.parts) == len(right.parts):
        limit -= 1
    if limit < 0:
        raise EvaluationError("internal error: runtime error: slice bounds out of range [:-1]", "value")
    common = 0
    while common < limit and left.parts[common] == right.parts[common]:
        common += 1
    return Hierarchy(left.parts[:common])


def overlaps(_ctx: Activation, left: Hierarchy, right: Hierarchy) -> bool:
    """`left.overlaps(right)`: one is the beginning of the other."""
    limit = min(len(left.parts), len(right.parts))
    return left.parts[:limit] == right.parts[:limit]


def sibling_of(_ctx: Activation, left: Hierarchy, right: Hierarchy) -> bool:
    """`left.siblingOf(right)`: they differ in the last part at most."""
    return len(left.parts) == len(right.parts) and left.parts[:-1] == right.parts[:-1]


def _prefixed(what: str, parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except EvaluationError as error:
        raise EvaluationError(f"{what}: {error.message}", error.kind) from None


def spiffe_id(ctx: Activation, value: Any) -> SpiffeId:
    """`spiffeID(text)`."""
    if type(value) is SpiffeId:
        return value
    ctx.budget.charge_text(len(value))
    parsed: SpiffeId = _prefixed("failed to parse SPIFFE ID", parse_id, value)
    return parsed


def spiffe_trust_domain(ctx: Activation, value: Any) -> SpiffeTrustDomain:
    """`spiffeTrustDomain(text)`: a name or a whole SPIFFE ID."""
    if type(value) is SpiffeTrustDomain:
        return value
    if type(value) is SpiffeId:
        return SpiffeTrustDomain(value.domain)
    ctx.budget.charge_text(len(value))
    return SpiffeTrustDomain(_prefixed("failed to parse SPIFFE trust domain", parse_domain, value))


def match_one_of(ctx: Activation, values: list[Any]) -> SpiffeMatcher:
    """`spiffeMatchOneOf(values)`: IDs, or texts of IDs."""
    ctx.budget.charge(len(values))
    try:
        return SpiffeMatcher(
            ids=tuple(str(value if type(value) is SpiffeId else parse_id(value)) for value in values)
        )
    except (EvaluationError, AttributeError):
        raise no_such_overload() from None


def matches_id(_ctx: Activation, matcher: SpiffeMatcher, value: Any) -> bool:
    """`matcher.matchesID(ID or text)`."""
    identity = value if type(value) is SpiffeId else _prefixed("invalid SPIFFE ID", parse_id, value)
    if matcher.ids is not None:
        return str(identity) in matcher.ids
    return matcher.domain is None or bool(identity.domain == matcher.domain)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "hierarchy": hierarchy,
    "ancestorOf": lambda _ctx, left, right: _ancestor(left, right),
    "descendentOf": lambda _ctx, left, right: _ancestor(right, left),
    "immediateParentOf": lambda _ctx, left, right: _parent(left, right),
    "immediateChildOf": lambda _ctx, left, right: _parent(right, left),
    "commonAncestors": common_ancestors,
    "overlaps": overlaps,
    "siblingOf": sibling_of,
    "spiffeID": spiffe_id,
    "spiffeTrustDomain": spiffe_trust_domain,
    "spiffeMatchAny": lambda _ctx: SpiffeMatcher(),
    "spiffeMatchExact": lambda ctx, value: SpiffeMatcher(ids=(str(spiffe_id(ctx, value)),)),
    "spiffeMatchOneOf": match_one_of,
    "spiffeMatchTrustDomain": lambda ctx, value: SpiffeMatcher(domain=spiffe_trust_domain(ctx, value).name),
    "isMemberOf": lambda _ctx, identity, domain: identity.domain == domain.name,
    "path": lambda _ctx, identity: identity.path,
    "trustDomain": lambda _ctx, identity: SpiffeTrustDomain(identity.domain),
    "name": lambda _ctx, domain: domain.name,
    "matchesID": matches_id,
}
