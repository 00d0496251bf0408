"""A test suite as written: fixtures, tables of inputs and what is expected of each. Names as in Cerbos' suite files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from gateway.domain.check import AuxData, Effect, Resource
from gateway.domain.principal import Principal

Result = Literal["RESULT_SKIPPED", "RESULT_PASSED", "RESULT_FAILED", "RESULT_ERRORED"]
RESULTS: tuple[Result, ...] = ("RESULT_SKIPPED", "RESULT_PASSED", "RESULT_FAILED", "RESULT_ERRORED")
"""From best to worst: a suite is as good as its worst test."""


class Options(Struct, frozen=True, kw_only=True):
    """What a test is evaluated with. `now` is in nanoseconds since the epoch, None when the suite does not say."""

    now: int | None = None
    globals: Mapping[str, Any] = {}
    default_version: str = ""
    default_scope: str = ""
    lenient_scope_search: bool = False
    strict_evaluation: bool = False


class Fixtures(Struct, frozen=True, kw_only=True):
    """Named principals, resources and auxiliary data, and groups of the first two."""

    principals: Mapping[str, Principal] = {}
    resources: Mapping[str, Resource] = {}
    aux_data: Mapping[str, AuxData] = {}
    principal_groups: Mapping[str, tuple[str, ...]] = {}
    resource_groups: Mapping[str, tuple[str, ...]] = {}


class Names(Struct, frozen=True, kw_only=True):
    """Principals and resources by name, single ones and groups."""

    principals: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    principal_groups: tuple[str, ...] = ()
    resource_groups: tuple[str, ...] = ()


class ExpectedOutput(Struct, frozen=True):
    """One output a test waits for: the rule it comes from and its value."""

    src: str
    val: Any = None


class Expectation(Struct, frozen=True, kw_only=True):
    """What is expected for every pair of the named principals and resources."""

    names: Names
    actions: Mapping[str, Effect]
    outputs: tuple[tuple[str, tuple[ExpectedOutput, ...]], ...] = ()
    """Per action, in the order written; of two for one action the later counts."""


class Table(Struct, frozen=True, kw_only=True):
    """One entry of `tests`: every principal times every resource times every action."""

    name: str
    names: Names
    actions: tuple[str, ...]
    aux_data: str = ""
    expected: tuple[Expectation, ...] = ()
    skip: bool = False
    skip_reason: str = ""
    options: Options | None = None
    """Instead of the suite's options, not beside them."""


class Suite(Struct, frozen=True, kw_only=True):
    """One suite file."""

    name: str
    description: str = ""
    skip: bool = False
    skip_reason: str = ""
    options: Options = Options()
    fixtures: Fixtures = Fixtures()
    tables: tuple[Table, ...] = ()


class Case(Struct, frozen=True, kw_only=True):
    """One principal and one resource of a table, with all its actions."""

    table: str
    principal_name: str
    resource_name: str
    principal: Principal
    resource: Resource
    actions: tuple[str, ...]
    aux_data: AuxData | None
    effects: Mapping[str, Effect]
    outputs: Mapping[str, Mapping[str, Any]]
    """Action to source to value."""
    skip: bool
    skip_reason: str
    options: Options


class SuiteFault(Exception):
    """A suite that cannot be run; the sentence is Cerbos', so that tools which compare it keep working."""
