"""Nodes to policies: the shape of every kind checked, defaults filled in, nothing resolved yet."""

from __future__ import annotations

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
    PLAIN_NAME,
    PLAIN_NAME_FORM,
    SUBJECT,
    SUBJECT_FORM,
    read_condition,
    read_definitions,
    read_effect,
    read_expressions,
    read_imports,
    read_output,
    read_permissions,
    read_rule_name,
    read_schemas,
    read_scope,
    read_values,
    read_version,
)
from gateway.policy.problems import Problem
from gateway.policy.tree import Node

API_VERSION = "api.cerbos.dev/v1"
_ENVELOPE = ("apiVersion", "description", "disabled", "metadata", "$schema", "variables")
_METADATA = ("sourceFile", "annotations", "hash", "storeIdentifier", "storeIdentifer", "sourceAttributes")
_SHARED = ("version", "scope", "scopePermissions", "variables", "constants", "rules")


def read_document(reader: Reader) -> Document | None:
    """The policy of one document; None when it is disabled or too broken to go on with."""
    reader.only((*_ENVELOPE, *_BODIES))
    bodies = [name for name in reader.names if name in _BODIES]
    version = reader.text("apiVersion", required=True)
    if version and version != API_VERSION:
        reader.complaints.add(
            Problem.API_VERSION,
            reader.place("apiVersion"),
            f"apiVersion {version[:60]!r} is unknown.",
            f"Write {API_VERSION}.",
        )
    reader.text("description")
    metadata = reader.mapping("metadata", "`metadata`")
    if metadata is not None:
        metadata.only(_METADATA)
    if len(bodies) != 1:
        reader.complaints.add(
            Problem.NOT_ONE_BODY,
            reader.place(bodies[1] if bodies else ""),
            "A document holds exactly one policy.",
            f"Write one of {', '.join(_BODIES)}, and `---` between documents.",
        )
        return None
    if reader.flag("disabled"):
        return None
    body = reader.mapping(bodies[0], bodies[0])
    if body is None:
        return None
    return _BODIES[bodies[0]](body, read_expressions(reader, "variables"))


def _resource_policy(reader: Reader, old: dict[str, ExpressionText]) -> Document:
    reader.only(("resource", "importDerivedRoles", "schemas", *_SHARED))
    principal_schema, resource_schema = read_schemas(reader)
    seen: dict[str, Node] = {}
    return ResourcePolicy(
        name=reader.text("resource", required=True, pattern=SUBJECT, form=SUBJECT_FORM),
        place=reader.place("resource"),
        version=read_version(reader),
        scope=read_scope(reader),
        definitions=read_definitions(reader, old),
        rules=tuple(
            _rule(reader, node, number, seen) for number, node in enumerate(reader.items("rules"), 1)
        ),
        scope_permissions=read_permissions(reader),
        derived_role_imports=read_imports(reader, "importDerivedRoles"),
        principal_schema=principal_schema,
        resource_schema=resource_schema,
    )


def _rule(reader: Reader, node: Node, number: int, seen: dict[str, Node]) -> RuleText:
    rule = reader.enter(node, "A rule")
    if rule is None:
        return RuleText(name=f"rule-{number:03d}", place=reader.at(node))
    rule.only(("actions", "effect", "roles", "derivedRoles", "condition", "name", "output"))
    roles = rule.texts("roles")
    derived = rule.placed_texts("derivedRoles", pattern=PLAIN_NAME, form=PLAIN_NAME_FORM)
    name = read_rule_name(rule, seen, node, "This rule") or f"rule-{number:03d}"
    if not roles and not derived:
        rule.complaints.add(
            Problem.RULE_WITHOUT_ROLES,
            rule.place(),
            f"Rule {name!r} names neither roles nor derivedRoles.",
            'Write roles: ["*"] for everybody.',
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


def _principal_policy(reader: Reader, old: dict[str, ExpressionText]) -> Document:
    reader.only(("principal", *_SHARED))
    rules: list[RuleText] = []
    resources: dict[str, Node] = {}
    for node in reader.items("rules"):
        rule = reader.enter(node, "A rule")
        if rule is None:
            continue
        rule.only(("resource", "actions"))
        resource = rule.text("resource", required=True)
        first = resources.setdefault(resource, node)
        if first is not node:
            rule.complaints.add(
                Problem.BAD_VALUE,
                rule.place(),
                f"The resource {resource!r} has another rule in line {first.line}.",
                "Write all its actions below one of them.",
            )
        rules += _principal_rules(rule, resource)
    return PrincipalPolicy(
        name=reader.text("principal", required=True, pattern=SUBJECT, form=SUBJECT_FORM),
        place=reader.place("principal"),
        version=read_version(reader),
        scope=read_scope(reader),
        definitions=read_definitions(reader, old),
        rules=tuple(rules),
        scope_permissions=read_permissions(reader),
    )


def _principal_rules(rule: Reader, resource: str) -> list[RuleText]:
    """One rule for each action that a principal policy names for a resource."""
    found: list[RuleText] = []
    seen: dict[str, Node] = {}
    for number, node in enumerate(rule.items("actions", required=True), 1):
        action = rule.enter(node, "An action")
        if action is None:
            continue
        action.only(("action", "effect", "condition", "name", "output"))
        name = read_rule_name(action, seen, node, "This action")
        found.append(
            RuleText(
                name=name or f"{resource}_rule-{number:03d}",
                place=action.place(),
                actions=(action.text("action", required=True),),
                effect=read_effect(action),
                resource=resource,
                condition=read_condition(action),
                output=read_output(action),
            )
        )
    return found


def _role_policy(reader: Reader, old: dict[str, ExpressionText]) -> Document:
    reader.only(("role", "parentRoles", *_SHARED))
    rules: list[RuleText] = []
    for node in reader.items("rules"):
        rule = reader.enter(node, "A rule")
        if rule is None:
            continue
        rule.only(("resource", "allowActions", "condition", "name", "output"))
        resource = rule.text("resource", required=True)
        rules.append(
            RuleText(
                name=read_rule_name(rule, {}, node, "This rule"),
                place=rule.place(),
                actions=rule.texts("allowActions", required=True),
                effect="EFFECT_ALLOW",
                resource=resource,
                condition=read_condition(rule),
                output=read_output(rule),
            )
        )
    return RolePolicy(
        name=reader.text("role", required=True, pattern=SUBJECT, form=SUBJECT_FORM),
        place=reader.place("role"),
        version=read_version(reader, required=False),
        scope=read_scope(reader),
        definitions=read_definitions(reader, old),
        rules=tuple(rules),
        parent_roles=reader.texts("parentRoles"),
    )


def _derived_roles(reader: Reader, old: dict[str, ExpressionText]) -> Document:
    reader.only(("name", "definitions", "variables", "constants"))
    roles: list[DerivedRole] = []
    seen: dict[str, Node] = {}
    for node in reader.items("definitions", required=True):
        role = reader.enter(node, "A definition")
        if role is None:
            continue
        role.only(("name", "parentRoles", "condition"))
        name = role.text("name", required=True, pattern=PLAIN_NAME, form=PLAIN_NAME_FORM)
        first = seen.setdefault(name, node)
        if first is not node:
            role.complaints.add(
                Problem.BAD_VALUE,
                role.place(),
                f"The derived role {name!r} is also defined in line {first.line}.",
                "Give it another name, or write one definition.",
            )
        roles.append(
            DerivedRole(
                name=name,
                place=role.place("name"),
                parent_roles=role.texts("parentRoles", required=True),
                condition=read_condition(role),
            )
        )
    return DerivedRoles(
        place=reader.place("name"),
        name=reader.text("name", required=True, pattern=PLAIN_NAME, form=PLAIN_NAME_FORM),
        definitions=read_definitions(reader, old),
        roles=tuple(roles),
    )


def _export_variables(reader: Reader, _old: dict[str, ExpressionText]) -> Document:
    reader.only(("name", "definitions"))
    return ExportVariables(
        place=reader.place("name"),
        name=reader.text("name", required=True, pattern=PLAIN_NAME, form=PLAIN_NAME_FORM),
        definitions=Definitions(variables=read_expressions(reader, "definitions")),
    )


def _export_constants(reader: Reader, _old: dict[str, ExpressionText]) -> Document:
    reader.only(("name", "definitions"))
    return ExportConstants(
        place=reader.place("name"),
        name=reader.text("name", required=True, pattern=PLAIN_NAME, form=PLAIN_NAME_FORM),
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
