"""One gateway of each stance, shared by the tests of a module that only ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.processes import GatewayProcess


@pytest.fixture(scope="module")
def observes(tmp_path_factory) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path_factory.mktemp("observes")) as running:
        yield running


@pytest.fixture(scope="module")
def enforces(tmp_path_factory) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path_factory.mktemp("enforces"), {"mode": "enforce"}) as running:
        yield running
