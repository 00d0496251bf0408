"""The engine: an immutable policy set that answers checks. Built whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct, structs

from gateway.domain.check import AuxData, CheckAnswer, CheckRequest, Resource, ResourceDecision
from gateway.domain.principal import Principal
from gateway.policy.cel import Activation, Budget
from gateway.policy.compile import build_table
from gateway.policy.directory import SourceFile
from gateway.policy.evaluate import Asked, Evaluation, visible_scopes
from gateway.policy.load import load_documents
from gateway.policy.problems import Complaints
from gateway.policy.schemas import Schemas
from gateway.policy.settings import ENGINE_VERSION, EngineSettings
from gateway.policy.table import Table

REVISION_DIGITS = 12


class RuleListing(Struct, frozen=True, kw_only=True):
    """One rule, for lists and tests."""

    name: str
    policy: str
    effect: str
    actions: tuple[str, ...]
    roles: tuple[str, ...]
    file: str
    line: int
    has_output: bool


class Engine:
    """A compiled policy set. Thread-safe for reading; `revision` names exactly what it answers."""

    def __init__(self, table: Table, schemas: Schemas, settings: EngineSettings, revision: str) -> None:
        self._table = table
        self._schemas = schemas
        self._settings = settings
        self.revision = revision
        self._kinds = frozenset((kind, scope) for kind, _, scope in table.resources)
        self.layers = tuple(sorted({scope for _, scope in self._kinds if scope}))

    def holds(self, kind: str, scope: str) -> bool:
        """Whether a resource policy of a kind exists in exactly a scope."""
        return (kind, scope) in self._kinds

    def rules(self) -> tuple[RuleListing, ...]:
        """Every rule of every policy, in the order of the files."""
        policies = (
            *self._table.resources.values(),
            *self._table.principals.values(),
            *self._table.roles.values(),
        )
        return tuple(
            RuleListing(
                name=rule.place.rule,
                policy=rule.place.policy,
                effect=rule.effect,
                actions=rule.actions.patterns,
                roles=rule.roles.patterns,
                file=rule.place.file,
                line=rule.place.line,
                has_output=rule.activated is not None,
            )
            for policy in policies
            for rule in policy.rules
        )

    def with_settings(self, settings: EngineSettings) -> Engine:
        """The same policies, evaluated with other settings; nothing is compiled again. The revision stays."""
        table = structs.replace(self._table, globals=settings.globals)
        return Engine(table, self._schemas, settings, self.revision)

    def check(self, request: CheckRequest, now: int) -> CheckAnswer:
        """The decisions of a batch; `now` (nanoseconds since the epoch) is the time of all of them."""
        return self.check_with(request, Activation(now=now))

    def check_with(self, request: CheckRequest, activation: Activation) -> CheckAnswer:
        """The decisions of a batch with a prepared clock; everything else of `activation` is set here."""
        activation.principal = _principal_message(request.principal)
        aux = request.aux_data or AuxData()
        activation.aux_data = {"jwt": aux.jwt, "jwts": aux.jwts}
        activation.globals = self._table.globals
        results = tuple(
            self._check_one(request.principal, check.resource, check.actions, activation)
            for check in request.checks
        )
        return CheckAnswer(results=results, revision=self.revision)

    def _check_one(
        self, principal: Principal, resource: Resource, actions: tuple[str, ...], activation: Activation
    ) -> ResourceDecision:
        settings = self._settings
        version = resource.policy_version or settings.default_version
        scope = resource.scope or settings.default_scope
        lenient = settings.lenient_scope_search
        asked = Asked(
            kind=resource.kind,
            identifier=resource.id,
            version=version,
            resource_scopes=visible_scopes(scope, self._table.resource_scopes, lenient=lenient),
            principal_scopes=visible_scopes(
                principal.scope or settings.default_scope, self._table.principal_scopes, lenient=lenient
            ),
            principal_id=principal.id,
            roles=principal.roles,
        )
        activation.resource = {
            "kind": resource.kind,
            "id": resource.id,
            "attr": resource.attr,
            "policyVersion": version,
            "scope": scope,
        }
        activation.budget = Budget(settings.expression_budget)
        errors, refused = self._validate(asked, actions, principal, resource)
        return Evaluation(self._table, asked, activation).run(actions, errors, refused=refused)

    def _validate(
        self, asked: Asked, actions: tuple[str, ...], principal: Principal, resource: Resource
    ) -> tuple[tuple[Any, ...], bool]:
        enforcement = self._settings.schema_enforcement
        if enforcement == "none":
            return (), False
        for scope in asked.resource_scopes:
            policy = self._table.resources.get((asked.kind, asked.version, scope))
            if policy is not None:
                errors = self._schemas.check(policy, actions, dict(principal.attr), dict(resource.attr))
                return errors, bool(errors) and enforcement == "reject"
        return (), False


def compile_policies(
    files: Sequence[SourceFile], settings: EngineSettings, *, check_schemas: bool = True
) -> Engine:
    """The engine of a policy set. Raises PolicyProblems with everything that is wrong."""
    complaints = Complaints()
    documents = load_documents(files, complaints)
    table = build_table(documents, settings, complaints)
    schemas = Schemas((file for file in files if file.schema), complaints)
    if check_schemas:
        schemas.compile(table)
    complaints.raise_if_any()
    return Engine(table, schemas, settings, revision_of(files, settings))


def revision_of(files: Sequence[SourceFile], settings: EngineSettings) -> str:
    """The digest of what is evaluated: contents, settings and engine. Where the files lie makes no difference."""
    digest = hashlib.sha256()
    for data in sorted(hashlib.sha256(file.data).digest() for file in files):
        digest.update(data)
    digest.update(msgspec.json.encode(settings, order="deterministic"))
    digest.update(str(ENGINE_VERSION).encode())
    return digest.hexdigest()[:REVISION_DIGITS]


def _principal_message(principal: Principal) -> dict[str, Any]:
    return {
        "id": principal.id,
        "roles": list(principal.roles),
        "attr": principal.attr,
        "policyVersion": principal.policy_version,
        "scope": principal.scope,
    }
