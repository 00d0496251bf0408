"""Policies to a rule table: imports resolved, expressions compiled, scopes checked, every complaint collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from gateway.domain.check import RulePlace
from gateway.policy.cel import Program
from gateway.policy.conditions import Condition
from gateway.policy.globs import NameSet
from gateway.policy.model import (
    CONSENT,
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
    sanitised,
)
from gateway.policy.names import NameResolver, Names
from gateway.policy.problems import Complaints, Problem
from gateway.policy.scopes import check_set
from gateway.policy.settings import EngineSettings
from gateway.policy.steps import Steps
from gateway.policy.table import DerivedRoleRow, PolicyRow, RolePolicyRow, RuleRow, Table

_EVERYTHING = NameSet(("*",))


def build_steps(
    documents: Sequence[Document], settings: EngineSettings, complaints: Complaints
) -> Steps[Table]:
    """The table of a policy set, in small steps. What is wrong is in `complaints`; the table is then incomplete."""
    yield from check_set(documents, complaints)
    variables: dict[str, ExportVariables] = {}
    constants: dict[str, ExportConstants] = {}
    derived: dict[str, DerivedRoles] = {}
    for document in documents:
        yield
        if isinstance(document, ExportVariables):
            variables[document.name] = document
        elif isinstance(document, ExportConstants):
            constants[document.name] = document
        elif isinstance(document, DerivedRoles):
            derived[document.name] = document
    names = NameResolver(variables, constants, complaints)
    return (yield from _Builder(documents, names, derived, complaints).build(settings))


class _Derived(Struct, frozen=True, eq=False):
    """A derived role that a policy imports, and the import it comes from."""

    row: DerivedRoleRow
    source: str


class _Builder:
    def __init__(
        self,
        documents: Sequence[Document],
        names: NameResolver,
        derived: Mapping[str, DerivedRoles],
        complaints: Complaints,
    ) -> None:
        self._documents = documents
        self._complaints = complaints
        self._rule_number = 0
        self._names = names
        self._derived = derived
        self._derived_rows: dict[str, dict[str, DerivedRoleRow]] = {}
        self._derived_names: dict[str, Names] = {}

    def build(self, settings: EngineSettings) -> Steps[Table]:
        """Compile every policy."""
        resources: dict[tuple[str, str, str], PolicyRow] = {}
        principals: dict[tuple[str, str, str], PolicyRow] = {}
        roles: dict[tuple[str, str], dict[str, RolePolicyRow]] = {}
        parents: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {}
        scopes, layers, consents = set[str](), set[str](), set[str]()
        principal_scopes, principal_versions = set[str](), set[tuple[str, str]]()
        kinds: set[tuple[str, str]] = set()
        for name in sorted(self._derived):
            self._derived_set(name)
            yield
        for document in self._documents:
            yield
            if isinstance(document, ResourcePolicy):
                kind = sanitised(document.name)
                row = yield from self._resource(document)
                resources[kind, document.version, document.scope] = row
                scopes.add(document.scope)
                kinds.add((kind, document.scope))
                layers.add(document.scope)
            elif isinstance(document, PrincipalPolicy):
                row = yield from self._principal(document)
                principals[document.name, document.version, document.scope] = row
                principal_scopes.add(document.scope)
                principal_versions.add((document.version, document.scope))
            elif isinstance(document, RolePolicy):
                narrowing = yield from self._role(document)
                roles.setdefault((document.version, document.scope), {})[document.name] = narrowing
                versions = parents.setdefault(document.scope, {}).setdefault(document.name, {})
                versions[document.version] = document.parent_roles
                scopes.add(document.scope)
            if (
                isinstance(document, ResourcePolicy | PrincipalPolicy)
                and document.scope_permissions == CONSENT
            ):
                consents.add(document.scope)
        return Table(
            resources=resources,
            principals=principals,
            roles=roles,
            parent_roles=parents,
            kinds=frozenset(kinds),
            layers=tuple(sorted(layers - {""})),
            resource_scopes=frozenset(scopes),
            principal_scopes=frozenset(principal_scopes),
            principal_versions=frozenset(principal_versions),
            consent_scopes=frozenset(consents),
            globals=settings.globals,
        )

    def _resource(self, document: ResourcePolicy) -> Steps[PolicyRow]:
        names = self._names.resolve(document.definitions)
        derived = self._imported(document)
        key = policy_key(document)
        consent = document.scope_permissions == CONSENT
        rules: list[RuleRow] = []
        used: dict[str, DerivedRoleRow] = {}
        for rule in document.rules:
            yield
            bound = {name: derived[name].row for name, _ in rule.derived_roles if name in derived}
            used |= bound
            for name, row_of_role in bound.items():
                self._names.refuse(self._derived_names[derived[name].source], row_of_role.names)
            row = self._rule(rule, key, names, derived=tuple(bound.values()))
            rules.append(
                structs.replace(row, roles=_roles(rule.roles), denies_unless=_unless(row, consent=consent))
            )
        names.keep(program for rule in rules for program in rule.programs())
        return PolicyRow(
            key=key,
            scope=document.scope,
            rules=rules,
            derived_roles=[used[name] for name in sorted(used)],
            schemas=(document.principal_schema, document.resource_schema),
        )

    def _principal(self, document: PrincipalPolicy) -> Steps[PolicyRow]:
        names = self._names.resolve(document.definitions)
        key = policy_key(document)
        consent = document.scope_permissions == CONSENT
        rules: list[RuleRow] = []
        for rule in document.rules:
            yield
            row = self._rule(rule, key, names)
            rules.append(
                structs.replace(
                    row,
                    resource=NameSet((sanitised(rule.resource),)),
                    denies_unless=_unless(row, consent=consent),
                )
            )
        names.keep(program for rule in rules for program in rule.programs())
        return PolicyRow(key=key, scope=document.scope, rules=rules)

    def _role(self, document: RolePolicy) -> Steps[RolePolicyRow]:
        names = self._names.resolve(document.definitions)
        key = policy_key(document)
        rules: list[RuleRow] = []
        for number, rule in enumerate(document.rules, 1):
            yield
            row = self._rule(rule, key, names)
            shown = rule.name or f"rule-{number:03d}"
            rules.append(
                structs.replace(
                    row,
                    resource=NameSet((rule.resource,)),
                    place=structs.replace(row.place, rule=shown),
                    denies_unless=rule.condition is not None,
                )
            )
        names.keep(program for rule in rules for program in rule.programs())
        return RolePolicyRow(key=key, role=document.name, rules=rules)

    def _rule(
        self, rule: RuleText, key: str, names: Names, *, derived: tuple[DerivedRoleRow, ...] = ()
    ) -> RuleRow:
        self._rule_number += 1 + len(derived)
        condition = self._condition(rule.condition, names)
        output = rule.output
        activated = self._program(output.activated, names) if output and output.activated else None
        not_met = self._program(output.not_met, names) if output and output.not_met else None
        of_condition = names.used_by(condition.programs() if condition else ())
        of_outputs = names.used_by((activated, not_met))
        self._names.refuse(names, of_condition)
        self._names.refuse(names, of_outputs)
        return RuleRow(
            number=self._rule_number - len(derived),
            place=RulePlace(policy=key, rule=rule.name, file=rule.place.file, line=rule.place.line),
            source=f"{key}#{rule.name}",
            effect=rule.effect,
            actions=NameSet(rule.actions),
            roles=_EVERYTHING,
            derived_roles=derived,
            resource=_EVERYTHING,
            condition=condition,
            denies_unless=False,
            activated=activated,
            not_met=not_met,
            parameters=names.parameters,
            names=of_condition,
            output_names=of_outputs,
        )

    def _condition(self, match: Match | None, names: Names) -> Condition | None:
        if match is None:
            return None
        if match.expression is not None:
            return Condition("expr", self._program(match.expression, names), ())
        members = [self._condition(member, names) for member in match.members]
        return Condition(match.kind, None, [member for member in members if member is not None])

    def _program(self, text: ExpressionText, names: Names) -> Program | None:
        return self._names.compile(text, names.variables, names.constants)

    def _derived_set(self, name: str) -> dict[str, DerivedRoleRow]:
        known = self._derived_rows.get(name)
        if known is None:
            document = self._derived[name]
            names = self._derived_names[name] = self._names.resolve(document.definitions)
            known = self._derived_rows[name] = {}
            for role in document.roles:
                condition = self._condition(role.condition, names)
                known[role.name] = DerivedRoleRow(
                    name=role.name,
                    place=RulePlace(
                        policy=policy_key(document),
                        rule=role.name,
                        file=role.place.file,
                        line=role.place.line,
                    ),
                    parents=_roles(role.parent_roles),
                    condition=condition,
                    parameters=names.parameters,
                    names=names.used_by(condition.programs() if condition else ()),
                    uses_runtime=names.reads_runtime(condition.programs() if condition else ()),
                )
            conditions = [row.condition for row in known.values() if row.condition is not None]
            names.keep(program for condition in conditions for program in condition.programs())
        return known

    def _imported(self, document: ResourcePolicy) -> dict[str, _Derived]:
        """The derived roles a policy imports, by name; one that two sets define is ambiguous where it is used."""
        found: dict[str, _Derived] = {}
        used = {name for rule in document.rules for name, _ in rule.derived_roles}
        for source, place in document.derived_role_imports:
            if source not in self._derived:
                known = ", ".join(sorted(self._derived)[:8])
                self._complaints.add(
                    Problem.MISSING_IMPORT,
                    place,
                    f"There is no set of derived roles {source!r}.",
                    f"Known: {known}." if known else "Write a policy `derivedRoles` of that name.",
                )
                continue
            for role, row in self._derived_set(source).items():
                if role in found and role in used:
                    self._complaints.add(
                        Problem.AMBIGUOUS_DERIVED_ROLE,
                        place,
                        f"The derived role {role!r} is defined by the imports {found[role].source!r} and {source!r}.",
                        "Rename it in one of them, or import only one.",
                    )
                found[role] = _Derived(row, source)
        for rule in document.rules:
            for role, place in rule.derived_roles:
                if role not in found:
                    self._complaints.add(
                        Problem.UNKNOWN_DERIVED_ROLE,
                        place,
                        f"The derived role {role!r} is not defined in any import.",
                        "Name its set under `importDerivedRoles`.",
                    )
        return found


def _roles(names: tuple[str, ...]) -> NameSet:
    """Roles of a rule or parents of a derived role; beside `*` others add nothing, not even repeated outputs."""
    return _EVERYTHING if "*" in names else NameSet(names)


def _unless(row: RuleRow, *, consent: bool) -> bool:
    """Whether an ALLOW stays as a DENY for whoever does not meet its condition: the parent scope has to allow."""
    return consent and row.effect == "EFFECT_ALLOW" and row.condition is not None
