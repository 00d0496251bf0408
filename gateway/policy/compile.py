"""Policies to a rule table: imports resolved, expressions compiled, scopes checked, every complaint collected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.domain.check import RulePlace
from gateway.policy.cel import Program
from gateway.policy.conditions import Condition
from gateway.policy.globs import NameSet
from gateway.policy.model import (
    CONSENT,
    Body,
    DerivedRoles,
    Document,
    ExportConstants,
    ExportVariables,
    Match,
    PrincipalPolicy,
    ResourcePolicy,
    RolePolicy,
    RuleText,
    policy_key,
)
from gateway.policy.names import NameResolver, Names
from gateway.policy.problems import Complaints, Problem
from gateway.policy.settings import EngineSettings
from gateway.policy.table import DerivedRoleRow, PolicyRow, RuleRow, Table, scope_chain

_EVERYTHING = NameSet(("*",))
_NOTHING = NameSet(())


def build_table(documents: Sequence[Document], settings: EngineSettings, complaints: Complaints) -> Table:
    """The table of a policy set. What is wrong is in `complaints`; the table is then incomplete."""
    return _Builder(documents, complaints).build(settings)


class _Builder:
    def __init__(self, documents: Sequence[Document], complaints: Complaints) -> None:
        self._documents = documents
        self._complaints = complaints
        self._seen: dict[str, Document] = {}
        self._rule_number = 0
        self._check_duplicates()
        variables = {item.name: item for item in documents if isinstance(item, ExportVariables)}
        constants = {item.name: item for item in documents if isinstance(item, ExportConstants)}
        self._names = NameResolver(variables, constants, complaints)
        self._derived = {item.name: item for item in documents if isinstance(item, DerivedRoles)}
        self._derived_rows: dict[str, dict[str, DerivedRoleRow]] = {}

    def build(self, settings: EngineSettings) -> Table:
        """Compile every policy."""
        resources: dict[tuple[str, str, str], PolicyRow] = {}
        principals: dict[tuple[str, str, str], PolicyRow] = {}
        roles: dict[tuple[str, str, str], PolicyRow] = {}
        for name in sorted(self._derived):
            self._derived_set(name)
        for document in self._documents:
            key = (document.name, document.version, document.scope)
            if isinstance(document, ResourcePolicy):
                resources[key] = self._resource(document)
            elif isinstance(document, PrincipalPolicy):
                principals[key] = self._principal(document)
            elif isinstance(document, RolePolicy):
                roles[key] = self._role(document)
        self._check_scopes(ResourcePolicy)
        self._check_scopes(PrincipalPolicy)
        self._check_permissions()
        return Table(
            resources=resources,
            principals=principals,
            roles=roles,
            resource_scopes=frozenset(key[2] for key in (*resources, *roles)),
            principal_scopes=frozenset(key[2] for key in principals),
            role_scopes=frozenset((key[1], key[2]) for key in roles),
            globals=settings.globals,
        )

    def _resource(self, document: ResourcePolicy) -> PolicyRow:
        names = self._names.resolve(document.definitions)
        derived = self._imported(document)
        key = policy_key(document)
        rules = [
            self._rule(rule, key, names, roles=NameSet(rule.roles), derived=self._derived_of(rule, derived))
            for rule in document.rules
        ]
        return PolicyRow(
            key=key,
            scope=document.scope,
            rules=rules,
            consent=document.scope_permissions == CONSENT,
            derived_roles=tuple(derived[name] for name in sorted(derived)),
            principal_schema=document.principal_schema,
            resource_schema=document.resource_schema,
        )

    def _principal(self, document: PrincipalPolicy) -> PolicyRow:
        names = self._names.resolve(document.definitions)
        key = policy_key(document)
        rules = [
            self._rule(rule, key, names, roles=_EVERYTHING, resource=NameSet((rule.resource,)))
            for rule in document.rules
        ]
        return PolicyRow(
            key=key, scope=document.scope, rules=rules, consent=document.scope_permissions == CONSENT
        )

    def _role(self, document: RolePolicy) -> PolicyRow:
        names = self._names.resolve(document.definitions)
        key = policy_key(document)
        rules = [
            self._rule(rule, key, names, roles=_EVERYTHING, resource=NameSet((rule.resource,)))
            for rule in document.rules
        ]
        return PolicyRow(
            key=key, scope=document.scope, rules=rules, role=document.name, parent_roles=document.parent_roles
        )

    def _rule(
        self,
        rule: RuleText,
        key: str,
        names: Names,
        *,
        roles: NameSet,
        derived: tuple[DerivedRoleRow, ...] = (),
        resource: NameSet = _EVERYTHING,
    ) -> RuleRow:
        self._rule_number += 1
        condition = self._condition(rule.condition, names)
        output = rule.output
        activated = self._program(output.activated, names) if output and output.activated else None
        not_met = self._program(output.not_met, names) if output and output.not_met else None
        programs = [*(condition.programs() if condition else []), activated, not_met]
        return RuleRow(
            number=self._rule_number,
            place=RulePlace(policy=key, rule=rule.name, file=rule.place.file, line=rule.place.line),
            source=f"{key}#{rule.name}",
            effect=rule.effect,
            actions=NameSet(rule.actions),
            roles=roles,
            derived_roles=derived,
            resource=resource,
            condition=condition,
            activated=activated,
            not_met=not_met,
            parameters=names.parameters,
            needs_variables=any(
                program is not None and (program.references.variables or program.references.constants)
                for program in programs
            ),
        )

    def _condition(self, match: Match | None, names: Names) -> Condition | None:
        if match is None:
            return None
        if match.expression is not None:
            return Condition("expr", self._program(match.expression, names), ())
        members = [self._condition(member, names) for member in match.members]
        return Condition(match.kind, None, [member for member in members if member is not None])

    def _program(self, text: object, names: Names) -> Program | None:
        return self._names.compile(text, names.variables, names.constants)  # type: ignore[arg-type]  # an ExpressionText

    def _derived_set(self, name: str) -> dict[str, DerivedRoleRow]:
        known = self._derived_rows.get(name)
        if known is None:
            document = self._derived[name]
            names = self._names.resolve(document.definitions)
            known = {
                role.name: DerivedRoleRow(
                    name=role.name,
                    parents=NameSet(role.parent_roles),
                    condition=self._condition(role.condition, names),
                    parameters=names.parameters,
                )
                for role in document.roles
            }
            self._derived_rows[name] = known
        return known

    def _imported(self, document: ResourcePolicy) -> dict[str, DerivedRoleRow]:
        """The derived roles a policy imports, by name; one that two sets define is ambiguous where it is used."""
        found: dict[str, DerivedRoleRow] = {}
        used = {name for rule in document.rules for name in rule.derived_roles}
        for name, place in document.derived_role_imports:
            if name not in self._derived:
                self._complaints.add(
                    Problem.IMPORT_NOT_FOUND,
                    place,
                    f"No derived roles have the name {name!r}.",
                    "Check the name.",
                )
                continue
            for role, row in self._derived_set(name).items():
                if role in found and role in used:
                    self._complaints.add(
                        Problem.AMBIGUOUS_DERIVED_ROLE,
                        place,
                        f"Two imports define the role {role!r}.",
                        "Rename one.",
                    )
                found[role] = row
        for rule in document.rules:
            for role in rule.derived_roles:
                if role not in found:
                    self._complaints.add(
                        Problem.UNKNOWN_DERIVED_ROLE,
                        rule.place,
                        f"The derived role {role!r} is not imported.",
                        "Import it.",
                    )
        return found

    @staticmethod
    def _derived_of(rule: RuleText, derived: dict[str, DerivedRoleRow]) -> tuple[DerivedRoleRow, ...]:
        return tuple(derived[name] for name in rule.derived_roles if name in derived)

    def _check_duplicates(self) -> None:
        for document in self._documents:
            key = policy_key(document)
            first = self._seen.setdefault(key, document)
            if first is not document:
                self._complaints.add(
                    Problem.DUPLICATE_DEFINITION,
                    document.place,
                    f"The policy {key} is also defined in {first.place.file}:{first.place.line}.",
                    "Keep one, or give them different versions or scopes.",
                )

    def _check_scopes(self, kind: type[Body]) -> None:
        """The chain to the root must exist for every policy of a name and version."""
        present = {
            (item.name, item.version, item.scope) for item in self._documents if isinstance(item, kind)
        }
        for document in self._documents:
            if not isinstance(document, kind):
                continue
            for scope in scope_chain(document.scope)[1:]:
                if (document.name, document.version, scope) not in present:
                    self._complaints.add(
                        Problem.MISSING_SCOPE,
                        document.place,
                        f"{policy_key(document)} needs a policy in the scope {scope!r} above it.",
                        "Write one, it may be empty.",
                    )

    def _check_permissions(self) -> None:
        """Policies of one scope agree about the parent's consent; role policies say nothing."""
        for group in _by_scope(item for item in self._documents if isinstance(item, Body)):
            said = {getattr(item, "scope_permissions", "SCOPE_PERMISSIONS_UNSPECIFIED") for item in group}
            if len(said) > 1:
                self._complaints.add(
                    Problem.SCOPE_PERMISSIONS,
                    group[-1].place,
                    f"The policies of scope {group[-1].scope!r} differ in scopePermissions.",
                    "Write the same value in all of them.",
                )


def _by_scope(documents: Iterable[Body]) -> list[list[Body]]:
    found: dict[str, list[Body]] = {}
    for document in documents:
        if isinstance(document, ResourcePolicy | PrincipalPolicy | RolePolicy):
            found.setdefault(document.scope, []).append(document)
    return list(found.values())
