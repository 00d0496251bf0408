"""JSON Schemas (2020-12) of attributes, compiled at load; formats are asserted, as Cerbos does.

A reference stays inside the policy set: nothing is ever fetched, whatever `$ref` says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from typing import Any

import jsonschema_rs

from gateway.domain.check import ValidationError
from gateway.policy.directory import SourceFile
from gateway.policy.formats import FORMATS
from gateway.policy.globs import NameSet
from gateway.policy.model import SchemaReference
from gateway.policy.problems import Complaints, Problem
from gateway.policy.schema_errors import flat_errors
from gateway.policy.steps import Steps
from gateway.policy.table import Table

_PREFIX = "cerbos:///"
_PATTERN_BYTES = 1_000_000
SchemaPair = tuple[SchemaReference | None, SchemaReference | None]


class Schemas:
    """Validators by reference."""

    def __init__(self, files: Iterable[SourceFile], complaints: Complaints) -> None:
        self._documents: dict[str, Any] = {}
        self._broken: dict[str, str] = {}
        self._validators: dict[str, Any] = {}
        self._complaints = complaints
        for file in files:
            uri = _PREFIX + file.schema
            try:
                self._documents[uri] = json.loads(file.data)
            except (ValueError, RecursionError) as error:
                self._broken[uri] = f"it is not JSON: {error}"

    def compile(self, table: Table) -> Steps[None]:
        """Compile every schema that a policy names; a missing or wrong one is a complaint at the reference."""
        for policy in table.resources.values():
            yield
            for reference in policy.schemas:
                if reference is not None and reference.reference not in self._validators:
                    self._compile(reference)

    def check(
        self, schemas: SchemaPair, actions: tuple[str, ...], principal: Any, resource: Any
    ) -> tuple[ValidationError, ...]:
        """What is wrong with the attributes of a principal and a resource, for these actions."""
        found: list[ValidationError] = []
        for reference, value, source in (
            (schemas[0], principal, "SOURCE_PRINCIPAL"),
            (schemas[1], resource, "SOURCE_RESOURCE"),
        ):
            if reference is None:
                continue
            ignored = NameSet(reference.ignored_actions)
            if reference.ignored_actions and all(ignored.matches(action) for action in actions):
                continue
            validator = self._validators.get(reference.reference)
            if validator is not None:
                document = self._documents[reference.reference]
                errors = flat_errors(validator.iter_errors(value), partial(self._find, document))
                found += [ValidationError(path, message, source) for path, message in errors]
        return tuple(found)

    def _compile(self, reference: SchemaReference) -> None:
        uri = reference.reference
        document = self._documents.get(uri)
        if document is None:
            self._complaints.add(
                Problem.INVALID_SCHEMA,
                reference.place,
                f"The schema {uri!r} cannot be used: {self._broken.get(uri, 'there is none')}.",
                "Put it below _schemas and name it cerbos:///<path below _schemas>.",
            )
            return
        if not isinstance(document, dict | bool):
            self._refuse(reference, "a schema is an object or a boolean")
            return
        try:
            self._validators[uri] = jsonschema_rs.Draft202012Validator(
                document,
                validate_formats=True,
                formats=dict(FORMATS),
                base_uri=uri,
                retriever=self._retrieve,
                # Linear-time matching: the pattern is the author's, the text the client's.
                pattern_options=jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES),
            )
        except (ValueError, KeyError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            self._refuse(reference, str(error).splitlines()[0] if str(error) else type(error).__name__)

    def _refuse(self, reference: SchemaReference, reason: str) -> None:
        self._complaints.add(
            Problem.INVALID_SCHEMA,
            reference.place,
            f"The schema {reference.reference!r} is not valid: {reason}.",
            "Correct it; a $ref may only name schemas below _schemas.",
        )

    def _find(self, document: Any, path: list[Any]) -> Any:
        """The part of a schema at a path, which may lead through references; None when it cannot be found."""
        root = part = document
        for step in path:
            if step == "$ref":
                uri, _, below = str(part.get("$ref", "")).partition("#")
                if uri:
                    root = self._documents.get(uri)
                part = root
                for name in below.split("/")[1:]:
                    part = (
                        part.get(name.replace("~1", "/").replace("~0", "~"))
                        if isinstance(part, dict)
                        else None
                    )
                continue
            try:
                part = part[step]
            except (KeyError, IndexError, TypeError):
                return None
        return part

    def _retrieve(self, uri: str) -> Any:
        """Other schemas of the same set; nothing is ever fetched."""
        document = self._documents.get(uri)
        if document is None:
            raise ValueError(f"{uri} is not a schema of this policy set")
        return document
