"""What must hold between the policies of a set: one definition a key, chains of scopes without gaps, one word a scope."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.policy.model import (
    CONSENT,
    Body,
    Document,
    PrincipalPolicy,
    ResourcePolicy,
    RolePolicy,
    policy_key,
    sanitised,
)
from gateway.policy.problems import Complaints, Problem
from gateway.policy.steps import Steps
from gateway.policy.table import scope_chain


def check_set(documents: Sequence[Document], complaints: Complaints) -> Steps[None]:
    """Complain about policies that do not go together."""
    yield from _check_duplicates(documents, complaints)
    yield from _check_chains(documents, ResourcePolicy, complaints)
    yield from _check_chains(documents, PrincipalPolicy, complaints)
    yield from _check_permissions(documents, complaints)


def _check_duplicates(documents: Sequence[Document], complaints: Complaints) -> Steps[None]:
    seen: dict[str, Document] = {}
    for document in documents:
        yield
        key = policy_key(document)
        first = seen.setdefault(key, document)
        if first is document:
            continue
        own = "policy" if isinstance(document, ResourcePolicy | PrincipalPolicy | RolePolicy) else "set"
        complaints.add(
            Problem.DUPLICATE_DEFINITION,
            document.place,
            f"The {own} {key} is also defined in {first.place.file}:{first.place.line}.",
            _instead(document),
        )


def _instead(document: Document) -> str:
    """What to write instead of a second policy of a key."""
    if isinstance(document, ResourcePolicy) and not document.scope:
        return (
            "Write your rules in a scope of their own, which can only tighten: "
            "`ostiary policy new 'what you want'` writes such a file."
        )
    return "Keep one of them, or give it another name, version or scope."


def _check_chains(documents: Iterable[Document], kind: type[Body], complaints: Complaints) -> Steps[None]:
    """The chain to the root must exist for every policy of a name and version."""
    scoped: list[Body] = []
    present: set[tuple[str, str, str]] = set()
    for item in documents:
        yield
        if isinstance(item, kind):
            present.add((sanitised(item.name), item.version, item.scope))
            if item.scope:
                scoped.append(item)
    for document in scoped:
        yield
        for scope in scope_chain(document.scope)[1:]:
            if (sanitised(document.name), document.version, scope) not in present:
                complaints.add(
                    Problem.MISSING_SCOPE,
                    document.place,
                    f"{document.name} has a policy in scope {document.scope!r} and none in "
                    f"{repr(scope) if scope else 'the root scope'}.",
                    "Write one there; it may have no rules.",
                )


def _check_permissions(documents: Iterable[Document], complaints: Complaints) -> Steps[None]:
    """Resource and principal policies of one scope agree about the parent's consent; role policies have no say."""
    first: dict[str, tuple[Document, bool]] = {}
    for document in documents:
        yield
        if not isinstance(document, ResourcePolicy | PrincipalPolicy):
            continue
        consent = document.scope_permissions == CONSENT
        other, before = first.setdefault(document.scope, (document, consent))
        if consent != before:
            scope = f"scope {document.scope!r}" if document.scope else "the root scope"
            asks, overrides = (document, other) if consent else (other, document)
            complaints.add(
                Problem.SCOPE_PERMISSIONS,
                document.place,
                f"The policies of {scope} differ in scopePermissions: {asks.place.file}:{asks.place.line} asks for the "
                f"parent's consent, {overrides.place.file}:{overrides.place.line} overrides the parent.",
                "Write the same scopePermissions in all of them.",
            )
