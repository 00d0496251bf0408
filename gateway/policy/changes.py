"""What a new policy set changes: rules added, removed and changed, by what they say and not by where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from gateway.policy.model import (
    Body,
    DerivedRoles,
    Document,
    ExportConstants,
    ExportVariables,
    ExpressionText,
    Match,
    PrincipalPolicy,
    ResourcePolicy,
    RolePolicy,
    RuleText,
    policy_key,
)


class RuleChanges(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Rules as `<policy key>#<rule name>`, sorted."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything is different."""
        return bool(self.added or self.removed or self.changed)


def rule_changes(before: Sequence[Document], after: Sequence[Document]) -> RuleChanges:
    """The difference of two sets. A rule is changed when its text is, or a name it may use (variables, derived roles)."""
    old, new = _prints(before), _prints(after)
    return RuleChanges(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name])),
    )


def _prints(documents: Sequence[Document]) -> dict[str, bytes]:
    """Every rule's fingerprint."""
    exports: dict[str, Any] = {}
    for document in documents:
        if isinstance(document, DerivedRoles):
            roles = [[role.name, role.parent_roles, _match(role.condition)] for role in document.roles]
            exports[f"derived:{document.name}"] = [roles, _own_names(document)]
        elif isinstance(document, ExportVariables | ExportConstants):
            exports[f"{type(document).__name__}:{document.name}"] = _own_names(document)
    found: dict[str, bytes] = {}
    for document in documents:
        if not isinstance(document, ResourcePolicy | PrincipalPolicy | RolePolicy):
            continue
        names = _names(document, exports)
        for number, rule in enumerate(document.rules, 1):
            name = f"{policy_key(document)}#{rule.name or f'rule-{number:03d}'}"
            # Rules of one name count together: the second of them is told apart by its place in the file.
            while name in found:
                name += "'"
            found[name] = msgspec.json.encode([_rule(rule), names], order="deterministic")
    return found


def _rule(rule: RuleText) -> list[Any]:
    output = rule.output
    return [
        rule.actions,
        rule.effect,
        rule.roles,
        [name for name, _ in rule.derived_roles],
        rule.resource,
        _match(rule.condition),
        None if output is None else [_text(output.activated), _text(output.not_met)],
    ]


def _match(match: Match | None) -> Any:
    if match is None:
        return None
    return [match.kind, _text(match.expression), [_match(member) for member in match.members]]


def _text(text: ExpressionText | None) -> str | None:
    return None if text is None else " ".join(text.text.split())


def _own_names(document: Body) -> Mapping[str, Any]:
    own = document.definitions
    return {
        "variables": {name: _text(text) for name, text in {**own.old_variables, **own.variables}.items()},
        "constants": {name: value for name, (value, _) in own.constants.items()},
    }


def _names(document: ResourcePolicy | PrincipalPolicy | RolePolicy, exports: Mapping[str, Any]) -> list[Any]:
    """Everything the rules of a policy may name, and what holds for all of them."""
    own = document.definitions
    imported = [
        *(exports.get(f"ExportVariables:{name}") for name, _ in own.variable_imports),
        *(exports.get(f"ExportConstants:{name}") for name, _ in own.constant_imports),
    ]
    extra: list[Any] = []
    if isinstance(document, ResourcePolicy):
        imported += [exports.get(f"derived:{name}") for name, _ in document.derived_role_imports]
        extra = [
            schema and schema.reference for schema in (document.principal_schema, document.resource_schema)
        ]
    if isinstance(document, RolePolicy):
        extra = [document.parent_roles]
    else:
        extra.append(document.scope_permissions)
    return [_own_names(document), imported, extra]
