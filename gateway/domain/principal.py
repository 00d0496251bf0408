"""Who is asking, and how that was proven."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field

CredentialClass = Literal["agent", "application", "viewer", "auditor", "operator"]

ANONYMOUS_ID = "anonymous"
ANONYMOUS_ROLE = "anonymous"


class Proof(Struct, frozen=True, kw_only=True):
    """How a principal was proven. `provider` is `none` when nothing was proven.

    `provider`, `issuer` and `subject` together are the principal's key in caches, quotas and joins: a display name
    decides nothing, since two issuers may know the same name.
    """

    provider: str = "none"
    issuer: str = ""
    subject: str = ""
    at: int = 0
    """Seconds since the epoch at which the proof was made."""


class Principal(Struct, frozen=True, kw_only=True):
    """The subject of a check. `roles` is never empty, sorted and unique, so that equal principals get equal answers.

    `attr` holds only what a credential or a directory proves; whatever the payload or URL says is a resource attribute.
    """

    id: str
    roles: tuple[str, ...]
    attr: Mapping[str, Any] = field(default_factory=dict)
    policy_version: str = ""
    scope: str = ""
    proof: Proof = Proof()
    credential_class: CredentialClass = "agent"

    @property
    def key(self) -> tuple[str, str, str]:
        """What separates this principal from every other one, in caches, quotas and joins."""
        return (self.proof.provider, self.proof.issuer, self.proof.subject or self.id)


def sorted_roles(roles: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """The canonical form of a role list: sorted, unique, never empty (Cerbos refuses a principal without a role)."""
    return tuple(sorted(set(roles))) or (ANONYMOUS_ROLE,)


ANONYMOUS = Principal(id=ANONYMOUS_ID, roles=(ANONYMOUS_ROLE,))
