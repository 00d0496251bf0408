"""Suite files below a directory, each with the fixtures of the `testdata` beside it, as Cerbos finds them."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from gateway.policy.suites.matrix import group_fault
from gateway.policy.suites.model import Fixtures, SuiteFault
from gateway.policy.suites.parse import parse_aux_data, parse_principals, parse_resources

_TEST_ENDINGS = ("_test.yaml", "_test.yml", "_test.json")
_ENDINGS = (".yaml", ".yml", ".json")
_TEST_DATA = "testdata"
_AUX_DATA_NAMES = ("auxdata", "auxData", "aux_data")


class FixtureFile(Struct, frozen=True):
    """One file of a `testdata` directory: its place on disk and what it is, `principals`, `resources` or `aux data`."""

    path: Path
    kind: str


class SuiteFile(Struct, frozen=True, kw_only=True):
    """One suite file: its place below the directory of tests, its bytes, and the files of its fixtures."""

    name: str
    data: bytes
    fixtures_name: str = ""
    """The directory of its fixtures, below the directory of tests."""
    fixtures: tuple[FixtureFile, ...] = ()


def find_suites(root: Path) -> tuple[SuiteFile, ...]:
    """Every suite below `root`, sorted by name. Raises OSError when one cannot be read."""
    found: list[SuiteFile] = []
    for directory, names, files in os.walk(root):
        has_data = _TEST_DATA in names
        names[:] = sorted(name for name in names if name != _TEST_DATA)
        here = Path(directory)
        data = here / _TEST_DATA
        fixtures = _fixture_files(data) if has_data else ()
        found += [
            SuiteFile(
                name=(here / file).relative_to(root).as_posix(),
                data=(here / file).read_bytes(),
                fixtures_name=data.relative_to(root).as_posix(),
                fixtures=fixtures,
            )
            for file in files
            if file.endswith(_TEST_ENDINGS)
        ]
    return tuple(sorted(found, key=lambda suite: suite.name))


def _fixture_files(directory: Path) -> tuple[FixtureFile, ...]:
    found: list[FixtureFile] = []
    for kind, stems in (
        ("principals", ("principals",)),
        ("resources", ("resources",)),
        ("aux data", _AUX_DATA_NAMES),
    ):
        paths = [directory / f"{stem}{ending}" for stem in stems for ending in _ENDINGS]
        existing = next((path for path in paths if path.is_file()), None)
        if existing is not None:
            found.append(FixtureFile(existing, kind))
    return tuple(found)


def load_fixtures(suite: SuiteFile) -> Fixtures:
    """The shared fixtures of a suite. Raises SuiteFault."""
    parsed = Fixtures()
    for file in suite.fixtures:
        try:
            parsed = _with(parsed, file)
        except SuiteFault as fault:
            raise SuiteFault(
                f"failed to load test fixtures from {suite.fixtures_name}: failed to load {file.kind}:{fault}"
            ) from None
    return parsed


def _with(found: Fixtures, file: FixtureFile) -> Fixtures:
    data, name = file.path.read_bytes(), file.path.name
    if file.kind == "aux data":
        return _joined(found, parse_aux_data(data, name))
    if file.kind == "principals":
        new = parse_principals(data, name)
        fault = group_fault(new.principal_groups, new.principals)
    else:
        new = parse_resources(data, name)
        fault = group_fault(new.resource_groups, new.resources)
    if fault:
        raise SuiteFault(f" {fault}")
    return _joined(found, new)


def _joined(first: Fixtures, second: Fixtures) -> Fixtures:
    return Fixtures(
        principals={**first.principals, **second.principals},
        resources={**first.resources, **second.resources},
        aux_data={**first.aux_data, **second.aux_data},
        principal_groups={**first.principal_groups, **second.principal_groups},
        resource_groups={**first.resource_groups, **second.resource_groups},
    )
