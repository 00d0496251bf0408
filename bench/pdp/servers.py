"""The real PDP and ours over the same files, each alone on the first core. Loads run on the second."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from gateway.policy.directory import SourceFile
from tests.support.processes import ROOT, RunningProcess, cerbos_binary, free_port, http_status

SERVER_CORE, LOAD_CORE = 0, 1


class Server(RunningProcess):
    """A PDP on one core; `grpc_port` is 0 where none is served."""

    def __init__(self, directory: Path, argv: Sequence[str], port: int, grpc_port: int, what: str) -> None:
        self.port, self.grpc_port = port, grpc_port
        clean = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "PYTHONPATH": str(ROOT),
            "GOMAXPROCS": "1",
        }
        super().__init__(["taskset", "-c", str(SERVER_CORE), *argv], directory, clean)
        url = f"http://127.0.0.1:{port}/_cerbos/health"
        self.wait_ready(lambda: http_status(url) == 200, what)


def write_set(directory: Path, files: Sequence[SourceFile]) -> Path:
    """The policy files on disk."""
    policies = directory / "policies"
    policies.mkdir(parents=True)
    for file in files:
        (policies / file.name).write_bytes(file.data)
    return policies


def start_real(directory: Path, policies: Path) -> Server:
    """The real PDP, on one core with one processor for its scheduler."""
    port, grpc_port = free_port(), free_port()
    config = _config(directory, policies, port, grpc_port)
    return Server(
        directory, [str(cerbos_binary()), "server", f"--config={config}"], port, grpc_port, "the PDP"
    )


def start_ours(directory: Path, policies: Path) -> Server:
    """`ostiary pdp` over the same configuration."""
    port = free_port()
    config = _config(directory, policies, port, free_port())
    argv = [sys.executable, "-m", "gateway.cli", "pdp", "--cerbos-config", str(config)]
    return Server(directory, argv, port, 0, "ostiary pdp")


def _config(directory: Path, policies: Path, port: int, grpc_port: int) -> Path:
    directory.mkdir(parents=True)
    file = directory / "cerbos.yaml"
    sections = {
        "server": {"httpListenAddr": f"127.0.0.1:{port}", "grpcListenAddr": f"127.0.0.1:{grpc_port}"},
        "storage": {"driver": "disk", "disk": {"directory": str(policies), "watchForChanges": False}},
        "telemetry": {"disabled": True},
        "audit": {"enabled": False},
    }
    file.write_text(yaml.safe_dump(sections))
    return file
