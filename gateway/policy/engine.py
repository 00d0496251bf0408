"""The engine: an immutable policy set that answers checks. Built whole or not at all."""

from __future__ import annotations

import hashlib
from bisect import insort
from collections.abc import Sequence

import msgspec
from msgspec import Struct, structs

from gateway.domain.check import (
    DENY,
    ActionDecision,
    AuxData,
    CheckAnswer,
    CheckRequest,
    Resource,
    ResourceDecision,
    ValidationError,
)
from gateway.domain.principal import Principal
from gateway.policy.cel import Activation, Budget
from gateway.policy.chain import Chain, Chains
from gateway.policy.compile import build_steps
from gateway.policy.directory import SourceFile
from gateway.policy.evaluate import Evaluation, Observer, Roles
from gateway.policy.load import load_steps
from gateway.policy.model import sanitised
from gateway.policy.problems import Complaints
from gateway.policy.reads import ATTRIBUTES, Reads
from gateway.policy.schemas import Schemas
from gateway.policy.settings import ENGINE_VERSION, EngineSettings
from gateway.policy.steps import Steps, finish
from gateway.policy.table import RuleRow, Table

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
        self._chains = Chains(table, lenient=settings.lenient_scope_search)
        self.revision = revision
        self.layers = table.layers

    def holds(self, kind: str, scope: str) -> bool:
        """Whether a resource policy of a kind exists in exactly a scope."""
        return (sanitised(kind), scope) in self._table.kinds

    def parts(self) -> list[object]:
        """Its policies, for whoever replaces it: to free ten thousand at once takes a tenth of a second."""
        return [*self._table.resources.values(), *self._table.principals.values()]

    def rules(self) -> tuple[RuleListing, ...]:
        """Every rule of every policy, in the order of the files."""
        rows: list[RuleRow] = []
        for policy in (*self._table.resources.values(), *self._table.principals.values()):
            rows += policy.rules
        for role_policies in self._table.roles.values():
            for narrowing in role_policies.values():
                rows += narrowing.rules
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
            for rule in rows
        )

    def with_settings(self, settings: EngineSettings) -> Engine:
        """The same policies, evaluated with other settings; nothing is compiled again. The revision stays."""
        table = structs.replace(self._table, globals=settings.globals)
        return Engine(table, self._schemas, settings, self.revision)

    def reads(self, principal: Principal, resource: Resource) -> Reads:
        """What of a check can change its answer. Equal reads and equal parts of the request have equal answers.

        The answer also repeats the resource's kind and id.
        """
        version, scope = self._asked(resource)
        chain = self._chains.of_resource(resource.kind, version, scope)
        of_principal = self._of_principal(principal, resource.kind, version)
        found = chain.reads | of_principal.reads
        if chain.schemas is not None and self._settings.schema_enforcement != "none":
            found |= ATTRIBUTES
        # Where a policy is for some principal of the version and scope, answers name this one's.
        own = of_principal.exists or any(rows.policy is not None for rows in of_principal.scopes)
        return found | Reads(principal_id=own)

    def check(self, request: CheckRequest, now: int) -> CheckAnswer:
        """The decisions of a batch; `now` (nanoseconds since the epoch) is the time of all of them."""
        return self.check_with(request, Activation(now=now))

    def check_with(
        self, request: CheckRequest, activation: Activation, observer: Observer | None = None
    ) -> CheckAnswer:
        """The decisions of a batch with a prepared clock; everything else of `activation` is set here.

        `observer` is told every step that is taken.
        """
        principal = request.principal
        activation.principal = {
            "id": principal.id,
            "roles": list(principal.roles),
            "attr": principal.attr,
            "policyVersion": principal.policy_version,
            "scope": principal.scope.removeprefix("."),
        }
        aux = request.aux_data or _NO_AUX_DATA
        activation.aux_data = {"jwt": aux.jwt, "jwts": aux.jwts}
        activation.globals = self._table.globals
        results = tuple(
            [
                self._check_one(principal, check.resource, check.actions, activation, observer)
                for check in request.checks
            ]
        )
        return CheckAnswer(results=results, revision=self.revision)

    def _check_one(
        self,
        principal: Principal,
        resource: Resource,
        actions: tuple[str, ...],
        activation: Activation,
        observer: Observer | None,
    ) -> ResourceDecision:
        settings = self._settings
        kind = resource.kind
        version, scope = self._asked(resource)
        chain = self._chains.of_resource(kind, version, scope)
        of_principal = self._of_principal(principal, kind, version)
        activation.resource = {
            "kind": kind,
            "id": resource.id,
            "attr": resource.attr,
            "policyVersion": resource.policy_version,
            "scope": resource.scope.removeprefix("."),
        }
        activation.budget = Budget(settings.expression_budget)
        errors: tuple[ValidationError, ...] = ()
        if chain.schemas is not None and settings.schema_enforcement != "none":
            errors = self._schemas.check(
                chain.schemas, actions, activation.principal_attr, activation.resource_attr
            )
            if errors and settings.schema_enforcement == "reject":
                refused = ActionDecision(DENY, chain.refusal)
                return ResourceDecision(
                    kind=kind,
                    id=resource.id,
                    actions=dict.fromkeys(actions, refused),
                    validation_errors=errors,
                )
        evaluation = Evaluation(
            chain,
            of_principal,
            self._roles_of(principal.roles, scope, version),
            activation,
            strict=settings.strict_evaluation,
            observer=observer,
        )
        return evaluation.run(kind, resource.id, actions, errors)

    def _asked(self, resource: Resource) -> tuple[str, str]:
        """The version and scope that are asked for."""
        # `.` is the root scope itself, also where the settings name another one for whoever says nothing.
        scope = resource.scope.removeprefix(".") or ("" if resource.scope else self._settings.default_scope)
        return resource.policy_version or self._settings.default_version, scope

    def _of_principal(self, principal: Principal, kind: str, version: str) -> Chain:
        settings = self._settings
        scope = principal.scope.removeprefix(".") or ("" if principal.scope else settings.default_scope)
        own_version = principal.policy_version or settings.default_version
        return self._chains.of_principal(principal.id, version, scope, kind, own_version)

    def _roles_of(self, roles: tuple[str, ...], scope: str, version: str) -> Roles:
        """Each role with the roles that role policies of a scope make it stand for."""
        if scope not in self._table.parent_roles:
            return tuple([(role,) for role in roles])
        return tuple([self._table.with_ancestors(role, scope, version) for role in roles])


_NO_AUX_DATA = AuxData()


def compile_policies(
    files: Sequence[SourceFile], settings: EngineSettings, *, check_schemas: bool = True
) -> Engine:
    """The engine of a policy set. Raises PolicyProblems with everything that is wrong."""
    return finish(compile_steps(files, settings, check_schemas=check_schemas))


def compile_steps(
    files: Sequence[SourceFile], settings: EngineSettings, *, check_schemas: bool = True
) -> Steps[Engine]:
    """As `compile_policies`, in small steps."""
    complaints = Complaints()
    documents = yield from load_steps(files, complaints)
    table = yield from build_steps(documents, settings, complaints)
    while documents:  # let go one by one: what ten thousand were parsed to takes a tenth of a second to free
        documents.pop()
        yield
    schemas = Schemas((file for file in files if file.schema), complaints)
    if check_schemas:
        yield from schemas.compile(table)
    complaints.raise_if_any()
    revision = yield from revision_of(files, settings)
    return Engine(table, schemas, settings, revision)


def revision_of(files: Sequence[SourceFile], settings: EngineSettings) -> Steps[str]:
    """The digest of what is evaluated: contents, settings and engine. Where the files lie makes no difference."""
    contents: list[bytes] = []
    for file in files:
        insort(contents, hashlib.sha256(file.data).digest())
        yield
    digest = hashlib.sha256(b"".join(contents))
    digest.update(msgspec.json.encode(settings, order="deterministic"))
    digest.update(str(ENGINE_VERSION).encode())
    return digest.hexdigest()[:REVISION_DIGITS]
