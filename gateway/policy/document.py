"""Nodes to policies: the shape of every kind checked, defaults filled in, nothing resolved yet."""

from __future__ import annotations

import re
from collections.abc import Callable

from gateway.policy.fields import Reader
from gateway.policy.model import (
    Definitions,
    DerivedRole,
    DerivedRoles,
    Document,
    ExportConstants,
    ExportVariables,
    ExpressionText,
    PrincipalPolicy,
    ResourcePolicy,
    RolePolicy,
    RuleText,
)
from gateway.policy.parts import (
    read_condition,
    read_definitions,
    read_effect,
    read_expressions,
    read_imports,
    read_matching,
    read_output,
    read_permissions,
    read_schema,
    read_scope,
    read_values,
    read_version,
)
from gateway.policy.problems import Problem
from gateway.policy.source import Node

API_VERSION = "api.cerbos.dev/v1"
_ENVELOPE = ("apiVersion", "description", "disabled", "metadata", "$schema", "variables")
_RESOURCE = re.compile(r"[^!*?\s\[\]{}]+\Z")
_NAME = re.compile(r"[-\w.]+\Z")


def read_document(reader: Reader) -> Document | None:
    """The policy of one document; None when it is disabled or too broken to go on with."""
    bodies = [name for name in _BODIES if name in reader.node.fields]
    reader.only((*_ENVELOPE, *_BODIES))
    version = reader.text("apiVersion", required=True)
    if version and version != API_VERSION:
        reader.complaints.add(
            Problem.API_VERSION,
            reader.place("apiVersion"),
            f"apiVersion {version!r} is unknown.",
            f"Write {API_VERSION}.",
        )
    if len(bodies) != 1:
        reader.complaints.add(
            Problem.NOT_ONE_BODY,
            reader.place(),
            "A document holds exactly one policy.",
            f"Write one of {', '.join(_BODIES)}, and `---` between documents.",
        )
        return None
    if reader.plain("disabled") is True:
        return None
    body = reader.mapping(bodies[0], bodies[0])
    if body is None:
        return None
    return _BODIES[bodies[0]](body, _old_variables(reader))


def _old_variables(reader: Reader) -> dict[str, ExpressionText]:
    """The deprecated top-level `variables`."""
    return read_expressions(reader, "variables")


def _resource_policy(reader: Reader, old: dict[str, ExpressionText]) -> Document:
    reader.only(
        (
            "resource", "version", "scope", "scopePermissions", "importDerivedRoles", "rules", "schemas", "variables",
            "constants",
        )
    )  # fmt: skip
    name = read_matching(reader, "resource", _RESOURCE, "a kind without wildcards or spaces")
    return ResourcePolicy(
        place=reader.place("resource"),
        name=name,
        version=read_version(reader),
        scope=read_scope(reader),
        definitions=read_definitions(reader, old),
        rules=tuple(_rule(reader, node, number) for number, node in enumerate(reader.items("rules"), 1)),
        scope_permissions=read_permissions(reader),
        derived_role_imports=read_imports(reader, "importDerivedRoles"),
        principal_schema=read_schema(reader, "principalSchema"),
        resource_schema=read_schema(reader, "resourceSchema"),
    )


def _principal_policy(reader: Reader, old: dict[str, ExpressionText]) -> Document:
    reader.only(("principal", "version", "scope", "scopePermissions", "rules", "variables", "constants"))
    rules: list[RuleText] = []
    for node in reader.items("rules"):
        rule = reader.enter(node, "A rule")
        if rule is None:
            continue
        rule.only(("resource", "actions"))
        resource = rule.text("resource", required=True)
        for item in rule.items("actions", required=True):
            action = rule.enter(item, "An action")
            if action is None:
                continue
            action.only(("action", "effect", "condition", "name", "output"))
            rules.append(
                RuleText(
                    name=action.text("name") or f"{resource}_rule-{len(rules) + 1:03d}",
                    place=action.place(),
                    actions=(action.text("action", required=True),),
                    effect=read_effect(action),
                    resource=resource,
                    condition=read_condition(action),
                    output=read_output(action),
                )
            )
    return PrincipalPolicy(
        place=reader.place("principal"),
        name=reader.text("principal", required=True),
        version=read_version(reader),
        scope=read_scope(reader),
        definitions=read_definitions(reader, old),
        rules=tuple(rules),
        scope_permissions=read_permissions(reader),
    )


def _role_policy(reader: Reader, old: dict[str, ExpressionText]) -> Document:
    reader.only(
        ("role", "version", "scope", "parentRoles", "scopePermissions", "rules", "variables", "constants")
    )
    rules: list[RuleText] = []
    for number, node in enumerate(reader.items("rules"), 1):
        rule = reader.enter(node, "A rule")
        if rule is None:
            continue
        rule.only(("resource", "allowActions", "condition", "name", "output"))
        resource = rule.text("resource", required=True)
        rules.append(
            RuleText(
                name=rule.text("name") or f"{resource}_rule-{number:03d}",
                place=rule.place(),
                actions=rule.texts("allowActions", required=True),
                effect="EFFECT_ALLOW",
                resource=resource,
                condition=read_condition(rule),
                output=read_output(rule),
            )
        )
    return RolePolicy(
        place=reader.place("role"),
        name=reader.text("role", required=True),
        version=read_version(reader, required=False),
        scope=read_scope(reader),
        definitions=read_definitions(reader, old),
        rules=tuple(rules),
        parent_roles=reader.texts("parentRoles"),
    )


def _derived_roles(reader: Reader, old: dict[str, ExpressionText]) -> Document:
    reader.only(("name", "definitions", "variables", "constants"))
    roles: list[DerivedRole] = []
    for node in reader.items("definitions", required=True):
        role = reader.enter(node, "A definition")
        if role is None:
            continue
        role.only(("name", "parentRoles", "condition"))
        roles.append(
            DerivedRole(
                name=read_matching(role, "name", _NAME, "a name"),
                place=role.place("name"),
                parent_roles=role.texts("parentRoles", required=True),
                condition=read_condition(role),
            )
        )
    return DerivedRoles(
        place=reader.place("name"),
        name=read_matching(reader, "name", _NAME, "a name"),
        definitions=read_definitions(reader, old),
        roles=tuple(roles),
    )


def _export_variables(reader: Reader, _old: dict[str, ExpressionText]) -> Document:
    reader.only(("name", "definitions"))
    return ExportVariables(
        place=reader.place("name"),
        name=read_matching(reader, "name", _NAME, "a name"),
        definitions=Definitions(variables=read_expressions(reader, "definitions")),
    )


def _export_constants(reader: Reader, _old: dict[str, ExpressionText]) -> Document:
    reader.only(("name", "definitions"))
    return ExportConstants(
        place=reader.place("name"),
        name=read_matching(reader, "name", _NAME, "a name"),
        definitions=Definitions(constants=read_values(reader, "definitions")),
    )


_BODIES: dict[str, Callable[[Reader, dict[str, ExpressionText]], Document]] = {
    "resourcePolicy": _resource_policy,
    "principalPolicy": _principal_policy,
    "rolePolicy": _role_policy,
    "derivedRoles": _derived_roles,
    "exportVariables": _export_variables,
    "exportConstants": _export_constants,
}


def _rule(reader: Reader, node: Node, number: int) -> RuleText:
    rule = reader.enter(node, "A rule")
    if rule is None:
        return RuleText(name=f"rule-{number:03d}", place=reader.at(node))
    rule.only(("actions", "effect", "roles", "derivedRoles", "condition", "name", "output"))
    roles, derived = rule.texts("roles"), rule.texts("derivedRoles")
    name = rule.text("name") or f"rule-{number:03d}"
    if not roles and not derived:
        rule.complaints.add(
            Problem.INVALID_RULE,
            rule.place(),
            f"Rule {name!r} names neither roles nor derivedRoles.",
            'Write roles: ["*"].',
        )
    return RuleText(
        name=name,
        place=rule.place(),
        actions=rule.texts("actions", required=True),
        effect=read_effect(rule),
        roles=roles,
        derived_roles=derived,
        condition=read_condition(rule),
        output=read_output(rule),
    )
