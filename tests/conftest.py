"""Fixtures that several rooms' tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.processes import CerbosProcess, GatewayProcess

# Speed is measured in bench/, and the same examples run everywhere.
settings.register_profile("ostiary", deadline=None, derandomize=True)
settings.load_profile("ostiary")

PACKS = Path(__file__).resolve().parents[1] / "policies"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-system",
        action="store_true",
        help="fail, not skip, where a part of the operating system is missing",
    )


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway that observes, with zero configuration."""
    with GatewayProcess(tmp_path / "gateway") as running:
        yield running


@pytest.fixture
def enforcing(tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway that enforces the shipped packs."""
    with GatewayProcess(tmp_path / "gateway", {"mode": "enforce"}) as running:
        yield running


@pytest.fixture(scope="session")
def cerbos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CerbosProcess]:
    """A real PDP that serves the shipped packs."""
    with CerbosProcess(tmp_path_factory.mktemp("cerbos"), PACKS) as running:
        yield running
