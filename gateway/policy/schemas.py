"""JSON Schemas (2020-12) of attributes, compiled at load; formats are asserted, as Cerbos does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema_rs

from gateway.domain.check import ValidationError
from gateway.policy.directory import SourceFile
from gateway.policy.globs import NameSet
from gateway.policy.model import SchemaReference
from gateway.policy.problems import Complaints, Place, Problem
from gateway.policy.table import PolicyRow, Table

_PREFIX = "cerbos:///"


class Schemas:
    """Validators by reference."""

    def __init__(self, files: Iterable[SourceFile], complaints: Complaints) -> None:
        self._documents: dict[str, Any] = {}
        self._validators: dict[str, Any] = {}
        self._complaints = complaints
        for file in files:
            try:
                self._documents[_PREFIX + file.schema] = json.loads(file.data)
            except ValueError as error:
                place = Place(file.name, getattr(error, "lineno", 1), getattr(error, "colno", 1))
                complaints.add(
                    Problem.INVALID_SCHEMA, place, f"The schema is not JSON: {error}.", "Correct it."
                )

    def compile(self, table: Table) -> None:
        """Compile every schema that a policy names; a missing or wrong one is a complaint at the reference."""
        for policy in table.resources.values():
            for reference in (policy.principal_schema, policy.resource_schema):
                if reference is not None and reference.reference not in self._validators:
                    self._compile(reference)

    def check(
        self, policy: PolicyRow, actions: tuple[str, ...], principal: Any, resource: Any
    ) -> tuple[ValidationError, ...]:
        """What is wrong with the attributes of a principal and a resource, for these actions."""
        found: list[ValidationError] = []
        for reference, value, source in (
            (policy.principal_schema, principal, "SOURCE_PRINCIPAL"),
            (policy.resource_schema, resource, "SOURCE_RESOURCE"),
        ):
            if reference is None:
                continue
            ignored = NameSet(reference.ignored_actions)
            if reference.ignored_actions and all(ignored.matches(action) for action in actions):
                continue
            found += _errors(self._validators[reference.reference], value, source)
        return tuple(found)

    def _compile(self, reference: SchemaReference) -> None:
        document = self._documents.get(reference.reference)
        if document is None:
            self._complaints.add(
                Problem.INVALID_SCHEMA,
                reference.place,
                f"There is no schema {reference.reference!r}.",
                "Put it below _schemas.",
            )
            return
        try:
            self._validators[reference.reference] = jsonschema_rs.Draft202012Validator(
                document, validate_formats=True, retriever=self._retrieve
            )
        except (ValueError, KeyError) as error:
            self._complaints.add(
                Problem.INVALID_SCHEMA, reference.place, f"The schema is not valid: {error}.", "Correct it."
            )

    def _retrieve(self, uri: str) -> Any:
        """Other schemas of the same set; nothing is ever fetched."""
        return self._documents[uri]


def _errors(validator: Any, value: Mapping[str, Any], source: str) -> Iterable[ValidationError]:
    for error in validator.iter_errors(value):
        path = "".join(f"/{part}" for part in error.instance_path)
        yield ValidationError(path or "/", error.message, source)
