"""A policy set as written, typed and placed, before anything is resolved. Names as in Cerbos' policy language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from gateway.policy.problems import Place

Effect = Literal["EFFECT_ALLOW", "EFFECT_DENY"]
ScopePermissions = Literal[
    "SCOPE_PERMISSIONS_UNSPECIFIED",
    "SCOPE_PERMISSIONS_OVERRIDE_PARENT",
    "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS",
]
CONSENT: ScopePermissions = "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS"


class ExpressionText(Struct, frozen=True):
    """A CEL text and where it stands; for the definition of a variable also where its name stands."""

    text: str
    place: Place
    key: Place = Place()


class Match(Struct, frozen=True):
    """A condition: an expression, or `all`, `any`, `none` of others."""

    kind: Literal["expr", "all", "any", "none"]
    expression: ExpressionText | None = None
    members: tuple[Match, ...] = ()


class OutputTexts(Struct, frozen=True):
    """A rule's output expressions."""

    activated: ExpressionText | None = None
    not_met: ExpressionText | None = None


class Definitions(Struct, frozen=True, kw_only=True):
    """Variables and constants of one policy: imported ones by name of the export, its own by definition."""

    variable_imports: tuple[tuple[str, Place], ...] = ()
    constant_imports: tuple[tuple[str, Place], ...] = ()
    variables: Mapping[str, ExpressionText] = {}
    old_variables: Mapping[str, ExpressionText] = {}
    """Of the deprecated `variables` beside the policy."""
    constants: Mapping[str, tuple[Any, Place]] = {}


class RuleText(Struct, frozen=True, kw_only=True):
    """One rule. Which fields are set depends on the kind of policy; `name` is "" in role policies that give none."""

    name: str
    place: Place
    actions: tuple[str, ...] = ()
    effect: Effect = "EFFECT_DENY"
    roles: tuple[str, ...] = ()
    derived_roles: tuple[tuple[str, Place], ...] = ()
    resource: str = ""
    condition: Match | None = None
    output: OutputTexts | None = None


class SchemaReference(Struct, frozen=True):
    """A schema of a resource policy, and the actions for which it does not count."""

    reference: str
    place: Place
    ignored_actions: tuple[str, ...] = ()


class Body(Struct, frozen=True, kw_only=True):
    """What every policy has."""

    place: Place
    name: str
    version: str = "default"
    scope: str = ""
    definitions: Definitions = Definitions()


class ResourcePolicy(Body, frozen=True, kw_only=True):
    """`resourcePolicy`: rules about one kind."""

    rules: tuple[RuleText, ...] = ()
    scope_permissions: ScopePermissions = "SCOPE_PERMISSIONS_UNSPECIFIED"
    derived_role_imports: tuple[tuple[str, Place], ...] = ()
    principal_schema: SchemaReference | None = None
    resource_schema: SchemaReference | None = None


class PrincipalPolicy(Body, frozen=True, kw_only=True):
    """`principalPolicy`: rules about one principal."""

    rules: tuple[RuleText, ...] = ()
    scope_permissions: ScopePermissions = "SCOPE_PERMISSIONS_UNSPECIFIED"


class RolePolicy(Body, frozen=True, kw_only=True):
    """`rolePolicy`: the most that a role may do."""

    rules: tuple[RuleText, ...] = ()
    parent_roles: tuple[str, ...] = ()


class DerivedRole(Struct, frozen=True, kw_only=True):
    """One definition of a derived-roles set."""

    name: str
    place: Place
    parent_roles: tuple[str, ...]
    condition: Match | None = None


class DerivedRoles(Body, frozen=True, kw_only=True):
    """`derivedRoles`: a named set of roles that conditions give."""

    roles: tuple[DerivedRole, ...] = ()


class ExportVariables(Body, frozen=True, kw_only=True):
    """`exportVariables`."""


class ExportConstants(Body, frozen=True, kw_only=True):
    """`exportConstants`."""


Document = ResourcePolicy | PrincipalPolicy | RolePolicy | DerivedRoles | ExportVariables | ExportConstants


_KINDS: dict[type[Body], str] = {
    ResourcePolicy: "resource",
    PrincipalPolicy: "principal",
    RolePolicy: "role",
    DerivedRoles: "derived_roles",
    ExportVariables: "export_variables",
    ExportConstants: "export_constants",
}
_OLD_NAME = re.compile(r"[a-zA-Z][\w@.\-/]*(?::[a-zA-Z][\w@.\-/]*)*\Z", re.ASCII)
_ODD = re.compile(r"[^\w.]+", re.ASCII)


def policy_key(document: Document) -> str:
    """Cerbos' key of a policy: `resource.<kind>.v<version>[/<scope>]`."""
    kind = _KINDS[type(document)]
    if not isinstance(document, ResourcePolicy | PrincipalPolicy | RolePolicy):
        return f"{kind}.{document.name}"
    key = f"{kind}.{sanitised(document.name)}.v{document.version}"
    return f"{key}/{document.scope}" if document.scope else key


def sanitised(name: str) -> str:
    """A name as keys and look-ups have it: what is no word character is `_`, in names of the oldest form only.

    `album:object` and `album_object` are one kind to Cerbos; `1st album` stays as it is.
    """
    if name.isidentifier() or not _OLD_NAME.match(name):
        return name
    return _ODD.sub("_", name)
