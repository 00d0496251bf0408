"""Places, gateways of every backend, and the loopback host that the real client's sessions need."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.client.managed import namespace_problem
from tests.client.terminal import terminal_problem
from tests.client.web_host import WebHost
from tests.client.workplace import Workplace, workplace
from tests.support.processes import GatewayProcess

StartGateway = Callable[..., GatewayProcess]
DESK = {
    "desk": {
        "sources": ["project", "dynamic"],
        "tools": {
            "echo": {"text": "text"},
            "read_file": {"path": "read"},
            "write_file": {"path": "write", "text": "text"},
        },
    }
}
"""What the tests' MCP server does; run as `stranger` it is one that nobody described, and is asked about."""


@pytest.fixture
def place() -> Iterator[Workplace]:
    """A home and a project of their own."""
    with workplace() as made:
        yield made


@pytest.fixture
def host(tmp_path: Path) -> Iterator[WebHost]:
    """A host on the web that notes what it is sent."""
    with WebHost(tmp_path) as running:
        yield running


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A directory under /tmp, which agents may write."""
    made = Path(tempfile.mkdtemp(prefix="ostiary-scratch-", dir="/tmp"))
    yield made
    shutil.rmtree(made)


@pytest.fixture(params=["local", pytest.param("cerbos", marks=pytest.mark.pdp)])
def backend(request: pytest.FixtureRequest) -> dict[str, object]:
    """The settings of each backend in turn: the embedded engine, and the real PDP with the same policies."""
    if request.param == "local":
        return {"backend": "local"}
    return {"backend": "cerbos", "cerbos.url": request.getfixturevalue("cerbos").url}


@pytest.fixture
def start_gateway(tmp_path: Path) -> Iterator[StartGateway]:
    """Starts gateways that end with the test: `start_gateway({"mode": "enforce"})`."""
    with ExitStack() as stack:
        count = 0

        def start(settings: Mapping[str, object] | None = None, **options: object) -> GatewayProcess:
            nonlocal count
            count += 1
            directory = tmp_path / f"gateway-{count}"
            described = {"facts.mcp": json.dumps(DESK), **(settings or {})}
            return stack.enter_context(GatewayProcess(directory, described, **options))  # type: ignore[arg-type]

        yield start


@pytest.fixture(scope="session")
def private_etc(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips where managed settings cannot be tried: they stand in `/etc`, and an own one takes the right to mount."""
    problem = namespace_problem(tmp_path_factory.mktemp("trial"))
    if problem:
        pytest.skip(f"no private mount namespace here: {problem}")


@pytest.fixture(scope="session")
def tmux(request: pytest.FixtureRequest) -> None:
    """Skips where there is no terminal to be had, fails where the system's parts were asked for."""
    problem = terminal_problem()
    if problem and request.config.getoption("--require-system"):
        pytest.fail(problem)
    elif problem:
        pytest.skip(problem)
