"""A suite to its single cases: groups opened, fixtures found, expectations joined. Sentences are Cerbos'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from gateway.domain.check import AuxData, Effect, Resource
from gateway.domain.principal import Principal
from gateway.policy.suites.model import Case, Fixtures, Suite, SuiteFault, Table
from gateway.policy.suites.values import same

Value = TypeVar("Value")
_Outputs = dict[str, dict[str, Any]]


class _Expected:
    """What is expected of one principal and one resource; entries that agree may be repeated."""

    def __init__(self) -> None:
        self.effects: dict[str, Effect] = {}
        self.outputs: _Outputs = {}


def cases_of(suite: Suite, shared: Fixtures) -> list[Case]:
    """Every case in the order of the file. Raises SuiteFault when the suite cannot be run."""
    _Lookup(suite.fixtures, shared).check_groups()
    if suite.skip:
        return []
    _check_names(suite)
    lookup = _Lookup(suite.fixtures, shared)
    found: list[Case] = []
    for table in suite.tables:
        try:
            found += _cases(table, suite, lookup)
        except SuiteFault as fault:
            raise SuiteFault(f'Failed to load the test suite: invalid test "{table.name}": {fault}') from None
    return found


def _check_names(suite: Suite) -> None:
    seen: set[str] = set()
    again: list[str] = []
    for table in suite.tables:
        if table.name in seen:
            again.append(f"another test named {table.name} already exists")
        seen.add(table.name)
    if again:
        raise SuiteFault(f"Invalid test suite: {'; '.join(again)}")


class _Lookup:
    """The suite's own fixtures before those of its `testdata`."""

    def __init__(self, own: Fixtures, shared: Fixtures) -> None:
        self._own = own
        self._shared = shared

    def check_groups(self) -> None:
        """Every member of the suite's own groups must exist."""
        for kind, groups, found in (
            ("principal", self._own.principal_groups, (self._own.principals, self._shared.principals)),
            ("resource", self._own.resource_groups, (self._own.resources, self._shared.resources)),
        ):
            fault = group_fault(groups, (*found[0], *found[1]))
            if fault:
                raise SuiteFault(f"Invalid {kind} groups in test suite: {fault}")

    def principal(self, name: str) -> Principal:
        """A principal by name."""
        return _either(name, self._own.principals, self._shared.principals, "principal")

    def resource(self, name: str) -> Resource:
        """A resource by name."""
        return _either(name, self._own.resources, self._shared.resources, "resource")

    def aux_data(self, name: str) -> AuxData | None:
        """Auxiliary data by name, None for no name."""
        return _either(name, self._own.aux_data, self._shared.aux_data, "auxData") if name else None

    def principals(self, names: Iterable[str], groups: Iterable[str]) -> list[str]:
        """The named principals and those of the groups, each once."""
        return _opened(names, groups, self._own.principal_groups, self._shared.principal_groups)

    def resources(self, names: Iterable[str], groups: Iterable[str]) -> list[str]:
        """The named resources and those of the groups, each once."""
        return _opened(names, groups, self._own.resource_groups, self._shared.resource_groups)


def group_fault(groups: Mapping[str, tuple[str, ...]], known: Iterable[str]) -> str:
    """What is wrong with groups over these fixtures, "" when nothing is."""
    names = set(known)
    for group, members in groups.items():
        for member in members:
            if member not in names:
                return f'missing fixture "{member}" referenced in group "{group}"'
    return ""


def _either(name: str, own: Mapping[str, Value], shared: Mapping[str, Value], kind: str) -> Value:
    if name in own:
        return own[name]
    if name in shared:
        return shared[name]
    raise SuiteFault(f'{kind} "{name}" not found')


def _opened(
    names: Iterable[str],
    groups: Iterable[str],
    own: Mapping[str, tuple[str, ...]],
    shared: Mapping[str, tuple[str, ...]],
) -> list[str]:
    found = dict.fromkeys(names)
    for group in groups:
        # Cerbos 0.55 says "principal group" of a missing resource group as well; so do we, for equal output.
        found.update(dict.fromkeys(_either(group, own, shared, "principal group")))
    return list(found)


def _cases(table: Table, suite: Suite, lookup: _Lookup) -> list[Case]:
    expected = _expectations(table, lookup)
    found: list[Case] = []
    principals = lookup.principals(table.names.principals, table.names.principal_groups)
    resources = lookup.resources(table.names.resources, table.names.resource_groups)
    for principal in principals:
        for resource in resources:
            wanted = expected.pop((principal, resource), None) or _Expected()
            found.append(
                Case(
                    table=table.name,
                    principal_name=principal,
                    resource_name=resource,
                    principal=lookup.principal(principal),
                    resource=lookup.resource(resource),
                    actions=table.actions,
                    aux_data=lookup.aux_data(table.aux_data),
                    effects=wanted.effects,
                    outputs=wanted.outputs,
                    skip=table.skip,
                    skip_reason=table.skip_reason,
                    options=suite.options if table.options is None else table.options,
                )
            )
    for principal, resource in expected:
        raise SuiteFault(
            f'found an expectation for principal "{principal}" and resource "{resource}",'
            " but at least one of these is not present in input"
        )
    return found


def _expectations(table: Table, lookup: _Lookup) -> dict[tuple[str, str], _Expected]:
    found: dict[tuple[str, str], _Expected] = {}
    for expectation in table.expected:
        unknown = sorted(set(expectation.actions) - set(table.actions))
        if unknown:
            raise SuiteFault(
                "found expectations for actions that do not exist in the input actions list: "
                f"[{','.join(unknown)}]"
            )
        unknown = [action for action, _ in expectation.outputs if action not in table.actions]
        if unknown:
            raise SuiteFault(
                "found output expectations for actions that are not in the input actions list: "
                f"[{','.join(unknown)}]"
            )
        names = expectation.names
        # Of two entries for one action within an expectation the later counts; between expectations they must agree.
        outputs = {
            action: {output.src: output.val for output in entries} for action, entries in expectation.outputs
        }
        for principal in lookup.principals(names.principals, names.principal_groups):
            for resource in lookup.resources(names.resources, names.resource_groups):
                wanted = found.setdefault((principal, resource), _Expected())
                _join_effects(wanted, expectation.actions, principal, resource)
                _join_outputs(wanted, outputs, principal, resource)
    return found


def _join_effects(wanted: _Expected, effects: Mapping[str, Effect], principal: str, resource: str) -> None:
    for action, effect in effects.items():
        if wanted.effects.setdefault(action, effect) != effect:
            raise SuiteFault(
                f'found inconsistent expectations for principal "{principal}" performing action "{action}"'
                f' on resource "{resource}"'
            )


def _join_outputs(wanted: _Expected, outputs: _Outputs, principal: str, resource: str) -> None:
    for action, entries in outputs.items():
        known = wanted.outputs.setdefault(action, {})
        for src, val in entries.items():
            if src in known and not same(known[src], val):
                raise SuiteFault(
                    f'found inconsistent expectations for output "{src}" from principal "{principal}"'
                    f' performing action "{action}" on resource "{resource}"'
                )
            known[src] = val
